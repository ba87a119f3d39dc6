//! One change of an application's credentials, from asking whether it can be to showing them.

use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tenantry_core::credential::CredentialState;
use tenantry_core::tenant::Tenant;
use tenantry_core::workflow::WorkflowState;
use tenantry_core::{Generation, Secret, TenantId, WorkflowId};
use tenantry_store::cluster::Placement;

use super::{Access, Turns, check_rotatable};
use crate::workflows::{ROTATE, Rotation, VERSION};
use crate::{Refusal, Service};

/// What is escaped in a URL's path: all but what RFC 3986, section 2.3 leaves alone.
const IN_PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// How much longer than a run may switch somebody waits for it.
const PATIENCE: Duration = Duration::from_secs(15);

/// How long an earlier change is waited for that may be about to end.
const SETTLING: Duration = Duration::from_secs(1);

impl Service {
    /// Makes new credentials, switches to them, and shows them.
    pub(crate) async fn rotate(&self, tenant: &Tenant) -> Result<Access, Refusal> {
        self.expect_free(tenant).await?;
        let (workflow, rotation) = self.begin_rotation(tenant).await?;
        let wait = self.settings().pace.lease + PATIENCE;
        let state = self.drive(workflow, wait).await?;
        if let Some(access) = self.access(&rotation).await? {
            return Ok(access);
        }
        Err(match state {
            WorkflowState::Running | WorkflowState::Undoing => {
                Refusal::Busy(self.settings().pace.lease)
            }
            WorkflowState::Succeeded | WorkflowState::Undone | WorkflowState::Stuck => {
                self.gave_up(workflow).await
            }
        })
    }

    /// Refuses while an earlier change is under way or drains. What was left of one whose process is
    /// gone, or has drained long enough, is cleared up on the way.
    pub(crate) async fn expect_free(&self, tenant: &Tenant) -> Result<(), Refusal> {
        self.settle_earlier(tenant).await?;
        let now = self.clock().now();
        let turns = self.turns(tenant.id, tenant.generation).await?;
        if let Some(until) = turns
            .retires_at(self.settings().drain)
            .filter(|until| *until > now)
        {
            return Err(Refusal::ConflictFor(
                format!(
                    "the credentials before the present ones work until {until}; then they can be changed again"
                ),
                until.since(now),
            ));
        }
        match &turns.retiring {
            Some(retiring) => self.expect_ended(retiring, tenant.isolation).await,
            None => Ok(()),
        }
    }

    pub(super) async fn turns(
        &self,
        id: TenantId,
        generation: Generation,
    ) -> Result<Turns, Refusal> {
        let mut tx = self.control().read().await?;
        Ok(Turns::of(tx.credentials().list(id, generation).await?))
    }

    /// Takes an earlier change to its end, where the process that had it is gone; where it is not,
    /// that one will. New credentials that no run is at any more are withdrawn.
    async fn settle_earlier(&self, tenant: &Tenant) -> Result<(), Refusal> {
        let mut tx = self.control().read().await?;
        let run = tx.workflows().find_unfinished(tenant.id).await?;
        drop(tx);
        if let Some(run) = run.filter(|run| run.kind == ROTATE) {
            if run.state == WorkflowState::Stuck {
                self.engine().retry(&run).await?;
            }
            return match self.drive(run.id, SETTLING).await? {
                WorkflowState::Running | WorkflowState::Undoing | WorkflowState::Stuck => {
                    Err(Refusal::ConflictFor(
                        "another change of these credentials is under way".to_owned(),
                        self.settings().pace.lease,
                    ))
                }
                WorkflowState::Succeeded | WorkflowState::Undone => Ok(()),
            };
        }
        let turns = self.turns(tenant.id, tenant.generation).await?;
        if turns.pending.is_none() {
            return Ok(());
        }
        let mut tx = self.control().begin().await?;
        // Under the lock: one that began since has its run beside it.
        if tx.workflows().find_unfinished(tenant.id).await?.is_none() {
            let all = tx.credentials().list(tenant.id, tenant.generation).await?;
            if let Some(pending) = Turns::of(all).pending {
                let to = CredentialState::Retiring;
                tx.credentials()
                    .change_state(&pending, to, self.clock().now())
                    .await?;
            }
        }
        Ok(tx.commit().await?)
    }

    /// Records the new secret, sealed, and the run that is to give it to its login.
    async fn begin_rotation(&self, tenant: &Tenant) -> Result<(WorkflowId, Rotation), Refusal> {
        let now = self.clock().now();
        let workflow = WorkflowId::generate(self.clock(), self.entropy());
        let mut tx = self.control().begin().await?;
        // Looked at again under the lock.
        let there = tx.tenants().lookup(tenant.id).await?;
        let there = there.ok_or(Refusal::NotFound)?;
        check_rotatable(&mut tx, &there).await?;
        let all = tx.credentials().list(there.id, there.generation).await?;
        let turns = Turns::of(all);
        let rotation = Rotation {
            tenant: there.id,
            generation: there.generation,
            isolation: there.isolation,
            serial: turns.last + 1,
            until: now + self.settings().pace.lease,
        };
        let slot = turns.next();
        let placement = Placement::new(there.id, there.generation, there.isolation);
        let added = self
            .add_secret(&mut tx, placement, rotation.serial, slot)
            .await?;
        let params = serde_json::to_string(&rotation)
            .map_err(Refusal::failed("a plan could not be recorded"))?;
        let alone = tx
            .workflows()
            .add(workflow, ROTATE, VERSION, Some(there.id), &params, now)
            .await?;
        if !added || !alone {
            return Err(Refusal::ConflictFor(
                "other work on this tenant is under way; `tenantry workflow list` shows it"
                    .to_owned(),
                self.settings().pace.lease,
            ));
        }
        tx.commit().await?;
        Ok((workflow, rotation))
    }

    /// The new credentials, once they are the ones to use.
    async fn access(&self, rotation: &Rotation) -> Result<Option<Access>, Refusal> {
        let (tenant, generation) = (rotation.tenant, rotation.generation);
        let mut tx = self.control().read().await?;
        let (all, new) = rotation.look(&mut tx).await?;
        let Some(new) = new.filter(|new| new.state == CredentialState::Active) else {
            return Ok(None);
        };
        let record = tx.databases().lookup(tenant, generation).await?;
        let record = record.ok_or(Refusal::NotFound)?;
        let cluster = tx.clusters().find(&record.cluster).await?;
        let cluster = cluster.ok_or(Refusal::NotFound)?;
        drop(tx);
        let password = self.clusters()?.password(&new).await?;
        let turns = Turns::of(all);
        let old = turns.retires_at(self.settings().drain);
        let old = turns
            .retiring
            .zip(old)
            .map(|(old, until)| (old.name, until));
        let home = self
            .pools()
            .home(tenant, generation, rotation.isolation)
            .await?;
        let server = home.server().ok_or(Refusal::NotFound)?;
        let placement = server.placement();
        let database = server.cluster().database_of(placement);
        // One that was there before may be called anything.
        let in_url = utf8_percent_encode(&database, IN_PATH);
        let url = Secret::new(format!(
            "postgres://{}:{}@{}:{}/{in_url}",
            new.name,
            password.expose(),
            cluster.host,
            cluster.port
        ));
        Ok(Some(Access {
            host: cluster.host,
            port: cluster.port,
            database,
            schema: placement.application_schema().as_str().to_owned(),
            user: new.name,
            password,
            url,
            old,
        }))
    }
}
