//! What is true of the whole installation.

use tenantry_core::Timestamp;
use tenantry_core::session::SessionDriver;
use tenantry_core::tenant::EmailUniqueness;
use uuid::Uuid;

use crate::{Conn, StoreError};

/// The installation.
pub struct Instance<'c>(pub(super) Conn<'c>);

/// The installation's own record.
#[derive(Debug, Clone)]
pub struct InstanceRow {
    /// A value sealed under the master key, which opens with the right one only.
    pub key_check: Vec<u8>,
    /// Whether an address may belong to several tenants; fixed with the first start, since
    /// entries made under one rule don't follow the other.
    pub email_uniqueness: EmailUniqueness,
}

/// Where sessions lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SessionHome {
    /// With which driver, once a server was started.
    pub driver: Option<SessionDriver>,
    /// How often they came to lie elsewhere. What was begun before the last time is void.
    pub switches: i64,
}

row! { struct Stored { key_check: Vec<u8>, email_uniqueness: String } }
row! { struct One { one: i64 } }
row! { struct Lies { session_driver: Option<String>, session_switches: i64 } }
row! { struct Named { uuid: Option<Uuid> } }

impl Instance<'_> {
    /// Writes the record of a new installation; `false` when there is one.
    pub async fn add(
        &mut self,
        instance: &InstanceRow,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let changed = execute!(
            self.0,
            "INSERT INTO instance (id, key_check, email_uniqueness, created_at) VALUES (1, $1, $2, $3)
             ON CONFLICT (id) DO NOTHING",
            instance.key_check.as_slice(),
            instance.email_uniqueness.as_str(),
            now.micros()
        )?;
        Ok(changed == 1)
    }

    /// The record, unless the installation is new.
    pub async fn find(&mut self) -> Result<Option<InstanceRow>, StoreError> {
        fetch_optional!(
            self.0,
            Stored,
            "SELECT key_check, email_uniqueness FROM instance WHERE id = 1"
        )?
        .map(|row| {
            Ok(InstanceRow {
                key_check: row.key_check,
                email_uniqueness: row.email_uniqueness.parse().map_err(|_| {
                    StoreError::Corrupt {
                        table: "instance",
                        column: "email_uniqueness",
                    }
                })?,
            })
        })
        .transpose()
    }

    /// The installation's id, by which it knows its own databases and roles on a server; the
    /// `candidate` where it had none yet. `None` before the installation's record is written.
    pub async fn identify(&mut self, candidate: Uuid) -> Result<Option<Uuid>, StoreError> {
        execute!(
            self.0,
            "UPDATE instance SET uuid = $1 WHERE id = 1 AND uuid IS NULL",
            candidate
        )?;
        let row = fetch_optional!(self.0, Named, "SELECT uuid FROM instance WHERE id = 1")?;
        Ok(row.and_then(|row| row.uuid))
    }

    /// Where sessions lie, as the server that was started last has it.
    pub async fn session_home(&mut self) -> Result<SessionHome, StoreError> {
        let row = fetch_optional!(
            self.0,
            Lies,
            "SELECT session_driver, session_switches FROM instance WHERE id = 1"
        )?;
        let Some(row) = row else {
            return Ok(SessionHome::default());
        };
        let driver = row.session_driver.map(|driver| {
            driver.parse().map_err(|_| StoreError::Corrupt {
                table: "instance",
                column: "session_driver",
            })
        });
        Ok(SessionHome {
            driver: driver.transpose()?,
            switches: row.session_switches,
        })
    }

    /// Notes where sessions lie from now on; where they lay before, if that was elsewhere. Of many who
    /// note the same at once, one is told so.
    pub async fn settle_sessions(
        &mut self,
        driver: SessionDriver,
    ) -> Result<Option<SessionDriver>, StoreError> {
        let before = self.session_home().await?.driver;
        let switched = execute!(
            self.0,
            "UPDATE instance SET session_driver = $1, session_switches = session_switches + 1
             WHERE id = 1 AND session_driver <> $1",
            driver.as_str()
        )?;
        execute!(
            self.0,
            "UPDATE instance SET session_driver = $1 WHERE id = 1 AND session_driver IS NULL",
            driver.as_str()
        )?;
        Ok(before.filter(|_| switched == 1))
    }

    /// Asks the database for nothing, to see whether it answers.
    pub async fn ping(&mut self) -> Result<(), StoreError> {
        let row = fetch_one!(self.0, One, "SELECT CAST(1 AS BIGINT) AS one")?;
        debug_assert_eq!(row.one, 1, "a database that answers knows what one is");
        Ok(())
    }
}
