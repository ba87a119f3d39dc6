//! Ending the credentials that others have taken the place of.
//!
//! Works from the records alone and can be begun anywhere, any number of times. One process at a
//! time ends a login: it holds the record meanwhile, so that nobody gives that login a new secret
//! while a statement that disables it may still be on its way.

use std::collections::HashSet;
use std::time::Duration;

use tenantry_core::TenantId;
use tenantry_core::credential::CredentialState;
use tenantry_core::tenant::Isolation;
use tenantry_store::StoreError;
use tenantry_store::cluster::Login;
use tenantry_store::control::Credential;
use tenantry_store::homes::ServerHome;

use super::hold::held;
use crate::refusal::Chain;
use crate::{Refusal, Service};

/// For how long nobody may have been seen with the old credentials, while somebody was with the new
/// ones, before the old ones end early. An application that connects for each request is seen at
/// some look in that time.
const QUIET: Duration = Duration::from_mins(1);

/// Records read at once.
const PAGE: i64 = 200;

impl Service {
    /// Ends every login whose time is over, or that nobody uses any more; how many.
    pub(super) async fn end_drained(&self) -> Result<usize, Refusal> {
        let mut ended = 0;
        let mut after: Option<TenantId> = None;
        // One server's trouble costs one try, not one for each tenant on it.
        let mut troubled: HashSet<String> = HashSet::new();
        loop {
            let mut tx = self.control().read().await?;
            let page = tx.credentials().list_retiring(after, PAGE).await?;
            drop(tx);
            let Some(last) = page.last() else {
                return Ok(ended);
            };
            after = Some(last.tenant);
            for retiring in page {
                match self.end_one_drained(&retiring, &troubled).await {
                    Ok(did) => ended += usize::from(did),
                    Err((cluster, error)) => {
                        tracing::warn!(tenant.id = %retiring.tenant, user = retiring.name, error = %Chain(&error), "old database credentials could not be ended and are tried again");
                        troubled.extend(cluster);
                    }
                }
            }
        }
    }

    async fn end_one_drained(
        &self,
        retiring: &Credential,
        troubled: &HashSet<String>,
    ) -> Result<bool, (Option<String>, Refusal)> {
        let placed = async {
            let mut tx = self.control().read().await?;
            let tenant = tx.tenants().lookup(retiring.tenant).await?;
            let record = tx
                .databases()
                .lookup(retiring.tenant, retiring.generation)
                .await?;
            Ok::<_, Refusal>(tenant.zip(record))
        }
        .await
        .map_err(|error| (None, error))?;
        let Some((tenant, record)) = placed else {
            return Ok(false);
        };
        if troubled.contains(&record.cluster) {
            return Ok(false);
        }
        let ended = async {
            if self.is_drained(retiring, tenant.isolation).await? {
                self.end_retiring(retiring, tenant.isolation).await
            } else {
                Ok(false)
            }
        }
        .await;
        ended.map_err(|error| (Some(record.cluster), error))
    }

    /// Whether nobody needs the old credentials any more.
    async fn is_drained(
        &self,
        retiring: &Credential,
        isolation: Isolation,
    ) -> Result<bool, Refusal> {
        let now = self.clock().now();
        let turns = self.turns(retiring.tenant, retiring.generation).await?;
        let Some(until) = turns.retires_at(self.settings().drain) else {
            return Ok(true);
        };
        let Some(active) = turns.active.filter(|_| until > now) else {
            return Ok(true);
        };
        let home = self
            .pools()
            .home(retiring.tenant, retiring.generation, isolation)
            .await?;
        let Some(server) = home.server() else {
            return Ok(false);
        };
        let old = count(server, retiring).await?;
        let new = count(server, &active).await?;
        let since = (old == 0 && new > 0).then(|| retiring.quiet_since.unwrap_or(now));
        if since != retiring.quiet_since {
            let mut tx = self.control().begin().await?;
            tx.credentials().mark_quiet(retiring, since).await?;
            tx.commit().await?;
        }
        Ok(since.is_some_and(|since| now.since(since) >= QUIET))
    }

    /// Ends a login that retires now, or says how long somebody else is at it.
    pub(super) async fn expect_ended(
        &self,
        retiring: &Credential,
        isolation: Isolation,
    ) -> Result<(), Refusal> {
        if self.end_retiring(retiring, isolation).await? {
            return Ok(());
        }
        Err(held(retiring))
    }

    /// Takes the login's password and its right to sign in, ends its sessions, and notes that it
    /// works no more; `false` where somebody else is at it.
    async fn end_retiring(
        &self,
        retiring: &Credential,
        isolation: Isolation,
    ) -> Result<bool, Refusal> {
        if self.hold(retiring).await?.is_none() {
            return Ok(false);
        }
        let home = self
            .pools()
            .home(retiring.tenant, retiring.generation, isolation)
            .await?;
        if let Some(server) = home.server() {
            let (placement, login) = (server.placement(), Login::of(retiring.slot));
            let cluster = server.cluster();
            let ending = async {
                // First nobody may come in any more, then whoever is in has to go.
                cluster.disable(placement, login).await?;
                cluster.end_sessions(placement, login).await
            };
            let sessions = ending.await.map_err(StoreError::from)?;
            tracing::info!(tenant.id = %retiring.tenant, user = retiring.name, sessions, "old database credentials have ended");
        }
        let mut tx = self.control().begin().await?;
        let to = CredentialState::Retired;
        let ended = tx
            .credentials()
            .change_state(retiring, to, self.clock().now())
            .await?;
        tx.commit().await?;
        Ok(ended)
    }
}

async fn count(server: &ServerHome<'_>, credential: &Credential) -> Result<usize, Refusal> {
    let counted = server
        .cluster()
        .count_sessions(server.placement(), Login::of(credential.slot))
        .await;
    Ok(counted.map_err(StoreError::from)?)
}
