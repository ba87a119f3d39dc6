//! Durable workflows: runs, their leases, and their log.

use tenantry_core::workflow::{LogEntry, LogEvent, WorkflowState};
use tenantry_core::{TenantId, Timestamp, WorkflowId};
use uuid::Uuid;

use crate::{Conn, StoreError};

/// The workflows.
pub struct Workflows<'c>(pub(super) Conn<'c>);

/// A run of a workflow.
#[derive(Debug, Clone)]
pub struct Run {
    /// The id.
    pub id: WorkflowId,
    /// Which workflow.
    pub kind: String,
    /// Which version of its steps.
    pub version: i64,
    /// The tenant it works on, if it is one.
    pub tenant: Option<TenantId>,
    /// Where it is.
    pub state: WorkflowState,
    /// What it was asked to do, as JSON; secrets in it are sealed.
    pub params: String,
    /// Tries of the present step so far.
    pub attempts: i64,
    /// When it goes on.
    pub next_run_at: Timestamp,
    /// The last error.
    pub error: Option<String>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

/// A run that is this process's alone until the lease ends.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The run.
    pub run: Run,
    /// The number every later write names.
    pub fence: i64,
}

row! {
    struct RunRow {
        id: Uuid,
        kind: String,
        version: i64,
        tenant_id: Option<Uuid>,
        state: String,
        params: String,
        attempts: i64,
        next_run_at: i64,
        fence: i64,
        error: Option<String>,
        created_at: i64,
        finished_at: Option<i64>,
    }
}

row! { struct LogRow { seq: i64, step: String, event: String, at: i64, detail: Option<String> } }

impl TryFrom<RunRow> for Claim {
    type Error = StoreError;

    fn try_from(row: RunRow) -> Result<Self, StoreError> {
        Ok(Self {
            fence: row.fence,
            run: Run {
                id: WorkflowId::from_uuid(row.id),
                kind: row.kind,
                version: row.version,
                tenant: row.tenant_id.map(TenantId::from_uuid),
                state: row.state.parse().map_err(|_| StoreError::Corrupt {
                    table: "workflows",
                    column: "state",
                })?,
                params: row.params,
                attempts: row.attempts,
                next_run_at: Timestamp::from_micros(row.next_run_at),
                error: row.error,
                created_at: Timestamp::from_micros(row.created_at),
                finished_at: row.finished_at.map(Timestamp::from_micros),
            },
        })
    }
}

impl Workflows<'_> {
    /// Records what is to be done; `false` when the tenant has unfinished work.
    pub async fn add(
        &mut self,
        id: WorkflowId,
        kind: &str,
        version: i64,
        tenant: Option<TenantId>,
        params: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let changed = execute!(
            self.0,
            "INSERT INTO workflows (id, kind, version, tenant_id, state, params, attempts, next_run_at, lease_until,
                    fence, created_at)
             VALUES ($1, $2, $3, $4, 'running', $5, 0, $6, 0, 0, $6) ON CONFLICT DO NOTHING",
            id.uuid(),
            kind,
            version,
            tenant.map(TenantId::uuid),
            params,
            now.micros()
        )?;
        Ok(changed == 1)
    }

    /// Takes one run, if it is due and nobody has it.
    pub async fn claim(
        &mut self,
        id: WorkflowId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Claim>, StoreError> {
        fetch_optional!(
            self.0,
            RunRow,
            "UPDATE workflows SET lease_until = $3, fence = fence + 1
             WHERE id = $1 AND state IN ('running', 'undoing') AND next_run_at <= $2 AND lease_until <= $2
             RETURNING id, kind, version, tenant_id, state, params, attempts, next_run_at, fence, error, created_at,
                       finished_at",
            id.uuid(),
            now.micros(),
            until.micros()
        )?
        .map(Claim::try_from)
        .transpose()
    }

    /// Ids of runs that are due and nobody has, the longest waiting first.
    pub async fn list_due(
        &mut self,
        now: Timestamp,
        limit: i64,
    ) -> Result<Vec<WorkflowId>, StoreError> {
        row! { struct IdRow { id: Uuid } }
        let rows = fetch_all!(
            self.0,
            IdRow,
            "SELECT id FROM workflows
             WHERE state IN ('running', 'undoing') AND next_run_at <= $1 AND lease_until <= $1
             ORDER BY next_run_at, id LIMIT $2",
            now.micros(),
            limit
        )?;
        Ok(rows
            .into_iter()
            .map(|row| WorkflowId::from_uuid(row.id))
            .collect())
    }

    /// Keeps a run; `false` when it is somebody else's by now. Within a transaction this also
    /// holds the row, so that what follows happens under this claim or not at all.
    pub async fn renew(
        &mut self,
        id: WorkflowId,
        fence: i64,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        let changed = execute!(
            self.0,
            "UPDATE workflows SET lease_until = $3 WHERE id = $1 AND fence = $2",
            id.uuid(),
            fence,
            until.micros()
        )?;
        Ok(changed == 1)
    }

    /// Adds to a run's log.
    pub async fn append(
        &mut self,
        claim: (WorkflowId, i64),
        step: &str,
        event: LogEvent,
        detail: Option<&str>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        execute!(
            self.0,
            "INSERT INTO workflow_log (workflow_id, seq, step, event, fence, at, detail)
             VALUES ($1, (SELECT COALESCE(MAX(seq), 0) + 1 FROM workflow_log WHERE workflow_id = $1),
                     $2, $3, $4, $5, $6)",
            claim.0.uuid(),
            step,
            event.as_str(),
            claim.1,
            now.micros(),
            detail
        )?;
        Ok(())
    }

    /// A run's log, oldest first.
    pub async fn log(&mut self, id: WorkflowId) -> Result<Vec<LogEntry>, StoreError> {
        fetch_all!(
            self.0,
            LogRow,
            "SELECT seq, step, event, at, detail FROM workflow_log WHERE workflow_id = $1 ORDER BY seq",
            id.uuid()
        )?
        .into_iter()
        .map(|row| {
            Ok(LogEntry {
                seq: row.seq,
                step: row.step,
                event: row
                    .event
                    .parse()
                    .map_err(|_| StoreError::Corrupt { table: "workflow_log", column: "event" })?,
                at: Timestamp::from_micros(row.at),
                detail: row.detail,
            })
        })
        .collect()
    }

    /// Gives a run back to be taken up again at `next_run_at`.
    pub async fn defer(
        &mut self,
        claim: (WorkflowId, i64),
        attempts: i64,
        next_run_at: Timestamp,
        error: Option<&str>,
    ) -> Result<bool, StoreError> {
        let changed = execute!(
            self.0,
            "UPDATE workflows SET attempts = $3, next_run_at = $4, lease_until = 0, error = COALESCE($5, error)
             WHERE id = $1 AND fence = $2",
            claim.0.uuid(),
            claim.1,
            attempts,
            next_run_at.micros(),
            error
        )?;
        Ok(changed == 1)
    }

    /// Turns a run from forward to back.
    pub async fn turn_back(
        &mut self,
        claim: (WorkflowId, i64),
        error: &str,
    ) -> Result<bool, StoreError> {
        let changed = execute!(
            self.0,
            "UPDATE workflows SET state = 'undoing', attempts = 0, error = $3 WHERE id = $1 AND fence = $2",
            claim.0.uuid(),
            claim.1,
            error
        )?;
        Ok(changed == 1)
    }

    /// Ends a run. What it was asked to do is forgotten, with the secrets in it, unless it is
    /// stuck and will be needed again.
    pub async fn finish(
        &mut self,
        claim: (WorkflowId, i64),
        state: WorkflowState,
        error: Option<&str>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let changed = execute!(
            self.0,
            "UPDATE workflows SET state = $3, lease_until = 0, finished_at = $4, error = COALESCE($5, error),
                    params = CASE WHEN $3 = 'stuck' THEN params ELSE '{}' END
             WHERE id = $1 AND fence = $2",
            claim.0.uuid(),
            claim.1,
            state.as_str(),
            now.micros(),
            error
        )?;
        Ok(changed == 1)
    }

    /// Takes up a stuck run again, forward or back as it was; `false` when it is not stuck.
    pub async fn retry(
        &mut self,
        id: WorkflowId,
        state: WorkflowState,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let changed = execute!(
            self.0,
            "UPDATE workflows SET state = $2, attempts = 0, next_run_at = $3, lease_until = 0, finished_at = NULL
             WHERE id = $1 AND state = 'stuck'",
            id.uuid(),
            state.as_str(),
            now.micros()
        )?;
        Ok(changed == 1)
    }

    /// The run with this id.
    pub async fn lookup(&mut self, id: WorkflowId) -> Result<Option<Run>, StoreError> {
        let row = fetch_optional!(
            self.0,
            RunRow,
            "SELECT id, kind, version, tenant_id, state, params, attempts, next_run_at, fence, error, created_at,
                    finished_at
             FROM workflows WHERE id = $1",
            id.uuid()
        )?;
        Ok(row.map(Claim::try_from).transpose()?.map(|claim| claim.run))
    }

    /// A tenant's unfinished run, if there is one.
    pub async fn find_unfinished(&mut self, tenant: TenantId) -> Result<Option<Run>, StoreError> {
        let row = fetch_optional!(
            self.0,
            RunRow,
            "SELECT id, kind, version, tenant_id, state, params, attempts, next_run_at, fence, error, created_at,
                    finished_at
             FROM workflows WHERE tenant_id = $1 AND state IN ('running', 'undoing', 'stuck')",
            tenant.uuid()
        )?;
        Ok(row.map(Claim::try_from).transpose()?.map(|claim| claim.run))
    }

    /// Runs, the newest first, made before the one with the id `before`.
    pub async fn list(
        &mut self,
        before: Option<WorkflowId>,
        limit: i64,
    ) -> Result<Vec<Run>, StoreError> {
        fetch_all!(
            self.0,
            RunRow,
            "SELECT id, kind, version, tenant_id, state, params, attempts, next_run_at, fence, error, created_at,
                    finished_at
             FROM workflows WHERE id < $1 ORDER BY id DESC LIMIT $2",
            before.map_or(Uuid::max(), WorkflowId::uuid),
            limit
        )?
        .into_iter()
        .map(|row| Claim::try_from(row).map(|claim| claim.run))
        .collect()
    }
}
