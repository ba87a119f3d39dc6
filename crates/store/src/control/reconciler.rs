//! The reconciler's turn, and what it found last.

use tenantry_core::finding::Finding;
use tenantry_core::{Generation, TenantId, Timestamp};
use uuid::Uuid;

use crate::{Conn, StoreError};

/// What the reconciler remembers.
pub struct Reconciler<'c>(pub(super) Conn<'c>);

/// The last pass that came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastPass {
    /// Tenants it looked at.
    pub tenants: i64,
    /// When it ended; `None` before the first.
    pub finished_at: Option<Timestamp>,
    /// When the next is due.
    pub next_at: Timestamp,
}

/// A finding as it was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Where it stands in the list.
    pub place: (i64, i64),
    /// What was found.
    pub finding: Finding,
    /// When.
    pub found_at: Timestamp,
}

row! { struct FenceRow { fence: i64 } }
row! { struct PassRow { tenants: i64, finished_at: Option<i64>, next_at: i64 } }
row! { struct CountRow { code: String, count: i64 } }
row! { struct NotedRow { tenant_id: Uuid, generation: i64 } }
row! {
    struct FindingRow {
        pass: i64,
        seq: i64,
        tenant_id: Option<Uuid>,
        code: String,
        severity: String,
        detail: String,
        repairable: i64,
        found_at: i64,
    }
}

const fn corrupt(column: &'static str) -> StoreError {
    StoreError::Corrupt {
        table: "findings",
        column,
    }
}

impl TryFrom<FindingRow> for Recorded {
    type Error = StoreError;

    fn try_from(row: FindingRow) -> Result<Self, StoreError> {
        Ok(Self {
            place: (row.pass, row.seq),
            finding: Finding {
                tenant: row.tenant_id.map(TenantId::from_uuid),
                code: row.code.parse().map_err(|_| corrupt("code"))?,
                severity: row.severity.parse().map_err(|_| corrupt("severity"))?,
                detail: row.detail,
                repairable: row.repairable == 1,
            },
            found_at: Timestamp::from_micros(row.found_at),
        })
    }
}

impl Reconciler<'_> {
    /// Takes the turn, where a pass is due and nobody is at it: the number that every later write
    /// names.
    pub async fn claim(
        &mut self,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<i64>, StoreError> {
        let row = fetch_optional!(
            self.0,
            FenceRow,
            "UPDATE reconciler SET lease_until = $2, fence = fence + 1
             WHERE id = 1 AND next_at <= $1 AND lease_until <= $1 RETURNING fence",
            now.micros(),
            until.micros()
        )?;
        Ok(row.map(|row| row.fence))
    }

    /// Keeps the turn; `false` when it is another's by now. Within a transaction this also holds
    /// the row, so that what follows happens under this claim or not at all.
    pub async fn renew(&mut self, fence: i64, until: Timestamp) -> Result<bool, StoreError> {
        let changed = execute!(
            self.0,
            "UPDATE reconciler SET lease_until = $2 WHERE id = 1 AND fence = $1",
            fence,
            until.micros()
        )?;
        Ok(changed == 1)
    }

    /// Records a finding of this pass; nothing where its tenant is gone meanwhile.
    pub async fn record(
        &mut self,
        fence: i64,
        finding: &Finding,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        execute!(
            self.0,
            "INSERT INTO findings (pass, seq, tenant_id, code, severity, detail, repairable, found_at)
             SELECT $1, (SELECT COALESCE(MAX(seq), 0) + 1 FROM findings WHERE pass = $1),
                    $2, $3, $4, $5, $6, $7
             WHERE $2 IS NULL OR EXISTS (SELECT 1 FROM tenants WHERE id = $2)",
            fence,
            finding.tenant.map(TenantId::uuid),
            finding.code.as_str(),
            finding.severity.as_str(),
            finding.detail.as_str(),
            i64::from(finding.repairable),
            now.micros()
        )?;
        Ok(())
    }

    /// Forgets what was found about a tenant.
    pub async fn forget(&mut self, tenant: TenantId) -> Result<u64, StoreError> {
        execute!(
            self.0,
            "DELETE FROM findings WHERE tenant_id = $1",
            tenant.uuid()
        )
    }

    /// Ends a pass over so many tenants, forgets what earlier ones found, and says when the next is
    /// due; `false` when the turn is another's by now.
    pub async fn finish(
        &mut self,
        fence: i64,
        tenants: i64,
        now: Timestamp,
        next_at: Timestamp,
    ) -> Result<bool, StoreError> {
        let changed = execute!(
            self.0,
            "UPDATE reconciler SET lease_until = 0, tenants = $2, finished_at = $3, next_at = $4
             WHERE id = 1 AND fence = $1",
            fence,
            tenants,
            now.micros(),
            next_at.micros()
        )?;
        if changed == 1 {
            execute!(self.0, "DELETE FROM findings WHERE pass < $1", fence)?;
        }
        Ok(changed == 1)
    }

    /// The last pass.
    pub async fn last(&mut self) -> Result<LastPass, StoreError> {
        let row = fetch_one!(
            self.0,
            PassRow,
            "SELECT tenants, finished_at, next_at FROM reconciler WHERE id = 1"
        )?;
        Ok(LastPass {
            tenants: row.tenants,
            finished_at: row.finished_at.map(Timestamp::from_micros),
            next_at: Timestamp::from_micros(row.next_at),
        })
    }

    /// How many findings of each kind are recorded.
    pub async fn count(
        &mut self,
    ) -> Result<Vec<(tenantry_core::finding::FindingCode, i64)>, StoreError> {
        fetch_all!(
            self.0,
            CountRow,
            "SELECT code, COUNT(*) AS count FROM findings GROUP BY code ORDER BY code"
        )?
        .into_iter()
        .map(|row| Ok((row.code.parse().map_err(|_| corrupt("code"))?, row.count)))
        .collect()
    }

    /// What is recorded, after a place in the list.
    pub async fn list(
        &mut self,
        after: (i64, i64),
        limit: i64,
    ) -> Result<Vec<Recorded>, StoreError> {
        fetch_all!(
            self.0,
            FindingRow,
            "SELECT pass, seq, tenant_id, code, severity, detail, repairable, found_at FROM findings
             WHERE pass > $1 OR (pass = $1 AND seq > $2) ORDER BY pass, seq LIMIT $3",
            after.0,
            after.1,
            limit
        )?
        .into_iter()
        .map(Recorded::try_from)
        .collect()
    }

    /// Notes that a tenant is incomplete; `false` when that is known.
    pub async fn note_incomplete(
        &mut self,
        tenant: TenantId,
        generation: Generation,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let changed = execute!(
            self.0,
            "INSERT INTO incomplete_tenants (tenant_id, generation, found_at) VALUES ($1, $2, $3)
             ON CONFLICT DO NOTHING",
            tenant.uuid(),
            generation.number(),
            now.micros()
        )?;
        Ok(changed == 1)
    }

    /// The tenants that are noted as incomplete, and in which generation.
    pub async fn list_noted(&mut self) -> Result<Vec<(TenantId, Generation)>, StoreError> {
        fetch_all!(
            self.0,
            NotedRow,
            "SELECT tenant_id, generation FROM incomplete_tenants ORDER BY tenant_id, generation"
        )?
        .into_iter()
        .map(|row| {
            let generation = Generation::new(row.generation).ok_or(StoreError::Corrupt {
                table: "incomplete_tenants",
                column: "generation",
            })?;
            Ok((TenantId::from_uuid(row.tenant_id), generation))
        })
        .collect()
    }

    /// Notes that a tenant is incomplete no more.
    pub async fn forget_incomplete(
        &mut self,
        tenant: TenantId,
        generation: Generation,
    ) -> Result<(), StoreError> {
        execute!(
            self.0,
            "DELETE FROM incomplete_tenants WHERE tenant_id = $1 AND generation = $2",
            tenant.uuid(),
            generation.number()
        )?;
        Ok(())
    }
}
