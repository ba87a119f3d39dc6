//! Runs of durable workflows.

use schemars::JsonSchema;
use serde::Serialize;
use tenantry_core::Timestamp;
use tenantry_core::workflow::LogEntry;
use tenantry_service::workflows::Run;

/// A run of a workflow.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct WorkflowBody {
    /// The id.
    pub id: String,
    /// Which workflow.
    pub kind: String,
    /// Which version of its steps.
    pub version: i64,
    /// The tenant it works on.
    pub tenant_id: Option<String>,
    /// Where it is.
    pub state: String,
    /// Tries of the present step so far.
    pub attempts: i64,
    /// The last error.
    pub error: Option<String>,
    /// When it was asked for.
    #[schemars(with = "String")]
    pub created_at: Timestamp,
    /// When it ended.
    #[schemars(with = "Option<String>")]
    pub finished_at: Option<Timestamp>,
    /// Its log, oldest first; only where one run is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<Vec<WorkflowStepBody>>,
}

/// An entry of a run's log.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct WorkflowStepBody {
    /// Place in the log, from 1.
    pub seq: i64,
    /// The step.
    pub step: String,
    /// What happened.
    pub event: String,
    /// When.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// More about it.
    pub detail: Option<String>,
}

impl WorkflowBody {
    /// A run, with its log where that is wanted.
    pub fn of(run: &Run, log: Option<&[LogEntry]>) -> Self {
        Self {
            id: run.id.to_string(),
            kind: run.kind.clone(),
            version: run.version,
            tenant_id: run.tenant.map(|tenant| tenant.to_string()),
            state: run.state.to_string(),
            attempts: run.attempts,
            error: run.error.clone(),
            created_at: run.created_at,
            finished_at: run.finished_at,
            steps: log.map(|log| {
                log.iter()
                    .map(|entry| WorkflowStepBody {
                        seq: entry.seq,
                        step: entry.step.clone(),
                        event: entry.event.to_string(),
                        at: entry.at,
                        detail: entry.detail.clone(),
                    })
                    .collect()
            }),
        }
    }
}
