//! Wrong tries, counted before a secret is compared.

use std::time::Duration;

use tenantry_core::Timestamp;
use tenantry_core::throttle::Limits;

use crate::{Conn, StoreError};

/// The counters of wrong tries.
pub struct Throttle<'c>(pub(super) Conn<'c>);

/// How counting a try ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// The secret may be compared. It is so many failures in a row unless it fits.
    Go(i64),
    /// Too many; try again after this long. Nothing was counted.
    Wait(Duration),
}

row! { struct FailuresRow { failures: i64 } }
row! { struct BlockedRow { blocked_until: i64 } }

impl Throttle<'_> {
    /// Counts a try as a failure before it is known to be one, and sets the pause that follows it.
    ///
    /// The count is taken by one conditional statement, so that of many tries at the same moment
    /// no more pass than are allowed.
    pub async fn count(
        &mut self,
        key: &[u8; 32],
        limits: &Limits,
        now: Timestamp,
    ) -> Result<Counted, StoreError> {
        let counted = fetch_optional!(
            self.0,
            FailuresRow,
            "INSERT INTO throttle (key_hash, failures, last_at, blocked_until) VALUES ($1, 1, $2, 0)
             ON CONFLICT (key_hash) DO UPDATE
             SET failures = CASE WHEN throttle.last_at < $3 THEN 1 ELSE throttle.failures + 1 END, last_at = $2
             WHERE throttle.blocked_until <= $2
             RETURNING failures",
            key.as_slice(),
            now.micros(),
            (now - limits.window).micros()
        )?;
        let Some(FailuresRow { failures }) = counted else {
            return Ok(Counted::Wait(self.blocked_for(key, now).await?));
        };
        let until = match limits.pause_after(failures) {
            Some(Duration::ZERO) => return Ok(Counted::Go(failures)),
            Some(pause) => (now + pause).micros(),
            None => i64::MAX,
        };
        execute!(
            self.0,
            "UPDATE throttle SET blocked_until = $2 WHERE key_hash = $1",
            key.as_slice(),
            until
        )?;
        Ok(Counted::Go(failures))
    }

    /// Failures in a row that a key has.
    pub async fn failures(&mut self, key: &[u8; 32]) -> Result<i64, StoreError> {
        let row = fetch_optional!(
            self.0,
            FailuresRow,
            "SELECT failures FROM throttle WHERE key_hash = $1",
            key.as_slice()
        )?;
        Ok(row.map_or(0, |row| row.failures))
    }

    /// How long a key is blocked from now.
    pub async fn blocked_for(
        &mut self,
        key: &[u8; 32],
        now: Timestamp,
    ) -> Result<Duration, StoreError> {
        let row = fetch_optional!(
            self.0,
            BlockedRow,
            "SELECT blocked_until FROM throttle WHERE key_hash = $1",
            key.as_slice()
        )?;
        Ok(row.map_or(Duration::ZERO, |row| {
            Timestamp::from_micros(row.blocked_until).since(now)
        }))
    }

    /// Forgets a key's failures: the secret fitted, or an admin lifted the block.
    pub async fn clear(&mut self, key: &[u8; 32]) -> Result<(), StoreError> {
        execute!(
            self.0,
            "DELETE FROM throttle WHERE key_hash = $1",
            key.as_slice()
        )?;
        Ok(())
    }

    /// Takes back one counted try that turned out right, with the pause until `own_pause` that it
    /// set itself, and leaves the others standing.
    pub async fn forgive(
        &mut self,
        key: &[u8; 32],
        free: i64,
        own_pause: Timestamp,
    ) -> Result<(), StoreError> {
        execute!(
            self.0,
            "UPDATE throttle SET failures = failures - 1,
                    blocked_until = CASE WHEN failures <= $2 OR blocked_until = $3 THEN 0
                                         ELSE blocked_until END
             WHERE key_hash = $1 AND failures > 0",
            key.as_slice(),
            free,
            own_pause.micros()
        )?;
        Ok(())
    }

    /// Forgets keys without a failure since `before`.
    pub async fn remove_before(&mut self, before: Timestamp) -> Result<u64, StoreError> {
        execute!(
            self.0,
            "DELETE FROM throttle WHERE last_at < $1 AND blocked_until < $1",
            before.micros()
        )
    }
}
