//! The processes that serve, and what they are asked to take out of their memory.

use std::time::Duration;

use tenantry_core::{InstanceId, TenantId, Timestamp};
use uuid::Uuid;

use crate::{Conn, StoreError};

/// The processes that serve.
pub struct Nodes<'c>(pub(super) Conn<'c>);

/// That what is kept in memory is to be taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheClearing {
    /// Which.
    pub id: Uuid,
    /// Of one tenant, or of everything.
    pub tenant: Option<TenantId>,
}

row! { struct ClearingRow { id: Uuid, tenant_id: Option<Uuid> } }
row! { struct AnswerRow { counts: String } }
row! { struct CountRow { count: i64 } }

impl Nodes<'_> {
    /// Notes that a process serves.
    pub async fn mark_seen(&mut self, id: InstanceId, now: Timestamp) -> Result<(), StoreError> {
        execute!(
            self.0,
            "INSERT INTO nodes (id, started_at, seen_at) VALUES ($1, $2, $2)
             ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at",
            id.uuid(),
            now.micros()
        )?;
        Ok(())
    }

    /// Notes that a process serves no more.
    pub async fn remove(&mut self, id: InstanceId) -> Result<(), StoreError> {
        execute!(self.0, "DELETE FROM nodes WHERE id = $1", id.uuid())?;
        Ok(())
    }

    /// Other processes that were seen no longer ago than `within`. One that is said to have been seen
    /// later than that from now wrote it down while its clock was wrong, and may be long gone.
    pub async fn count_others(
        &mut self,
        but: InstanceId,
        within: Duration,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let row = fetch_one!(
            self.0,
            CountRow,
            "SELECT COUNT(*) AS count FROM nodes WHERE id <> $1 AND seen_at >= $2 AND seen_at <= $3",
            but.uuid(),
            (now - within).micros(),
            (now + within).micros()
        )?;
        Ok(u64::try_from(row.count).unwrap_or_default())
    }

    /// Forgets processes seen, and clearings asked for, longer ago than `within`, or further ahead,
    /// where a clock was wrong.
    pub async fn remove_old(
        &mut self,
        within: Duration,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let (before, after) = ((now - within).micros(), (now + within).micros());
        let nodes = execute!(
            self.0,
            "DELETE FROM nodes WHERE seen_at < $1 OR seen_at > $2",
            before,
            after
        )?;
        let clearings = execute!(
            self.0,
            "DELETE FROM cache_clearings WHERE asked_at < $1 OR asked_at > $2",
            before,
            after
        )?;
        Ok(nodes + clearings)
    }

    /// Asks every process to take something out.
    pub async fn ask(
        &mut self,
        clearing: &CacheClearing,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        execute!(
            self.0,
            "INSERT INTO cache_clearings (id, tenant_id, asked_at) VALUES ($1, $2, $3)",
            clearing.id,
            clearing.tenant.map(TenantId::uuid),
            now.micros()
        )?;
        Ok(())
    }

    /// What was asked for since and this process did not answer.
    pub async fn list_unanswered(
        &mut self,
        node: InstanceId,
        since: Timestamp,
    ) -> Result<Vec<CacheClearing>, StoreError> {
        let rows = fetch_all!(
            self.0,
            ClearingRow,
            "SELECT c.id, c.tenant_id FROM cache_clearings c
             WHERE c.asked_at >= $2
               AND NOT EXISTS (SELECT 1 FROM cache_answers a WHERE a.clearing_id = c.id AND a.node_id = $1)
             ORDER BY c.asked_at",
            node.uuid(),
            since.micros()
        )?;
        let clearing = |row: ClearingRow| CacheClearing {
            id: row.id,
            tenant: row.tenant_id.map(TenantId::from_uuid),
        };
        Ok(rows.into_iter().map(clearing).collect())
    }

    /// Answers what was asked for: what was taken out, as JSON. Answering twice is harmless, and so
    /// is answering what was forgotten meanwhile.
    pub async fn answer(
        &mut self,
        clearing: Uuid,
        node: InstanceId,
        counts: &str,
    ) -> Result<(), StoreError> {
        execute!(
            self.0,
            "INSERT INTO cache_answers (clearing_id, node_id, counts)
             SELECT c.id, $2, $3 FROM cache_clearings c WHERE c.id = $1
             ON CONFLICT (clearing_id, node_id) DO NOTHING",
            clearing,
            node.uuid(),
            counts
        )?;
        Ok(())
    }

    /// What was answered by other processes.
    pub async fn list_answers(
        &mut self,
        clearing: Uuid,
        but: InstanceId,
    ) -> Result<Vec<String>, StoreError> {
        let rows = fetch_all!(
            self.0,
            AnswerRow,
            "SELECT counts FROM cache_answers WHERE clearing_id = $1 AND node_id <> $2 ORDER BY node_id",
            clearing,
            but.uuid()
        )?;
        Ok(rows.into_iter().map(|row| row.counts).collect())
    }
}
