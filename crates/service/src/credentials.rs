//! The database credentials of a tenant's applications: two logins that take turns, so that there
//! is always one that works.
//!
//! The idle login gets a new secret, is tried, and is then the one to use; the other goes on working
//! until everybody has changed over. The record of each secret says how far it is, so whoever finds
//! it after a crash goes on from there.

mod drain;
mod link;
mod schedule;

use std::time::Duration;

use tenantry_core::credential::{CredentialState, Slot};
use tenantry_core::tenant::{Isolation, Tenant};
use tenantry_core::workflow::WorkflowState;
use tenantry_core::{Email, Generation, Secret, TenantId, TenantStatus, Timestamp, WorkflowId};
use tenantry_store::cluster::{RoleKind, generate_password};
use tenantry_store::clusters::credential_context;
use tenantry_store::control::{Credential, NewCredential};
use tenantry_store::ControlTx;

pub use link::CredentialsLinkView;

use crate::workflows::{ROTATE, Rotation, VERSION, login};
use crate::{Refusal, Service};

/// Where applications' own tables go.
const SCHEMA: &str = "app";

/// How much longer than a run may switch somebody waits for it.
const PATIENCE: Duration = Duration::from_secs(15);

/// One of the secrets that a login has or had; never the secret itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialView {
    /// The login's name.
    pub user: String,
    /// Whose it is.
    pub slot: Slot,
    /// Whether it counts.
    pub state: CredentialState,
    /// When it was drawn.
    pub created_at: Timestamp,
    /// When it stopped working.
    pub retired_at: Option<Timestamp>,
}

/// How new credentials reach whoever uses them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reveal {
    /// They are made and answered now.
    Now,
    /// The owners get a link by mail, and nothing changes until one of them uses it.
    ByMail,
}

/// New credentials, shown once. Has no `Debug`, since it holds a password.
#[derive(Clone)]
pub struct Access {
    /// The server's host.
    pub host: String,
    /// The server's port.
    pub port: u16,
    /// The database.
    pub database: String,
    /// Where the application's tables go.
    pub schema: String,
    /// The login.
    pub user: String,
    /// Its password.
    pub password: Secret<String>,
    /// All of it as one URL.
    pub url: Secret<String>,
    /// The login that it replaces, and until when that one works at most.
    pub old: Option<(String, Timestamp)>,
}

/// What came of asking for new credentials.
pub enum Rotated {
    /// Here they are.
    Shown(Box<Access>),
    /// A link went to these addresses.
    Mailed {
        /// Who got one.
        to: Vec<Email>,
        /// When the links run out.
        expires_at: Timestamp,
    },
}

/// An application's secrets that count, by what they are about to.
struct Turns {
    active: Option<Credential>,
    pending: Option<Credential>,
    retiring: Option<Credential>,
    /// The serial of the newest secret of all.
    last: i64,
}

impl Turns {
    fn of(all: Vec<Credential>) -> Self {
        let mut turns = Self {
            active: None,
            pending: None,
            retiring: None,
            last: all.first().map_or(0, |newest| newest.serial),
        };
        for one in all {
            let place = match one.state {
                _ if one.slot == Slot::Service => continue,
                CredentialState::Active => &mut turns.active,
                CredentialState::Pending => &mut turns.pending,
                CredentialState::Retiring => &mut turns.retiring,
                CredentialState::Retired => continue,
            };
            *place = Some(one);
        }
        turns
    }

    /// The slot whose turn it is.
    fn next(&self) -> Slot {
        self.active
            .as_ref()
            .map_or(Slot::A, |active| active.slot.other())
    }

    /// Until when the secret that retires works at most. One that nobody was ever shown has no such
    /// time: nobody uses it.
    fn retires_at(&self, drain: Duration) -> Option<Timestamp> {
        self.retiring.as_ref()?.activated_at?;
        Some(self.active.as_ref()?.activated_at? + drain)
    }
}

fn conflict(why: &str) -> Refusal {
    Refusal::Conflict(why.to_owned())
}

impl Service {
    /// Every secret of a tenant's logins, the newest first. None where the tenant lies in a file.
    pub async fn list_credentials(&self, id: TenantId) -> Result<Vec<CredentialView>, Refusal> {
        let mut tx = self.control().read().await?;
        let tenant = tx.tenants().lookup(id).await?.ok_or(Refusal::NotFound)?;
        let all = tx.credentials().list(id, tenant.generation).await?;
        Ok(all
            .into_iter()
            .map(|one| CredentialView {
                user: one.name,
                slot: one.slot,
                state: one.state,
                created_at: one.created_at,
                retired_at: one.retired_at,
            })
            .collect())
    }

    /// Gives a tenant's applications new credentials, or has its owners asked to.
    pub async fn rotate_credentials(
        &self,
        id: TenantId,
        reveal: Reveal,
    ) -> Result<Rotated, Refusal> {
        let tenant = self.rotatable(id).await?;
        match reveal {
            Reveal::Now => {
                let access = self.rotate(&tenant).await?;
                Ok(Rotated::Shown(Box::new(access)))
            }
            Reveal::ByMail => {
                self.expect_free(&tenant).await?;
                self.mail_credentials_links(&tenant).await
            }
        }
    }

    /// The tenant, if it has credentials that can be rotated.
    async fn rotatable(&self, id: TenantId) -> Result<Tenant, Refusal> {
        let mut tx = self.control().read().await?;
        let tenant = tx.tenants().lookup(id).await?.ok_or(Refusal::NotFound)?;
        check_rotatable(&mut tx, &tenant).await?;
        Ok(tenant)
    }

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

    /// Refuses while an earlier change is under way or drains. What was left of one that came to
    /// nothing, or has drained long enough, is cleared up on the way.
    pub(crate) async fn expect_free(&self, tenant: &Tenant) -> Result<(), Refusal> {
        let now = self.clock().now();
        let turns = self.turns(tenant.id, tenant.generation).await?;
        if let Some(until) = turns.retires_at(self.settings().drain).filter(|until| *until > now) {
            return Err(Refusal::ConflictFor(
                format!(
                    "the credentials before the present ones work until {until}; then they can be changed again"
                ),
                until.since(now),
            ));
        }
        if turns.pending.is_some() {
            self.settle_pending(tenant).await?;
        }
        // Read anew: what was settled may be on its way out now.
        let turns = self.turns(tenant.id, tenant.generation).await?;
        match &turns.retiring {
            Some(retiring) => self.expect_ended(retiring, tenant.isolation).await,
            None => Ok(()),
        }
    }

    async fn turns(&self, id: TenantId, generation: Generation) -> Result<Turns, Refusal> {
        let mut tx = self.control().read().await?;
        Ok(Turns::of(tx.credentials().list(id, generation).await?))
    }

    /// Withdraws new credentials that a change left behind which nobody is at any more.
    async fn settle_pending(&self, tenant: &Tenant) -> Result<(), Refusal> {
        let mut tx = self.control().begin().await?;
        let run = tx.workflows().find_unfinished(tenant.id).await?;
        if let Some(run) = run.filter(|run| run.kind == ROTATE) {
            drop(tx);
            if run.state == WorkflowState::Stuck {
                self.engine().retry(&run).await?;
            }
            // Ends it where the process that had it is gone; where it is not, that one will.
            let state = self.drive(run.id, Duration::from_secs(1)).await?;
            return match state {
                WorkflowState::Running | WorkflowState::Undoing | WorkflowState::Stuck => {
                    Err(Refusal::ConflictFor(
                        "another change of these credentials is under way".to_owned(),
                        self.settings().pace.lease,
                    ))
                }
                WorkflowState::Succeeded => Err(Refusal::ConflictFor(
                    "these credentials were changed just now; the ones before drain".to_owned(),
                    self.settings().drain,
                )),
                WorkflowState::Undone => Ok(()),
            };
        }
        let all = tx.credentials().list(tenant.id, tenant.generation).await?;
        if let Some(pending) = Turns::of(all).pending {
            let to = CredentialState::Retiring;
            tx.credentials()
                .change_state(&pending, to, self.clock().now())
                .await?;
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
        let all = tx
            .credentials()
            .list(there.id, there.generation)
            .await?;
        let turns = Turns::of(all);
        let rotation = Rotation {
            tenant: there.id,
            generation: there.generation,
            isolation: there.isolation,
            serial: turns.last + 1,
            until: now + self.settings().pace.lease,
        };
        let slot = turns.next();
        let place = (there.id, there.generation, there.isolation);
        let added = self
            .add_secret(&mut tx, place, rotation.serial, slot)
            .await?;
        let params = serde_json::to_string(&rotation)
            .map_err(Refusal::failed("a plan could not be recorded"))?;
        let alone = tx
            .workflows()
            .add(workflow, ROTATE, VERSION, Some(there.id), &params, now)
            .await?;
        if !added || !alone {
            return Err(Refusal::ConflictFor(
                "other work on this tenant is under way; `tenantry workflow list` shows it".to_owned(),
                self.settings().pace.lease,
            ));
        }
        tx.commit().await?;
        Ok((workflow, rotation))
    }

    /// Draws a secret and writes it down as pending; `false` where another is under way.
    async fn add_secret(
        &self,
        tx: &mut ControlTx,
        (tenant, generation, isolation): (TenantId, Generation, Isolation),
        serial: i64,
        slot: Slot,
    ) -> Result<bool, Refusal> {
        let password = generate_password(self.entropy());
        let context = credential_context(tenant, generation, serial);
        let sealed = self
            .keyring()
            .seal(password.expose().as_bytes(), &context, self.entropy())
            .map_err(Refusal::failed("a password could not be sealed"))?;
        let placement = crate::clusters::placement(tenant, generation, isolation);
        let role = placement.role(RoleKind::Login(login(slot)));
        let new = NewCredential {
            tenant,
            generation,
            serial,
            slot,
            name: role.as_str(),
            sealed_secret: &sealed,
        };
        Ok(tx.credentials().add(&new, self.clock().now()).await?)
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
        let password = self.clusters()?.password(&new)?;
        let turns = Turns::of(all);
        let old = turns.retires_at(self.settings().drain);
        let old = turns.retiring.zip(old).map(|(old, until)| (old.name, until));
        let placement = crate::clusters::placement(tenant, generation, rotation.isolation);
        let database = placement.database().as_str().to_owned();
        let url = Secret::new(format!(
            "postgres://{}:{}@{}:{}/{database}",
            new.name,
            password.expose(),
            cluster.host,
            cluster.port
        ));
        Ok(Some(Access {
            host: cluster.host,
            port: cluster.port,
            database,
            schema: SCHEMA.to_owned(),
            user: new.name,
            password,
            url,
            old,
        }))
    }
}

/// Refuses where there is nothing to rotate, or nobody who could use it.
async fn check_rotatable(tx: &mut ControlTx, tenant: &Tenant) -> Result<(), Refusal> {
    match tenant.status {
        TenantStatus::Active | TenantStatus::Suspended => {}
        TenantStatus::Provisioning
        | TenantStatus::Failed
        | TenantStatus::Deleted
        | TenantStatus::Purging => {
            return Err(Refusal::Conflict(format!(
                "a tenant that is {} has no credentials to change",
                tenant.status
            )));
        }
    }
    let record = tx.databases().lookup(tenant.id, tenant.generation).await?;
    let record =
        record.ok_or_else(|| conflict("there is no record of the tenant's database; `tenantry tenant check` tells more"))?;
    match (record.driver, tenant.isolation) {
        (tenantry_core::tenant::Driver::Sqlite, _) => Err(conflict(
            "the tenant's database is a file on this machine; files have no users and passwords to change",
        )),
        (tenantry_core::tenant::Driver::Postgres, Isolation::Database | Isolation::Schema | Isolation::Shared) => Ok(()),
    }
}
