//! A tenant's life after it was made.

use std::time::Duration;

use tenantry_core::tenant::{InvalidTransition, Tenant};
use tenantry_core::webhooks::EventKind;
use tenantry_core::workflow::WorkflowState;
use tenantry_core::{TenantId, TenantStatus, WorkflowId};
use tenantry_store::ControlTx;

use super::{NewOwner, TenantView};
use crate::clearing::{Cleared, TenantCleared};
use crate::clusters::Site;
use crate::nodes::CachesCleared;
use crate::password::Holder;
use crate::refusal::Chain;
use crate::sessions::Lapsed;
use crate::workflows::{PURGE, Plan, RECREATE, RESTORE, VERSION};
use crate::{Refusal, Service};

/// How long a deleted tenant can be restored.
const GRACE: Duration = Duration::from_hours(7 * 24);

/// How long an act waits for its workflow before it leaves it to the background.
const WAIT: Duration = Duration::from_secs(30);

/// What deleting came to.
pub struct Deleted {
    /// Sessions that were alive, and what processes kept of it in memory.
    pub cleared: Cleared,
    /// The tenant as it is now; `None` once it is purged.
    pub tenant: Option<TenantView>,
}

fn conflict(error: InvalidTransition) -> Refusal {
    Refusal::Conflict(error.to_string())
}

fn changed_meanwhile() -> Refusal {
    Refusal::Conflict("the tenant's status changed meanwhile; look again".to_owned())
}

impl Service {
    async fn tenant_in(&self, tx: &mut ControlTx, id: TenantId) -> Result<Tenant, Refusal> {
        tx.tenants().lookup(id).await?.ok_or(Refusal::NotFound)
    }

    /// Keeps everybody out, the tenant's own applications too; nothing is lost.
    pub async fn suspend_tenant(&self, id: TenantId) -> Result<TenantView, Refusal> {
        self.change_status(id, TenantStatus::suspend).await
    }

    /// Lets people and applications in again, with what they had.
    pub async fn resume_tenant(&self, id: TenantId) -> Result<TenantView, Refusal> {
        self.change_status(id, TenantStatus::resume).await
    }

    async fn change_status(
        &self,
        id: TenantId,
        transition: fn(TenantStatus) -> Result<TenantStatus, InvalidTransition>,
    ) -> Result<TenantView, Refusal> {
        let mut tx = self.control().begin().await?;
        let tenant = self.tenant_in(&mut tx, id).await?;
        let to = transition(tenant.status).map_err(conflict)?;
        if !tx.tenants().change_status(id, tenant.status, to).await? {
            return Err(changed_meanwhile());
        }
        let event = if to == TenantStatus::Suspended {
            EventKind::TenantSuspended
        } else {
            EventKind::TenantResumed
        };
        let tenant = Tenant {
            status: to,
            ..tenant
        };
        let told = self.shared().announce_tenant(&mut tx, event, &tenant);
        told.await?;
        tx.commit().await?;
        self.follow_status(&tenant).await;
        self.view(id).await
    }

    /// Deletes a tenant with a grace, or, with `purge`, for good.
    pub async fn delete_tenant(&self, id: TenantId, purge: bool) -> Result<Deleted, Refusal> {
        let now = self.clock().now();
        let sessions = self.live_sessions(id).await;
        let mut tx = self.control().begin().await?;
        let tenant = self.tenant_in(&mut tx, id).await?;
        if !purge {
            tenant.status.delete().map_err(conflict)?;
            if !tx
                .tenants()
                .mark_deleted(id, tenant.status, now, now + GRACE)
                .await?
            {
                return Err(changed_meanwhile());
            }
            tx.outbox()
                .remove_waiting(id, now + Duration::from_micros(1))
                .await?;
            let after = Tenant {
                status: TenantStatus::Deleted,
                deleted_at: Some(now),
                purge_at: Some(now + GRACE),
                ..tenant.clone()
            };
            let event = EventKind::TenantDeleted;
            let told = self.shared().announce_tenant(&mut tx, event, &after);
            told.await?;
            tx.commit().await?;
            self.pools().close(id, tenant.generation).await;
            self.follow_status(&after).await;
            // They count no more since the commit.
            self.end_lapsed(Lapsed::OfTenant(id, tenant.generation))
                .await;
            return Ok(Deleted {
                cleared: self.cleared_with(&tenant, sessions).await,
                tenant: Some(self.view(id).await?),
            });
        }
        let workflow = self.begin_purge(&mut tx, &tenant).await?;
        tx.commit().await?;
        match self.drive(workflow, WAIT).await? {
            WorkflowState::Succeeded => Ok(Deleted {
                cleared: self.cleared_with(&tenant, sessions).await,
                tenant: None,
            }),
            WorkflowState::Running | WorkflowState::Undoing => Ok(Deleted {
                cleared: self.cleared_with(&tenant, sessions).await,
                tenant: Some(self.view(id).await?),
            }),
            WorkflowState::Undone | WorkflowState::Stuck => Err(self.gave_up(workflow).await),
        }
    }

    async fn begin_purge(
        &self,
        tx: &mut ControlTx,
        tenant: &Tenant,
    ) -> Result<WorkflowId, Refusal> {
        let to = tenant.status.purge().map_err(conflict)?;
        if tenant.status != TenantStatus::Purging
            && !tx
                .tenants()
                .change_status(tenant.id, tenant.status, to)
                .await?
        {
            return Err(changed_meanwhile());
        }
        if !matches!(tenant.status, TenantStatus::Deleted | TenantStatus::Purging) {
            let after = Tenant {
                status: to,
                ..tenant.clone()
            };
            let event = EventKind::TenantDeleted;
            self.shared().announce_tenant(tx, event, &after).await?;
        }
        let plan = plan_for(tenant, tenant.generation, self.clock().now());
        self.record(tx, PURGE, &plan).await
    }

    /// How many of a tenant's sessions are alive, to be told beside what is done to the tenant. None
    /// where they can't be counted now, which keeps nobody from doing it.
    async fn live_sessions(&self, id: TenantId) -> u64 {
        let counted = self.sessions_store().count_live(id, self.clock().now());
        counted.await.unwrap_or_else(|error| {
            tracing::warn!(tenant.id = %id, error = %Chain(&error), "a tenant's sessions can't be counted; they are told as none");
            0
        })
    }

    /// Takes out what processes keep of a tenant; told together with the sessions that ended. None of
    /// it counts any more, so that a fault on the way is no reason to refuse what was done.
    async fn cleared_with(&self, tenant: &Tenant, sessions: u64) -> Cleared {
        let caches = self.clear_caches(Some(tenant.id)).await;
        let caches = caches.unwrap_or_else(|error| {
            tracing::warn!(tenant.id = %tenant.id, error = %Chain(&error), "what other processes keep of a tenant is not cleared; it counts no more all the same");
            CachesCleared::default()
        });
        Cleared {
            tenants: vec![TenantCleared {
                id: tenant.id,
                slug: tenant.slug.clone(),
                cache_keys: caches.total(),
                sessions,
            }],
            silent: caches.silent,
            ..Cleared::default()
        }
    }

    /// Brings a deleted tenant back, under the next generation: what was handed out before the
    /// deletion stays void.
    ///
    /// So is the setup link of an owner who never used it; such a one gets a new link. With the tenant
    /// comes what ended: mostly nothing, since deleting it ended what there was.
    pub async fn restore_tenant(&self, id: TenantId) -> Result<(TenantView, Cleared), Refusal> {
        let tenant = self.view(id).await?.tenant;
        tenant.status.restore().map_err(conflict)?;
        let owner = self.invite_again(&tenant).await;
        let owner = self.unless_changed(&tenant, owner).await?;
        let sessions = self.live_sessions(id).await;
        let mut tx = self.control().begin().await?;
        let mut plan = self.next_generation(&mut tx, &tenant).await?;
        if let Some(owner) = owner {
            self.seal_owner(&mut plan, &owner)?;
        }
        let workflow = self.record(&mut tx, RESTORE, &plan).await?;
        tx.commit().await?;
        self.pools().close(id, tenant.generation).await;
        let restored = self.finished(id, workflow).await?;
        Ok((restored, self.cleared_with(&tenant, sessions).await))
    }

    /// Drops the tenant's database and makes it anew with a fresh owner; where none is named, with the
    /// first of those who can get in now. With the tenant comes what ended.
    pub async fn recreate_tenant<'a>(
        &self,
        id: TenantId,
        owner: impl Into<Option<&'a NewOwner>>,
    ) -> Result<(TenantView, Cleared), Refusal> {
        let tenant = self.view(id).await?.tenant;
        tenant.status.recreate().map_err(conflict)?;
        let owner = if let Some(owner) = owner.into() {
            owner.clone()
        } else {
            let first = self.first_owner(id).await;
            self.unless_changed(&tenant, first).await?
        };
        let owner = self
            .owner_plan(
                &owner,
                (id, tenant.generation.next()),
                None,
                Holder::in_tenant(&tenant),
            )
            .await?;
        let sessions = self.live_sessions(id).await;
        let mut tx = self.control().begin().await?;
        let mut plan = self.next_generation(&mut tx, &tenant).await?;
        self.seal_owner(&mut plan, &owner)?;
        self.reserve_owner(&mut tx, &plan, owner.id, &owner.email)
            .await?;
        let workflow = self.record(&mut tx, RECREATE, &plan).await?;
        tx.commit().await?;
        self.pools().close(id, tenant.generation).await;
        let made = self.finished(id, workflow).await?;
        Ok((made, self.cleared_with(&tenant, sessions).await))
    }

    /// What was read in a tenant's database, unless it could not be read since somebody else was faster: his
    /// act gives the database to another generation.
    async fn unless_changed<T>(
        &self,
        tenant: &Tenant,
        read: Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        if !matches!(read, Err(Refusal::TenantUnavailable)) {
            return read;
        }
        let now = self.view(tenant.id).await?.tenant;
        if (now.status, now.generation) == (tenant.status, tenant.generation) {
            read
        } else {
            Err(changed_meanwhile())
        }
    }

    /// Raises the generation: from the commit on nothing of the earlier one counts.
    async fn next_generation(&self, tx: &mut ControlTx, tenant: &Tenant) -> Result<Plan, Refusal> {
        let now = self.clock().now();
        if !tx
            .tenants()
            .begin_generation(tenant.id, tenant.status, tenant.generation)
            .await?
        {
            return Err(changed_meanwhile());
        }
        let generation = tenant.generation.next();
        // A tenant stays where it is.
        let before = tx.databases().list(tenant.id).await?;
        let site = before.first().map_or(Site::Local, Site::of);
        let next = (tenant.id, generation, tenant.isolation);
        tx.databases()
            .add(&site.record(next.0, next.1, next.2), now)
            .await?;
        self.reserve_service_role(tx, &site, next).await?;
        let mut plan = plan_for(tenant, generation, now);
        plan.previous = Some(tenant.generation);
        Ok(plan)
    }

    async fn record(
        &self,
        tx: &mut ControlTx,
        kind: &str,
        plan: &Plan,
    ) -> Result<WorkflowId, Refusal> {
        let id = WorkflowId::generate(self.clock(), self.entropy());
        let params =
            serde_json::to_string(plan).map_err(Refusal::failed("a plan could not be recorded"))?;
        self.give_up_stuck(tx, plan.tenant, kind).await?;
        if tx
            .workflows()
            .add(id, kind, VERSION, Some(plan.tenant), &params, plan.at)
            .await?
        {
            return Ok(id);
        }
        Err(Refusal::Conflict(
            "other work on this tenant is not finished; `tenantry workflow list` shows it"
                .to_owned(),
        ))
    }

    /// Ends work on a tenant that stands still: what is asked for now takes its place. Without
    /// this a tenant whose work failed could neither be made anew nor removed.
    async fn give_up_stuck(
        &self,
        tx: &mut ControlTx,
        tenant: TenantId,
        kind: &str,
    ) -> Result<(), Refusal> {
        let stuck = tx.workflows().find_unfinished(tenant).await?;
        let Some(run) = stuck.filter(|run| run.state == WorkflowState::Stuck) else {
            return Ok(());
        };
        let now = self.clock().now();
        tx.workflows()
            .retry(run.id, WorkflowState::Undoing, now)
            .await?;
        if let Some(claim) = tx.workflows().claim(run.id, now, now).await? {
            let claim = (run.id, claim.fence);
            let why = format!("given up: {kind} took its place");
            tx.workflows()
                .finish(claim, WorkflowState::Undone, Some(&why), now)
                .await?;
        }
        Ok(())
    }

    async fn finished(&self, id: TenantId, workflow: WorkflowId) -> Result<TenantView, Refusal> {
        match self.drive(workflow, WAIT).await? {
            WorkflowState::Succeeded => self.view(id).await,
            WorkflowState::Running | WorkflowState::Undoing => Ok(TenantView {
                workflow: Some(workflow),
                ..self.view(id).await?
            }),
            WorkflowState::Undone | WorkflowState::Stuck => Err(self.gave_up(workflow).await),
        }
    }

    /// Begins to purge deleted tenants whose grace has ended; how many.
    pub(crate) async fn purge_due(&self) -> Result<usize, Refusal> {
        let due = self
            .control()
            .read()
            .await?
            .tenants()
            .list_due_for_purge(self.clock().now(), 16)
            .await?;
        let mut begun = 0;
        for tenant in due {
            // Looked at again: it may have been restored since, or be another node's by now.
            let mut tx = self.control().begin().await?;
            let now = self.clock().now();
            let due = tx.tenants().lookup(tenant.id).await?.filter(|tenant| {
                tenant.status == TenantStatus::Deleted
                    && tenant.purge_at.is_some_and(|purge_at| purge_at <= now)
            });
            let Some(tenant) = due else { continue };
            match self.begin_purge(&mut tx, &tenant).await {
                Ok(_) => {
                    tx.commit().await?;
                    self.note_own_act("tenant.purge", Some(tenant.id)).await;
                    begun += 1;
                }
                Err(Refusal::Conflict(why)) => {
                    tracing::warn!(tenant.id = %tenant.id, why, "a tenant whose grace has ended is not purged yet");
                }
                Err(refusal) => return Err(refusal),
            }
        }
        Ok(begun)
    }
}

fn plan_for(
    tenant: &Tenant,
    generation: tenantry_core::Generation,
    at: tenantry_core::Timestamp,
) -> Plan {
    Plan {
        tenant: tenant.id,
        slug: tenant.slug.clone(),
        generation,
        isolation: tenant.isolation,
        previous: None,
        at,
        owner: None,
        people: None,
    }
}
