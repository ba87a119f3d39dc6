//! The workflows over registry and tenant databases, and the steps they share.

mod params;
mod steps;

use tenantry_core::workflow::WorkflowState;
use tenantry_saga::{Definition, StepError};
pub use tenantry_store::control::Run;

pub(crate) use params::{OwnerPlan, Plan, SetupPlan};
pub(crate) use steps::{Steps, owner_context};

/// Making a tenant.
pub(crate) const PROVISION: &str = "provision";
/// Making a tenant's database anew, with a fresh owner.
pub(crate) const RECREATE: &str = "recreate";
/// Bringing a deleted tenant back.
pub(crate) const RESTORE: &str = "restore";
/// Removing a tenant for good.
pub(crate) const PURGE: &str = "purge";

/// The present version of every workflow's steps. Raised when a list below changes, with the old
/// list kept for runs that were recorded under it.
pub(crate) const VERSION: i64 = 1;

const PROVISION_STEPS: &[&str] = &[
    "reserve",
    "create_database",
    "reserve_directory",
    "owner",
    "confirm_directory",
    "verify",
    "activate",
];

const RECREATE_STEPS: &[&str] = &[
    "end_sessions",
    "create_database",
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

impl Definition for Steps {
    fn steps(&self, kind: &str, version: i64) -> Option<&'static [&'static str]> {
        match (kind, version) {
            (PROVISION, VERSION) => Some(PROVISION_STEPS),
            (RECREATE, VERSION) => Some(RECREATE_STEPS),
            (RESTORE, VERSION) => Some(RESTORE_STEPS),
            (PURGE, VERSION) => Some(PURGE_STEPS),
            _ => None,
        }
    }

    fn turns_back(&self, kind: &str) -> bool {
        // The others begin by raising the generation, and that never goes back.
        kind == PROVISION
    }

    async fn probe(&self, run: &Run, step: &str) -> Result<bool, StepError> {
        let plan = Self::plan(run)?;
        match step {
            "reserve" => self.is_reserved(&plan).await,
            "create_database" | "carry_over_database" => self.is_created(&plan).await,
            "activate" => self.is_active(&plan).await,
            "remove_records" => self.are_records_gone(&plan).await,
            // Repeating the others costs no more than asking.
            _ => Ok(false),
        }
    }

    async fn forward(&self, run: &Run, step: &str) -> Result<(), StepError> {
        let plan = Self::plan(run)?;
        match step {
            "reserve" => self.expect_reserved(&plan).await,
            "create_database" => self.create_database(&plan).await,
            "carry_over_database" => self.carry_over_database(&plan).await,
            "reserve_directory" => self.reserve_directory(&plan).await,
            "carry_over_directory" => self.carry_over_directory(&plan).await,
            "owner" => self.add_owner(&plan).await,
            "confirm_directory" => self.confirm_directory(&plan).await,
            "verify" => self.verify(&plan).await,
            "activate" => self.activate(&plan).await,
            "remove_previous" => self.remove_previous(&plan).await,
            "end_sessions" => self.end_sessions(&plan, run.kind == PURGE).await,
            "remove_directory" => self.remove_directory(&plan).await,
            "remove_databases" => self.remove_databases(&plan).await,
            "remove_records" => self.remove_records(&plan).await,
            _ => Err(StepError::Fatal(format!("step {step} is not known"))),
        }
    }

    async fn undo(&self, run: &Run, step: &str) -> Result<(), StepError> {
        let plan = Self::plan(run)?;
        match step {
            "reserve" => self.remove_records(&plan).await,
            "create_database" => self.remove_database(&plan, plan.generation).await,
            "reserve_directory" => self.remove_directory(&plan).await,
            // The owner goes with the database, the mail was never written without the activation.
            "owner" | "confirm_directory" | "verify" => Ok(()),
            "activate" => self.deactivate(&plan).await,
            _ => Err(StepError::Fatal(format!("step {step} can't be undone"))),
        }
    }

    async fn stuck(&self, run: &Run) -> Result<(), StepError> {
        let plan = Self::plan(run)?;
        self.mark_failed(&plan).await
    }
}

/// Whether a run in this state will still be worked on by itself.
pub(crate) const fn is_moving(state: WorkflowState) -> bool {
    matches!(state, WorkflowState::Running | WorkflowState::Undoing)
}
