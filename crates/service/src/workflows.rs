//! The workflows over registry and tenant databases, and the steps they share.

mod params;
mod rotation;
mod steps;
mod told;

use std::time::Duration;

use tenantry_core::workflow::WorkflowState;
use tenantry_saga::{Definition, StepError};
pub use tenantry_store::control::Run;
use tokio::time::timeout;

pub(crate) use params::{OwnerPlan, PeoplePlan, Plan, SetupPlan};
pub(crate) use rotation::Rotation;
pub(crate) use steps::{Steps, owner_context};

/// Making a tenant.
pub(crate) const PROVISION: &str = "provision";
/// Making a tenant of a database that was there before.
pub(crate) const ADOPT: &str = "adopt";
/// Making a tenant's database anew, with a fresh owner.
pub(crate) const RECREATE: &str = "recreate";
/// Bringing a deleted tenant back.
pub(crate) const RESTORE: &str = "restore";
/// Removing a tenant for good.
pub(crate) const PURGE: &str = "purge";

/// Giving a tenant's applications new credentials.
pub(crate) const ROTATE: &str = "rotate";

/// The present version of every workflow's steps. Raised when a list below changes, with the old
/// list kept for runs that were recorded under it.
pub(crate) const VERSION: i64 = 2;

/// How long bringing an application's people along may take. Some thousand a second are usual, so
/// that this is room for a million and more.
const IMPORT: Duration = Duration::from_hours(1);

/// The version that knew files only.
const FILES_ONLY: i64 = 1;

const PROVISION_STEPS: &[&str] = &[
    "reserve",
    "make_roles",
    "create_database",
    "furnish_database",
    "admit_service",
    "stamp",
    "reserve_directory",
    "owner",
    "confirm_directory",
    "verify",
    "activate",
];

/// As making one; the database is the application's, and only what is the tenant's is made in it.
const ADOPT_STEPS: &[&str] = &[
    "reserve",
    "make_roles",
    "create_database",
    "furnish_database",
    "admit_service",
    "stamp",
    "reserve_directory",
    "import_people",
    "owner",
    "confirm_directory",
    "verify",
    "activate",
];

const RECREATE_STEPS: &[&str] = &[
    "end_sessions",
    "make_roles",
    "create_database",
    "furnish_database",
    "admit_service",
    "stamp",
    "reserve_directory",
    "owner",
    "confirm_directory",
    "verify",
    "activate",
    "remove_previous",
];

const RESTORE_STEPS: &[&str] = &[
    "end_sessions",
    "carry_over_database",
    "carry_over_directory",
    "owner",
    "verify",
    "activate",
    "remove_previous",
];

const PURGE_STEPS: &[&str] = &[
    "end_sessions",
    "remove_directory",
    "remove_databases",
    "remove_records",
];

const PROVISION_FILES: &[&str] = &[
    "reserve",
    "create_database",
    "reserve_directory",
    "owner",
    "confirm_directory",
    "verify",
    "activate",
];

const RECREATE_FILES: &[&str] = &[
    "end_sessions",
    "create_database",
    "reserve_directory",
    "owner",
    "confirm_directory",
    "verify",
    "activate",
    "remove_previous",
];

impl Definition for Steps {
    fn steps(&self, kind: &str, version: i64) -> Option<&'static [&'static str]> {
        match (kind, version) {
            (PROVISION, VERSION) => Some(PROVISION_STEPS),
            (ADOPT, VERSION) => Some(ADOPT_STEPS),
            (RECREATE, VERSION) => Some(RECREATE_STEPS),
            (RESTORE, FILES_ONLY | VERSION) => Some(RESTORE_STEPS),
            (PURGE, FILES_ONLY | VERSION) => Some(PURGE_STEPS),
            (ROTATE, VERSION) => Some(rotation::STEPS),
            (PROVISION, FILES_ONLY) => Some(PROVISION_FILES),
            (RECREATE, FILES_ONLY) => Some(RECREATE_FILES),
            _ => None,
        }
    }

    fn turns_back(&self, kind: &str) -> bool {
        // The others begin by raising the generation, and that never goes back.
        matches!(kind, PROVISION | ADOPT | ROTATE)
    }

    async fn probe(&self, run: &Run, step: &str) -> Result<bool, StepError> {
        if run.kind == ROTATE {
            return self.is_rotated(run, step).await;
        }
        let plan = Self::plan(run)?;
        match step {
            "reserve" => self.is_reserved(&plan).await,
            "create_database" => self.is_created(&plan).await,
            "carry_over_database" => self.is_carried_over(&plan).await,
            "activate" => self.is_active(&plan).await,
            "remove_records" => self.are_records_gone(&plan).await,
            // Repeating the others costs no more than asking.
            _ => Ok(false),
        }
    }

    async fn forward(&self, run: &Run, step: &str) -> Result<(), StepError> {
        self.within(step, Box::pin(self.step_forward(run, step)))
            .await
    }

    async fn undo(&self, run: &Run, step: &str) -> Result<(), StepError> {
        self.within(step, Box::pin(self.step_back(run, step))).await
    }

    async fn stuck(&self, run: &Run) -> Result<(), StepError> {
        if run.kind == ROTATE {
            // The tenant works as before.
            return Ok(());
        }
        let plan = Self::plan(run)?;
        self.mark_failed(&plan).await
    }
}

impl Steps {
    /// A step that gets no answer is given up and tried again: a connection that hangs would
    /// otherwise hold its run, whose lease is renewed all the while, for ever. The longest step
    /// asks a cluster for two things, the template and the roles; another enters a database and
    /// waits for its turn, the connection and the first answer.
    async fn within(
        &self,
        step: &str,
        work: impl Future<Output = Result<(), StepError>>,
    ) -> Result<(), StepError> {
        let (clusters, pools) = (self.0.settings.clusters, self.0.settings.pools);
        let limit = match step {
            // Each of its statements has its own limit; how many there are is the application's.
            "import_people" => IMPORT,
            _ => 2 * (clusters.budget + clusters.statement) + 3 * pools.wait,
        };
        let unanswered = |_| {
            let text = format!("{step} was not done within {limit:?}; does the server answer?");
            Err(StepError::Retry(text))
        };
        timeout(limit, work).await.unwrap_or_else(unanswered)
    }

    async fn step_forward(&self, run: &Run, step: &str) -> Result<(), StepError> {
        if run.kind == ROTATE {
            return self.rotate(run, step).await;
        }
        let plan = Self::plan(run)?;
        match step {
            "reserve" => self.expect_reserved(&plan).await,
            "make_roles" => self.make_roles(&plan).await,
            "create_database" => self.create_database(&plan).await,
            "furnish_database" => self.furnish_database(&plan).await,
            "admit_service" => self.admit_service(&plan).await,
            "stamp" => self.stamp(&plan).await,
            "carry_over_database" => self.carry_over_database(&plan).await,
            "reserve_directory" => self.reserve_directory(&plan).await,
            "carry_over_directory" => self.carry_over_directory(&plan).await,
            "import_people" => self.import_people(&plan).await,
            "owner" => self.add_owner(&plan).await,
            "confirm_directory" => self.confirm_directory(&plan).await,
            "verify" => self.verify(&plan).await,
            "activate" => self.activate(&plan, &run.kind).await,
            "remove_previous" => self.remove_previous(&plan).await,
            "end_sessions" => self.end_sessions(&plan, run.kind == PURGE).await,
            "remove_directory" => self.remove_directory(&plan).await,
            "remove_databases" => self.remove_databases(&plan).await,
            "remove_records" => self.remove_records(&plan, true).await,
            _ => Err(StepError::Fatal(format!("step {step} is not known"))),
        }
    }

    async fn step_back(&self, run: &Run, step: &str) -> Result<(), StepError> {
        if run.kind == ROTATE {
            return self.withdraw(run).await;
        }
        let plan = Self::plan(run)?;
        match step {
            "reserve" => self.remove_records(&plan, false).await,
            "make_roles" | "create_database" => self.remove_database(&plan, plan.generation).await,
            "reserve_directory" => self.remove_directory(&plan).await,
            // What is in the database goes with it, the mail was never written without the
            // activation.
            "furnish_database" | "admit_service" | "stamp" | "import_people" | "owner"
            | "confirm_directory" | "verify" => Ok(()),
            "activate" => self.deactivate(&plan).await,
            _ => Err(StepError::Fatal(format!("step {step} can't be undone"))),
        }
    }
}

/// Whether a run in this state will still be worked on by itself.
pub(crate) const fn is_moving(state: WorkflowState) -> bool {
    matches!(state, WorkflowState::Running | WorkflowState::Undoing)
}
