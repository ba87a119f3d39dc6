//! What the engine writes down of a run: all under its claim, or not at all.

use tenantry_core::workflow::{LogEvent, WorkflowState};
use tenantry_store::StoreError;
use tenantry_store::control::{Claim, Run};

use super::{Engine, Interrupted, Outcome, SagaError};
use crate::{Definition, Fault, Moment};

impl<D: Definition> Engine<D> {
    pub(super) async fn renew(&self, claim: &Claim) -> Result<bool, StoreError> {
        let until = self.clock.now() + self.pace.lease;
        let mut tx = self.control.begin().await?;
        let held = tx
            .workflows()
            .renew(claim.run.id, claim.fence, until)
            .await?;
        tx.commit().await?;
        Ok(held)
    }

    /// Writes to the log under this claim or not at all.
    pub(super) async fn append(
        &self,
        claim: &Claim,
        step: &str,
        event: LogEvent,
        detail: Option<&str>,
    ) -> Result<(), Interrupted> {
        let now = self.clock.now();
        let mut tx = self.control.begin().await?;
        if !tx
            .workflows()
            .renew(claim.run.id, claim.fence, now + self.pace.lease)
            .await?
        {
            return Err(Interrupted::Lost);
        }
        tx.workflows()
            .append((claim.run.id, claim.fence), step, event, detail, now)
            .await?;
        tx.commit().await?;
        tracing::debug!(workflow.id = %claim.run.id, workflow.kind = claim.run.kind, step, event = event.as_str(), "workflow step");
        if self.faults.at(&claim.run.kind, step, Moment::Logged(event)) == Some(Fault::Halt) {
            std::future::pending::<()>().await;
        }
        Ok(())
    }

    pub(super) async fn defer(
        &self,
        claim: &Claim,
        attempts: i64,
        error: &str,
    ) -> Result<(), Interrupted> {
        let doublings = u32::try_from(attempts.clamp(1, 16) - 1).unwrap_or(0);
        let pause = self
            .pace
            .pause
            .saturating_mul(1 << doublings)
            .min(self.pace.longest);
        let mut tx = self.control.begin().await?;
        let held = tx
            .workflows()
            .defer(
                (claim.run.id, claim.fence),
                attempts,
                self.clock.now() + pause,
                Some(error),
            )
            .await?;
        tx.commit().await?;
        if held { Ok(()) } else { Err(Interrupted::Lost) }
    }

    /// Gives a run of no known steps back for a while: a newer program may be about to take it.
    pub(super) async fn leave(&self, claim: &Claim) -> Result<SagaError, Interrupted> {
        let (kind, version) = (claim.run.kind.clone(), claim.run.version);
        let error = SagaError::Unknown { kind, version };
        let mut tx = self.control.begin().await?;
        tx.workflows()
            .defer(
                (claim.run.id, claim.fence),
                claim.run.attempts,
                self.clock.now() + self.pace.longest,
                Some(&error.to_string()),
            )
            .await?;
        tx.commit().await?;
        Ok(error)
    }

    pub(super) async fn finish(
        &self,
        claim: &Claim,
        state: WorkflowState,
        error: Option<&str>,
    ) -> Result<Outcome, Interrupted> {
        let mut tx = self.control.begin().await?;
        let held = tx
            .workflows()
            .finish((claim.run.id, claim.fence), state, error, self.clock.now())
            .await?;
        tx.commit().await?;
        if held {
            Ok(Outcome::Ended(state))
        } else {
            Err(Interrupted::Lost)
        }
    }

    /// Takes up a stuck run again, in the direction it had; `false` when it is not stuck.
    pub async fn retry(&self, run: &Run) -> Result<bool, SagaError> {
        let mut tx = self.control.begin().await?;
        let log = tx.workflows().log(run.id).await?;
        let undoing = log.iter().any(|entry| entry.event == LogEvent::UndoStarted);
        let state = if undoing {
            WorkflowState::Undoing
        } else {
            WorkflowState::Running
        };
        let taken = tx
            .workflows()
            .retry(run.id, state, self.clock.now())
            .await?;
        tx.commit().await?;
        Ok(taken)
    }
}
