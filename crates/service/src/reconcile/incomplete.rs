//! Tenants that were never finished, and saying so once.

use std::collections::HashSet;

use tenantry_core::tenant::Tenant;
use tenantry_core::webhooks::EventKind;
use tenantry_core::workflow::WorkflowState;
use tenantry_core::{TenantStatus, Timestamp, WorkflowId};
use tenantry_store::ControlTx;

use crate::check::MAKING;
use crate::{Refusal, Service};

/// The most incomplete tenants looked at in one go. More of them say no more.
const MOST: i64 = 1000;

/// A tenant that was never finished.
#[derive(Debug, Clone)]
pub struct Incomplete {
    /// The tenant.
    pub tenant: Tenant,
    /// The workflow that makes it, where there is one.
    pub workflow: Option<WorkflowId>,
    /// Since when it is in the making.
    pub since: Timestamp,
    /// Why it is not done, for an operator.
    pub why: String,
}

impl Service {
    /// Tenants whose making failed, stands still, or takes longer than ten minutes, in the order
    /// they were made; at most a thousand.
    pub async fn incomplete_tenants(&self) -> Result<Vec<Incomplete>, Refusal> {
        let before = self.clock().now() - MAKING;
        let mut control = self.control().read().await?;
        let tenants = control.tenants().list_incomplete(before, MOST).await?;
        let mut all = Vec::with_capacity(tenants.len());
        for tenant in tenants {
            let run = control.workflows().find_unfinished(tenant.id).await?;
            let error = run.as_ref().and_then(|run| run.error.clone());
            let why = match run.as_ref().map(|run| run.state) {
                None if tenant.status == TenantStatus::Failed => "it could not be made".to_owned(),
                None => "no workflow is at it".to_owned(),
                Some(WorkflowState::Stuck) => {
                    error.unwrap_or_else(|| "its workflow stands still".to_owned())
                }
                Some(_) => error.unwrap_or_else(|| "its workflow takes too long".to_owned()),
            };
            all.push(Incomplete {
                workflow: run.as_ref().map(|run| run.id),
                since: run.map_or(tenant.created_at, |run| run.created_at),
                tenant,
                why,
            });
        }
        Ok(all)
    }

    /// Announces tenants that are newly incomplete, and forgets those that are no more; how many
    /// were announced. Which process notes a tenant first is decided by the registry, so that each
    /// is announced once, however many processes watch.
    pub async fn watch_incomplete(&self) -> Result<usize, Refusal> {
        let incomplete = self.incomplete_tenants().await?;
        let noted = self
            .control()
            .read()
            .await?
            .reconciler()
            .list_noted()
            .await?;
        let now: HashSet<_> = incomplete
            .iter()
            .map(|each| (each.tenant.id, each.tenant.generation))
            .collect();
        let known: HashSet<_> = noted.iter().copied().collect();
        let mut announced = 0;
        for each in &incomplete {
            if !known.contains(&(each.tenant.id, each.tenant.generation)) {
                announced += usize::from(self.note_incomplete(each).await?);
            }
        }
        let finished: Vec<_> = noted.iter().filter(|key| !now.contains(key)).collect();
        if !finished.is_empty() {
            let mut tx = self.control().begin().await?;
            for (tenant, generation) in finished {
                tx.reconciler()
                    .forget_incomplete(*tenant, *generation)
                    .await?;
            }
            tx.commit().await?;
        }
        self.refresh_overview(incomplete.len()).await?;
        Ok(announced)
    }

    async fn note_incomplete(&self, incomplete: &Incomplete) -> Result<bool, Refusal> {
        let (id, generation) = (incomplete.tenant.id, incomplete.tenant.generation);
        let mut tx = self.control().begin().await?;
        // Purged meanwhile, there is nothing to announce.
        if tx.tenants().lookup(id).await?.is_none() {
            return Ok(false);
        }
        let now = self.clock().now();
        if !tx.reconciler().note_incomplete(id, generation, now).await? {
            return Ok(false);
        }
        self.announce_incomplete(&mut tx, incomplete).await?;
        tx.commit().await?;
        Ok(true)
    }
}

impl Service {
    /// Tells that a tenant is incomplete: the log, and receivers outside. The one place for it;
    /// called once for each, inside the transaction that notes it.
    async fn announce_incomplete(
        &self,
        tx: &mut ControlTx,
        incomplete: &Incomplete,
    ) -> Result<(), Refusal> {
        let Incomplete {
            tenant,
            workflow,
            since,
            why,
        } = incomplete;
        tracing::error!(
            tenant.id = %tenant.id, tenant.slug = %tenant.slug, tenant.status = %tenant.status,
            workflow.id = workflow.as_ref().map(tracing::field::display), %since, why,
            "tenant {} is incomplete; `tenantry tenant check {}` tells more", tenant.slug, tenant.slug
        );
        let event = EventKind::TenantIncomplete;
        let told = self.shared().announce_trouble(tx, event, tenant, why);
        Ok(told.await?)
    }
}
