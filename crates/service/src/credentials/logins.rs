//! Whether a tenant's applications may sign in, which the tenant's status says.
//!
//! The status is the truth and is written first; then whoever changed it makes the logins follow,
//! and looks again, so that of several at once the last leaves them as the status says. What a
//! crash left, or a server that was away, a check finds and the reconciler puts right. The server's
//! own login stays, whatever the status: restoring and checking need it.

use std::time::Duration;

use tenantry_core::credential::{CredentialState, Slot};
use tenantry_core::tenant::Tenant;
use tenantry_core::{TenantId, TenantStatus};
use tenantry_store::StoreError;
use tenantry_store::cluster::{ClusterError, Login, Trouble};
use tenantry_store::control::Credential;
use tenantry_store::homes::ServerHome;
use tokio::time::timeout;

use super::hold::held;
use crate::check::secrets;
use crate::refusal::Chain;
use crate::{Refusal, Service};

/// How long is waited for the logins to follow a status. A server that answers takes some
/// milliseconds; for one that does not the reconciler comes back.
pub(crate) const FOLLOWING: Duration = Duration::from_secs(10);

/// How often the logins are made to follow a status that changes all the while.
const ROUNDS: usize = 8;

/// Whether applications may sign in to a tenant in this status; `None` where that is for the
/// workflow to say that is at work on it.
pub(crate) const fn lets_applications_in(status: TenantStatus) -> Option<bool> {
    match status {
        TenantStatus::Active => Some(true),
        TenantStatus::Suspended | TenantStatus::Deleted => Some(false),
        TenantStatus::Provisioning | TenantStatus::Failed | TenantStatus::Purging => None,
    }
}

/// Whether an application may use this secret now, if the tenant's status lets it in.
pub(crate) fn is_handed_out(credential: &Credential) -> bool {
    let counts = match credential.state {
        CredentialState::Active => true,
        // One that was withdrawn before anybody was shown it retires too.
        CredentialState::Retiring => credential.activated_at.is_some(),
        // Whether its role has it yet is for the workflow to know that wrote it down.
        CredentialState::Pending | CredentialState::Retired => false,
    };
    counts && credential.slot != Slot::Service
}

impl Service {
    /// Makes the logins of a tenant's applications follow its status; `false` where that does not go
    /// and is left to the reconciler.
    pub(crate) async fn follow_status(&self, tenant: &Tenant) -> bool {
        let why = match timeout(FOLLOWING, Box::pin(self.settle_logins(tenant.id))).await {
            Ok(Ok(())) => return true,
            Ok(Err(error)) => Chain(&error).to_string(),
            Err(_) => "the server did not answer in time".to_owned(),
        };
        tracing::warn!(tenant.id = %tenant.id, tenant.slug = %tenant.slug, error = why, "the logins of a tenant's applications could not be opened or closed as its status says; the reconciler tries again");
        false
    }

    /// Opens or closes the logins of a tenant's applications, as its status says.
    ///
    /// # Errors
    /// Where the server can't be asked, or another process is at one of the logins.
    pub(crate) async fn settle_logins(&self, id: TenantId) -> Result<(), Refusal> {
        let mut before = None;
        for _ in 0..ROUNDS {
            let mut tx = self.control().read().await?;
            let Some(tenant) = tx.tenants().lookup(id).await? else {
                return Ok(());
            };
            let all = tx.credentials().list(id, tenant.generation).await?;
            drop(tx);
            let now = Some((tenant.status, tenant.generation, secrets(&all)));
            let Some(open) = lets_applications_in(tenant.status).filter(|_| before != now) else {
                return Ok(());
            };
            let home = self
                .pools()
                .home(tenant.id, tenant.generation, tenant.isolation)
                .await?;
            let Some(server) = home.server() else {
                return Ok(());
            };
            if open {
                self.open_logins(server, &all).await?;
            } else {
                let closed = server.cluster().close_slots(server.placement()).await;
                closed.map_err(StoreError::from)?;
            }
            before = now;
        }
        Err(Refusal::Conflict(
            "the tenant's status or its credentials change all the time; look again".to_owned(),
        ))
    }

    /// Gives each login that has to work the password it was handed out with.
    async fn open_logins(
        &self,
        server: &ServerHome<'_>,
        credentials: &[Credential],
    ) -> Result<(), Refusal> {
        for credential in credentials.iter().filter(|each| is_handed_out(each)) {
            let password = match self.clusters()?.password(credential).await {
                Ok(password) => password,
                // Told as a finding of its own, which a rotation mends.
                Err(StoreError::Sealed | StoreError::CredentialMissing) => continue,
                Err(error) => return Err(error.into()),
            };
            // A secret that retires in the same moment must not open anything again, nor take the
            // place of the one that the login gets next.
            let until = self.hold(credential).await?;
            let until = until.ok_or_else(|| held(credential))?;
            let login = Login::of(credential.slot);
            let set = server
                .cluster()
                .set_password(server.placement(), login, &password)
                .await;
            // What may still be on its way keeps the hold.
            if !set.as_ref().is_err_and(is_unanswered) {
                self.release(credential, until).await?;
            }
            set.map_err(StoreError::from)?;
        }
        Ok(())
    }
}

fn is_unanswered(error: &ClusterError) -> bool {
    error.trouble() == Trouble::Lost
}
