//! Workflows in an operator's hands: listing, showing, taking up again.

use tenantry_core::workflow::{LogEntry, WorkflowState};
use tenantry_core::{TenantStatus, WorkflowId};
use tenantry_store::control::Run;

use crate::{Refusal, Service};

impl Service {
    /// Runs of workflows, the newest first.
    pub async fn list_workflows(
        &self,
        before: Option<WorkflowId>,
        limit: i64,
    ) -> Result<Vec<Run>, Refusal> {
        Ok(self
            .control()
            .read()
            .await?
            .workflows()
            .list(before, limit)
            .await?)
    }

    /// One run and its log.
    pub async fn find_workflow(&self, id: WorkflowId) -> Result<(Run, Vec<LogEntry>), Refusal> {
        let mut tx = self.control().read().await?;
        let run = tx.workflows().lookup(id).await?.ok_or(Refusal::NotFound)?;
        let log = tx.workflows().log(id).await?;
        Ok((run, log))
    }

    /// Takes up a stuck run again and waits for it a while; the state it is in then.
    pub async fn retry_workflow(&self, id: WorkflowId) -> Result<WorkflowState, Refusal> {
        let (run, _) = self.find_workflow(id).await?;
        if run.state != WorkflowState::Stuck {
            return Err(Refusal::Conflict(format!(
                "the workflow is {}, not stuck",
                run.state
            )));
        }
        if let Some(tenant) = run.tenant {
            let mut tx = self.control().begin().await?;
            tx.tenants()
                .change_status(tenant, TenantStatus::Failed, TenantStatus::Provisioning)
                .await?;
            tx.commit().await?;
        }
        self.engine().retry(&run).await?;
        self.drive(id, std::time::Duration::from_secs(30)).await
    }
}
