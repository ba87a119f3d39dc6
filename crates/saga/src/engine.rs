//! Driving runs forward and back.

mod record;

use std::time::Duration;

use tenantry_core::workflow::{LogEntry, LogEvent, WorkflowState};
use tenantry_core::{Clock, WorkflowId};
use tenantry_store::control::Claim;
use tenantry_store::{Control, StoreError};

use crate::{Definition, Fault, Faults, Moment, StepError};

/// How the engine paces itself.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// How long a run is one process's alone without a sign of life. After a crash the run is
    /// taken up again when this has passed.
    pub lease: Duration,
    /// Tries of one step before it counts as failed for good.
    pub attempts: i64,
    /// The pause after the first failed try; doubled with each further one.
    pub pause: Duration,
    /// The longest pause.
    pub longest: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(15),
            attempts: 8,
            pause: Duration::from_millis(250),
            longest: Duration::from_secs(30),
        }
    }
}

/// Where a run was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It ended in this state.
    Ended(WorkflowState),
    /// It goes on later.
    Deferred,
    /// Somebody else has it, or it was not due.
    Elsewhere,
}

/// The engine's own errors; a step's are in the run's log.
#[derive(Debug, thiserror::Error)]
pub enum SagaError {
    /// The control database could not do its part.
    #[error("the workflow's record could not be read or written")]
    Store(#[from] StoreError),
    /// A run that this program has no steps for.
    #[error(
        "workflow {kind} version {version} is not known to this program; was it recorded by a newer one?"
    )]
    Unknown {
        /// The kind.
        kind: String,
        /// The version.
        version: i64,
    },
}

/// Why a run is given up by this process without having ended.
enum Interrupted {
    /// The lease went to somebody else.
    Lost,
    Saga(SagaError),
}

impl<E: Into<SagaError>> From<E> for Interrupted {
    fn from(error: E) -> Self {
        Self::Saga(error.into())
    }
}

/// The engine over one definition.
pub struct Engine<D> {
    control: Control,
    definition: D,
    clock: Clock,
    pace: Pace,
    faults: Faults,
}

impl<D: Definition> Engine<D> {
    /// An engine that keeps its records in `control`.
    pub const fn new(
        control: Control,
        definition: D,
        clock: Clock,
        pace: Pace,
        faults: Faults,
    ) -> Self {
        Self {
            control,
            definition,
            clock,
            pace,
            faults,
        }
    }

    /// The steps it drives.
    pub const fn definition(&self) -> &D {
        &self.definition
    }

    /// Runs that are due and nobody has, the longest waiting first.
    pub async fn list_due(&self, limit: i64) -> Result<Vec<WorkflowId>, SagaError> {
        Ok(self
            .control
            .read()
            .await?
            .workflows()
            .list_due(self.clock.now(), limit)
            .await?)
    }

    /// Takes up one run and drives it until it ends, must pause, or is lost to somebody else.
    pub async fn run(&self, id: WorkflowId) -> Result<Outcome, SagaError> {
        let now = self.clock.now();
        let mut tx = self.control.begin().await?;
        let claim = tx.workflows().claim(id, now, now + self.pace.lease).await?;
        tx.commit().await?;
        let Some(claim) = claim else {
            return Ok(Outcome::Elsewhere);
        };
        match Box::pin(self.drive(claim)).await {
            Ok(outcome) => Ok(outcome),
            Err(Interrupted::Lost) => Ok(Outcome::Elsewhere),
            Err(Interrupted::Saga(error)) => Err(error),
        }
    }

    async fn drive(&self, claim: Claim) -> Result<Outcome, Interrupted> {
        let run = &claim.run;
        let Some(steps) = self.definition.steps(&run.kind, run.version) else {
            return Err(Interrupted::Saga(self.leave(&claim).await?));
        };
        let log = self.control.read().await?.workflows().log(run.id).await?;
        if run.state == WorkflowState::Undoing {
            return self.back(&claim, steps, &log, run.attempts).await;
        }
        match self.forward(&claim, steps, &log).await? {
            Progress::Done => self.finish(&claim, WorkflowState::Succeeded, None).await,
            Progress::Deferred => Ok(Outcome::Deferred),
            Progress::Failed { step, error } => {
                if !self.definition.turns_back(&run.kind) {
                    return self.stick(&claim, &step, &error).await;
                }
                let mut tx = self.control.begin().await?;
                let held = tx
                    .workflows()
                    .turn_back((run.id, claim.fence), &error)
                    .await?;
                tx.commit().await?;
                if !held {
                    return Err(Interrupted::Lost);
                }
                let log = self.control.read().await?.workflows().log(run.id).await?;
                // The tries that forward took are no reason to give up sooner on the way back.
                self.back(&claim, steps, &log, 0).await
            }
        }
    }

    async fn forward(
        &self,
        claim: &Claim,
        steps: &'static [&'static str],
        log: &[LogEntry],
    ) -> Result<Progress, Interrupted> {
        let mut attempts = claim.run.attempts;
        for step in steps {
            let last = log
                .iter()
                .rev()
                .find(|entry| entry.step == *step)
                .map(|entry| entry.event);
            if last == Some(LogEvent::Succeeded) {
                continue;
            }
            // Begun before and its end not recorded: it may have happened.
            let happened = match last {
                Some(LogEvent::Started | LogEvent::Failed | LogEvent::Stuck) => {
                    self.guarded(claim, self.definition.probe(&claim.run, step))
                        .await?
                }
                _ => Ok(false),
            };
            let result = match happened {
                Ok(true) => Ok(()),
                Err(error) => Err(error),
                Ok(false) => {
                    self.append(claim, step, LogEvent::Started, None).await?;
                    self.guarded(claim, self.step_forward(claim, step)).await?
                }
            };
            match result {
                Ok(()) => self.append(claim, step, LogEvent::Succeeded, None).await?,
                Err(error) => {
                    self.append(claim, step, LogEvent::Failed, Some(&error.to_string()))
                        .await?;
                    attempts += 1;
                    return match error {
                        StepError::Retry(text) if attempts < self.pace.attempts => {
                            self.defer(claim, attempts, &text).await?;
                            Ok(Progress::Deferred)
                        }
                        StepError::Retry(text) | StepError::Fatal(text) => Ok(Progress::Failed {
                            step: (*step).to_owned(),
                            error: text,
                        }),
                    };
                }
            }
            attempts = 0;
        }
        Ok(Progress::Done)
    }

    async fn step_forward(&self, claim: &Claim, step: &str) -> Result<(), StepError> {
        let kind = &claim.run.kind;
        self.fault(kind, step, Moment::BeforeForward).await?;
        self.definition.forward(&claim.run, step).await?;
        if self.faults.twice {
            self.definition.forward(&claim.run, step).await?;
        }
        self.fault(kind, step, Moment::AfterForward).await
    }

    async fn back(
        &self,
        claim: &Claim,
        steps: &'static [&'static str],
        log: &[LogEntry],
        mut attempts: i64,
    ) -> Result<Outcome, Interrupted> {
        for step in steps.iter().rev() {
            let begun = log.iter().any(|entry| entry.step == *step);
            let undone = log
                .iter()
                .rev()
                .find(|entry| entry.step == *step)
                .map(|entry| entry.event)
                == Some(LogEvent::UndoFinished);
            if !begun || undone {
                continue;
            }
            self.append(claim, step, LogEvent::UndoStarted, None)
                .await?;
            match self.guarded(claim, self.step_back(claim, step)).await? {
                Ok(()) => {
                    self.append(claim, step, LogEvent::UndoFinished, None)
                        .await?;
                }
                Err(error) => {
                    self.append(claim, step, LogEvent::Failed, Some(&error.to_string()))
                        .await?;
                    attempts += 1;
                    return match error {
                        StepError::Retry(text) if attempts < self.pace.attempts => {
                            self.defer(claim, attempts, &text).await?;
                            Ok(Outcome::Deferred)
                        }
                        StepError::Retry(text) | StepError::Fatal(text) => {
                            self.stick(claim, step, &text).await
                        }
                    };
                }
            }
            attempts = 0;
        }
        self.finish(claim, WorkflowState::Undone, None).await
    }

    async fn step_back(&self, claim: &Claim, step: &str) -> Result<(), StepError> {
        self.fault(&claim.run.kind, step, Moment::BeforeUndo)
            .await?;
        self.definition.undo(&claim.run, step).await?;
        if self.faults.twice {
            self.definition.undo(&claim.run, step).await?;
        }
        Ok(())
    }

    /// Runs part of a step and shows signs of life meanwhile, so that nobody else takes the run.
    async fn guarded<T>(
        &self,
        claim: &Claim,
        work: impl Future<Output = Result<T, StepError>>,
    ) -> Result<Result<T, StepError>, Interrupted> {
        // Both go on side by side: a step may hold the only connection that writes, which a sign of
        // life would otherwise wait for while the step itself stands still.
        tokio::select! {
            biased;
            result = work => Ok(result),
            interrupted = self.show_life(claim) => Err(interrupted),
        }
    }

    /// Renews the lease again and again; why that ended.
    async fn show_life(&self, claim: &Claim) -> Interrupted {
        loop {
            tokio::time::sleep(self.pace.lease / 3).await;
            match self.renew(claim).await {
                Ok(true) => {}
                Ok(false) => return Interrupted::Lost,
                // Should the lease end meanwhile, the fence keeps this engine from writing.
                Err(error) if error.is_transient() => {}
                Err(error) => return error.into(),
            }
        }
    }

    async fn fault(&self, kind: &str, step: &str, moment: Moment) -> Result<(), StepError> {
        match self.faults.at(kind, step, moment) {
            None => Ok(()),
            Some(Fault::Retry) => Err(StepError::Retry(format!("injected at {step} {moment:?}"))),
            Some(Fault::Fatal) => Err(StepError::Fatal(format!("injected at {step} {moment:?}"))),
            Some(Fault::Halt) => std::future::pending().await,
        }
    }

    async fn stick(&self, claim: &Claim, step: &str, error: &str) -> Result<Outcome, Interrupted> {
        tracing::error!(
            workflow.id = %claim.run.id, workflow.kind = claim.run.kind, step, error,
            "a workflow is stuck; see `tenantry workflow show`"
        );
        if let Err(error) = self.definition.stuck(&claim.run).await {
            tracing::error!(workflow.id = %claim.run.id, %error, "a stuck workflow could not be marked on its tenant");
        }
        self.append(claim, step, LogEvent::Stuck, Some(error))
            .await?;
        self.finish(claim, WorkflowState::Stuck, Some(error)).await
    }
}

enum Progress {
    Done,
    Deferred,
    Failed { step: String, error: String },
}
