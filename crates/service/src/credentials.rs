//! The database credentials of a tenant's applications: two logins that take turns, so that there
//! is always one that works.
//!
//! The idle login gets a new secret, is tried, and is then the one to use; the other goes on working
//! until everybody has changed over. The record of each secret says how far it is, so whoever finds
//! it after a crash goes on from there.

mod change;
mod drain;
mod hold;
mod link;
mod logins;
mod schedule;
mod secret;

use std::time::Duration;

use tenantry_core::credential::{CredentialState, Slot};
use tenantry_core::tenant::{Isolation, Tenant};
use tenantry_core::{Email, Secret, TenantId, TenantStatus, Timestamp};
use tenantry_store::ControlTx;
use tenantry_store::control::Credential;

pub(crate) use hold::HELD;
pub use link::CredentialsLinkView;
pub(crate) use logins::{FOLLOWING, is_handed_out, lets_applications_in};

use crate::{Refusal, Service};

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
}

/// Refuses where there is nothing to rotate, or nobody who could use it.
async fn check_rotatable(tx: &mut ControlTx, tenant: &Tenant) -> Result<(), Refusal> {
    match tenant.status {
        TenantStatus::Active => {}
        TenantStatus::Suspended => {
            return Err(conflict(
                "a suspended tenant lets no application in, so there is nothing to try new credentials on; resume it first",
            ));
        }
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
    let record = record.ok_or_else(|| {
        conflict("there is no record of the tenant's database; `tenantry tenant check` tells more")
    })?;
    match (record.driver, tenant.isolation) {
        (tenantry_core::tenant::Driver::Sqlite, _) => Err(conflict(
            "the tenant's database is a file on this machine; files have no users and passwords to change",
        )),
        (
            tenantry_core::tenant::Driver::Postgres,
            Isolation::Database | Isolation::Schema | Isolation::Shared,
        ) => Ok(()),
    }
}
