//! Clearing at an operator's word: what processes keep in memory, and on request the sessions, of one
//! tenant or of all. Called by the command line and the API. Deleting, restoring and recreating tell
//! what they ended in the same words (`tenants`).

use tenantry_core::session::{EndReason, Subject};
use tenantry_core::tenant::Tenant;
use tenantry_core::{Slug, TenantId, Timestamp};

use crate::{Refusal, Service};

/// What was taken from one tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantCleared {
    /// The tenant.
    pub id: TenantId,
    /// Its name in addresses.
    pub slug: Slug,
    /// What processes kept of it in memory.
    pub cache_keys: u64,
    /// Its sessions that were live.
    pub sessions: u64,
}

/// What was cleared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cleared {
    /// By tenant, in the order they were made.
    pub tenants: Vec<TenantCleared>,
    /// What processes kept of no tenant: of platform admins.
    pub platform_cache_keys: u64,
    /// The platform admins' sessions that were live.
    pub platform_sessions: u64,
    /// Nodes that serve and did not answer in time. What they keep counts for less than a second
    /// ([`crate::facts::BOUND`]).
    pub silent: u64,
}

impl Cleared {
    /// What was taken out of memory, in all.
    pub fn cache_keys(&self) -> u64 {
        let of_tenants: u64 = self.tenants.iter().map(|tenant| tenant.cache_keys).sum();
        of_tenants + self.platform_cache_keys
    }

    /// Sessions that ended, in all.
    pub fn sessions(&self) -> u64 {
        let of_tenants: u64 = self.tenants.iter().map(|tenant| tenant.sessions).sum();
        of_tenants + self.platform_sessions
    }
}

impl Service {
    /// Clears what is kept of a tenant, with its sessions or without.
    pub async fn clear_tenant(&self, id: TenantId, sessions: bool) -> Result<Cleared, Refusal> {
        let tenant = self.tenant_by_id(id).await?;
        let ended = if sessions {
            self.expect_shared_sessions().await?;
            self.end_sessions_in(&tenant, self.clock().now()).await?
        } else {
            0
        };
        let cleared = self.clear_caches(Some(id)).await?;
        Ok(Cleared {
            tenants: vec![TenantCleared {
                id,
                slug: tenant.slug,
                cache_keys: cleared.of(id),
                sessions: ended,
            }],
            silent: cleared.silent,
            ..Cleared::default()
        })
    }

    /// Ends every session of a tenant; how many were live.
    pub async fn end_tenant_sessions(&self, id: TenantId) -> Result<u64, Refusal> {
        let tenant = self.tenant_by_id(id).await?;
        self.end_sessions_in(&tenant, self.clock().now()).await
    }

    async fn tenant_by_id(&self, id: TenantId) -> Result<Tenant, Refusal> {
        let mut tx = self.control().read().await?;
        tx.tenants().lookup(id).await?.ok_or(Refusal::NotFound)
    }

    /// Clears what is kept of every tenant and of the platform, with all sessions or without, the
    /// platform admins' too. Every process is asked once, however many tenants there are. `progress`
    /// hears how many tenants of how many are done.
    pub async fn clear_everything(
        &self,
        sessions: bool,
        progress: impl Fn(usize, usize),
    ) -> Result<Cleared, Refusal> {
        if sessions {
            self.expect_shared_sessions().await?;
        }
        let tenants = self.every_tenant().await?;
        let now = self.clock().now();
        let mut all = Cleared::default();
        for (done, tenant) in tenants.iter().enumerate() {
            progress(done, tenants.len());
            let ended = if sessions {
                self.end_sessions_in(tenant, now).await?
            } else {
                0
            };
            all.tenants.push(TenantCleared {
                id: tenant.id,
                slug: tenant.slug.clone(),
                cache_keys: 0,
                sessions: ended,
            });
        }
        if sessions {
            all.platform_sessions = self.end_admins_sessions(now).await?;
        }
        // Last, so that nothing of an ended session is found again.
        let cleared = self.clear_caches(None).await?;
        for tenant in &mut all.tenants {
            tenant.cache_keys = cleared.of(tenant.id);
        }
        let of_tenants = all.cache_keys();
        all.platform_cache_keys = cleared.total().saturating_sub(of_tenants);
        all.silent = cleared.silent;
        progress(tenants.len(), tenants.len());
        Ok(all)
    }

    /// Every tenant, page by page.
    async fn every_tenant(&self) -> Result<Vec<Tenant>, Refusal> {
        let mut all: Vec<Tenant> = Vec::new();
        loop {
            let after = all.last().map_or(0, |tenant| tenant.number);
            let page = self.page_of_tenants(after).await?;
            if page.is_empty() {
                return Ok(all);
            }
            all.extend(page);
        }
    }

    /// Ends a tenant's sessions; how many were alive. One that begins meanwhile stays, as one that
    /// begins afterwards does.
    async fn end_sessions_in(&self, tenant: &Tenant, now: Timestamp) -> Result<u64, Refusal> {
        let ended = self
            .sessions_store()
            .end_tenant(tenant.id, tenant.generation, now);
        Ok(ended.await?)
    }

    async fn end_admins_sessions(&self, now: Timestamp) -> Result<u64, Refusal> {
        let sessions = self.sessions_store();
        let mut ended = 0;
        for admin in self.list_admins().await? {
            let subject = Subject::Admin(admin.id);
            let others = sessions.end_others(&subject, None, EndReason::Admin, now);
            ended += others.await?;
        }
        Ok(ended)
    }
}
