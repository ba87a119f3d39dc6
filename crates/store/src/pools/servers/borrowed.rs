//! A connection in use: beginning its transaction, ending it, and giving it back.

use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{AssertSqlSafe, Row as _};
use tenantry_core::tenant::Isolation;
use tenantry_core::{Generation, TenantId};
use tokio::time::timeout;

use super::Access;
use super::places::{Idle, Inner, Owner, PARTING};
use super::turns::Turn;
use crate::StoreError;
use crate::cluster::ClusterError;
use crate::clusters::Place;
use crate::tenant::Stamp;

/// How long a commit is waited for. As long as the server lets a statement take
/// (`statement_timeout` of our connections).
const ANSWER: Duration = Duration::from_secs(30);

/// A connection in use, inside a transaction. Dropped without [`commit`](Self::commit), nothing of
/// it happened.
pub struct Borrowed {
    /// There until it is given back.
    held: Option<(PgConnection, Berth)>,
}

/// Where a connection goes back to.
pub(super) struct Berth {
    pub(super) inner: Arc<Inner>,
    pub(super) cluster: Arc<str>,
    pub(super) owner: Owner,
    pub(super) turn: Turn,
}

impl Borrowed {
    pub(super) const fn new(conn: PgConnection, berth: Berth) -> Self {
        Self {
            held: Some((conn, berth)),
        }
    }

    /// Begins a transaction and reads the stamp.
    pub(super) async fn begin(
        &mut self,
        place: &Place,
        access: Access,
    ) -> Result<Option<Stamp>, StoreError> {
        let Some((conn, berth)) = &mut self.held else {
            return Err(StoreError::Busy);
        };
        let sql = AssertSqlSafe(opening(place, access));
        let asked = timeout(berth.inner.bounds.wait, sqlx::raw_sql(sql).fetch_all(conn));
        match asked.await {
            Ok(Ok(rows)) => stamp(&rows),
            Ok(Err(error)) => Err(StoreError::entering(ClusterError::from(error))),
            Err(_) => Err(ClusterError::Deadline(berth.inner.bounds.wait).into()),
        }
    }

    /// The connection, for one statement.
    pub(crate) fn conn(&mut self) -> &mut PgConnection {
        match &mut self.held {
            Some((conn, _)) => conn,
            None => unreachable!("a connection is given back only by what consumes its borrower"),
        }
    }

    /// Makes it happen, all or nothing.
    pub(crate) async fn commit(mut self) -> Result<(), StoreError> {
        if let Some((mut conn, berth)) = self.held.take() {
            let asked = timeout(ANSWER, sqlx::raw_sql("COMMIT").execute(&mut conn));
            let late = |_| Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()));
            match asked.await.unwrap_or_else(late) {
                Ok(_) => berth.keep(conn),
                Err(error) => {
                    berth.inner.gone(&berth.cluster);
                    let error = StoreError::from(error);
                    let lost = error.is_lost();
                    return Err(match error {
                        StoreError::Database { source, .. } if lost => {
                            StoreError::Unanswered(source)
                        }
                        refused => refused,
                    });
                }
            }
        }
        Ok(())
    }

    /// Closes the connection: what state it is in is not known.
    pub(super) fn discard(mut self) {
        if let Some((conn, berth)) = self.held.take() {
            drop(conn);
            berth.inner.gone(&berth.cluster);
        }
    }
}

impl Drop for Borrowed {
    fn drop(&mut self) {
        let Some((mut conn, berth)) = self.held.take() else {
            return;
        };
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            berth.inner.gone(&berth.cluster);
            return;
        };
        // The permits go along, so that the place is free only once the connection is.
        runtime.spawn(async move {
            let ended = timeout(PARTING, sqlx::raw_sql("ROLLBACK").execute(&mut conn));
            if matches!(ended.await, Ok(Ok(_))) {
                berth.keep(conn);
            } else {
                berth.inner.gone(&berth.cluster);
            }
        });
    }
}

impl Berth {
    /// Takes a connection back that is in no transaction.
    fn keep(&self, conn: PgConnection) {
        if self.turn.gate.is_closed() {
            self.inner.gone(&self.cluster);
            return;
        }
        let since = self.inner.clock.now();
        self.inner.state().idle.push(Idle {
            conn,
            cluster: Arc::clone(&self.cluster),
            owner: self.owner.clone(),
            since,
        });
    }
}

/// What begins a transaction and reads the stamp. Everything in it is a number or an id.
fn opening(place: &Place, access: Access) -> String {
    let begin = match access {
        Access::Read => "BEGIN READ ONLY",
        Access::Write => "BEGIN",
    };
    let Place { placement, .. } = place;
    let scope = match placement.isolation {
        Isolation::Shared => {
            format!("SET LOCAL tenantry.tenant = '{}'; ", placement.tenant)
        }
        Isolation::Database | Isolation::Schema => String::new(),
    };
    format!(
        "{begin}; {scope}SELECT tenant_id, generation, schema_version FROM tenantry_stamp
         ORDER BY tenant_id <> '{}' LIMIT 1",
        placement.tenant
    )
}

fn stamp(rows: &[PgRow]) -> Result<Option<Stamp>, StoreError> {
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    let generation = Generation::new(row.try_get("generation")?).ok_or(StoreError::Corrupt {
        table: "tenantry_stamp",
        column: "generation",
    })?;
    Ok(Some(Stamp {
        tenant: TenantId::from_uuid(row.try_get("tenant_id")?),
        generation,
        schema_version: row.try_get("schema_version")?,
    }))
}
