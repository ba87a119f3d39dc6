//! What each step does. Every one can be repeated, and meets its own earlier half kindly.

mod adopted;
mod database;
mod opening;
mod people;
mod records;

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tenantry_core::Generation;
use tenantry_saga::StepError;
use tenantry_store::TenantCtx;
use tenantry_store::control::Run;
use tenantry_store::homes::Home;

use super::{OwnerPlan, Plan};
use crate::keyring::UnsealError;
use crate::refusal::Chain;
use crate::service::Shared;

/// The steps, over what the use cases share.
pub(crate) struct Steps(pub(crate) Arc<Shared>);

pub(super) fn fatal(what: &str) -> impl FnOnce(&dyn std::fmt::Display) -> StepError + '_ {
    move |error| StepError::Fatal(format!("{what}: {error}"))
}

impl Steps {
    pub(super) fn plan(run: &Run) -> Result<Plan, StepError> {
        serde_json::from_str(&run.params)
            .map_err(|error| fatal("the workflow's plan can't be read")(&error))
    }

    async fn owner(&self, plan: &Plan) -> Result<OwnerPlan, StepError> {
        let sealed = plan
            .owner
            .as_deref()
            .ok_or_else(|| StepError::Fatal("the plan has no owner".to_owned()))?;
        let sealed = STANDARD
            .decode(sealed)
            .map_err(|error| fatal("the owner can't be read")(&error))?;
        let opened = self
            .0
            .keyring
            .open_sealed(&sealed, &owner_context(plan))
            .await
            .map_err(|error| match error {
                // The keys could not be read just now; the owner may open the next time.
                UnsealError::Keys(_) => StepError::Retry(Chain(&error).to_string()),
                UnsealError::Sealed(_) => fatal("the owner can't be unsealed")(&error),
            })?;
        serde_json::from_slice(opened.expose())
            .map_err(|error| fatal("the owner can't be read")(&error))
    }

    /// The tenant in the generation the plan is for.
    async fn ctx(&self, plan: &Plan) -> Result<TenantCtx, StepError> {
        let ctx = self
            .0
            .control
            .read()
            .await?
            .tenants()
            .enter_regardless_of_status(plan.tenant)
            .await?;
        ctx.filter(|ctx| ctx.generation() == plan.generation)
            .ok_or_else(|| {
                StepError::Fatal(format!(
                    "tenant {} has no generation {}",
                    plan.slug, plan.generation
                ))
            })
    }

    /// Where a generation of the plan's tenant lies.
    async fn home(&self, plan: &Plan, generation: Generation) -> Result<Home<'_>, StepError> {
        Ok(self
            .0
            .pools
            .home(plan.tenant, generation, plan.isolation)
            .await?)
    }
}

/// What the sealed owner is bound to, so that it opens in this tenant's plan alone.
pub(crate) fn owner_context(plan: &Plan) -> Vec<u8> {
    format!("owner:{}:{}", plan.tenant, plan.generation).into_bytes()
}
