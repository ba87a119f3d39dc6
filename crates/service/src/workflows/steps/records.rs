//! What the registry holds of a tenant: reserved before anything is made, gone after everything is.

use tenantry_core::tenant::DatabaseState;
use tenantry_saga::StepError;
use tenantry_sessions::SessionError;

use super::Steps;
use crate::refusal::Chain;
use crate::workflows::Plan;

/// What clearing up sessions came to. Sessions in a Redis that is away keep no work from going on:
/// they counted no more before, and Redis forgets them by itself.
fn cleared(outcome: Result<u64, SessionError>) -> Result<(), StepError> {
    match outcome {
        Ok(_) => Ok(()),
        Err(SessionError::Store(error)) => Err(error.into()),
        Err(error @ SessionError::Redis(_)) => {
            tracing::warn!(error = %Chain(&error), "sessions that count no more are left for Redis to forget");
            Ok(())
        }
        Err(error @ SessionError::Held { .. }) => Err(StepError::Retry(error.to_string())),
        Err(error @ (SessionError::Damaged { .. } | SessionError::Io { .. })) => {
            Err(StepError::Fatal(Chain(&error).to_string()))
        }
    }
}

impl Steps {
    pub(in crate::workflows) async fn is_reserved(&self, plan: &Plan) -> Result<bool, StepError> {
        let mut tx = self.0.control.read().await?;
        Ok(tx
            .databases()
            .lookup(plan.tenant, plan.generation)
            .await?
            .is_some())
    }

    /// The reservation is written together with the run, so there is nothing left to do.
    pub(in crate::workflows) async fn expect_reserved(&self, plan: &Plan) -> Result<(), StepError> {
        if self.is_reserved(plan).await? {
            return Ok(());
        }
        Err(StepError::Fatal("the reservation is gone".to_owned()))
    }

    /// Ends what an earlier life left. It counted no more since status or generation changed; this
    /// is the clearing up. For a tenant that goes for good the rows go too.
    pub(in crate::workflows) async fn end_sessions(
        &self,
        plan: &Plan,
        remove: bool,
    ) -> Result<(), StepError> {
        // Whoever does this too late, after a lost lease, finds nothing of the later generation.
        let ended = plan.previous.unwrap_or(plan.generation);
        // Before they are removed too, so that those that were alive are counted as ended.
        let now = self.0.clock.now();
        let ended = self.0.sessions.end_tenant(plan.tenant, ended, now);
        cleared(ended.await)?;
        if remove {
            cleared(self.0.remove_sessions_elsewhere(plan.tenant).await)?;
        }
        let mut tx = self.0.control.begin().await?;
        if remove {
            tx.sessions().remove_tenant(plan.tenant).await?;
            tx.outbox().remove_tenant(plan.tenant).await?;
        } else {
            tx.outbox().remove_waiting(plan.tenant, plan.at).await?;
        }
        Ok(tx.commit().await?)
    }

    pub(in crate::workflows) async fn are_records_gone(
        &self,
        plan: &Plan,
    ) -> Result<bool, StepError> {
        Ok(self
            .0
            .control
            .read()
            .await?
            .tenants()
            .lookup(plan.tenant)
            .await?
            .is_none())
    }

    /// Takes the tenant out of the registry; its slug is free again, its id never.
    pub(in crate::workflows) async fn remove_records(
        &self,
        plan: &Plan,
        told: bool,
    ) -> Result<(), StepError> {
        cleared(self.0.remove_sessions_elsewhere(plan.tenant).await)?;
        let mut tx = self.0.control.begin().await?;
        let tenant = tx.tenants().lookup(plan.tenant).await?;
        if let Some(tenant) = tenant.filter(|_| told) {
            self.tell_purged(&mut tx, &tenant).await?;
        }
        if !told {
            // It could not be made, so whoever asked for it still waits.
            tx.applications().reopen(plan.tenant).await?;
        }
        tx.directory().remove_tenant(plan.tenant).await?;
        // Also what came after those of a purge were removed, or while a tenant that is undone was
        // active for a moment.
        tx.sessions().remove_tenant(plan.tenant).await?;
        tx.outbox().remove_tenant(plan.tenant).await?;
        tx.tenants().release_database(plan.tenant).await?;
        for record in tx.databases().list(plan.tenant).await? {
            debug_assert_ne!(
                record.state,
                DatabaseState::Retired,
                "nothing retires a record yet"
            );
            tx.databases()
                .remove(plan.tenant, record.generation)
                .await?;
        }
        tx.adopted().remove(plan.tenant).await?;
        tx.idempotency().remove_tenant(plan.tenant).await?;
        tx.idempotency().remove_answers_of(plan.tenant).await?;
        tx.tenants().remove(plan.tenant).await?;
        Ok(tx.commit().await?)
    }
}
