//! What a tenant's pages and mails look like: its colour, which stands in its own row, and its logo.

use tenantry_core::TenantId;
use tenantry_core::logo::{Logo, LogoTag};
use tenantry_core::webhooks::EventKind;
use tenantry_keys::digest::sha256;
use tenantry_store::ControlTx;

use crate::tenants::{TenantPatch, TenantView};
use crate::{Refusal, Service};

pub use tenantry_store::control::StoredLogo;

impl Service {
    /// Gives a tenant a logo in place of the one before. What it is is told by its first octets.
    pub async fn set_logo(&self, tenant: TenantId, body: Vec<u8>) -> Result<TenantView, Refusal> {
        let logo = Logo::read(body).map_err(|error| Refusal::field("logo", error.code(), error))?;
        let tag = LogoTag::of_hash(&sha256(logo.body()));
        let mut tx = self.control().begin().await?;
        self.note_logo(&mut tx, tenant, Some(tag)).await?;
        let now = self.clock().now();
        tx.logos().set(tenant, tag, &logo, now).await?;
        tx.commit().await?;
        self.view(tenant).await
    }

    /// Takes a tenant's logo away.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] where it has none.
    pub async fn remove_logo(&self, tenant: TenantId) -> Result<TenantView, Refusal> {
        let mut tx = self.control().begin().await?;
        // The tenant's row first, as where one is set: two that meet wait for each other there.
        self.note_logo(&mut tx, tenant, None).await?;
        if !tx.logos().remove(tenant).await? {
            return Err(Refusal::NotFound);
        }
        tx.commit().await?;
        self.view(tenant).await
    }

    /// Notes in the tenant's own row what its logo is known by, and tells receivers outside.
    async fn note_logo(
        &self,
        tx: &mut ControlTx,
        tenant: TenantId,
        tag: Option<LogoTag>,
    ) -> Result<(), Refusal> {
        let patch = TenantPatch {
            logo: Some(tag),
            ..TenantPatch::default()
        };
        if !tx.tenants().patch(tenant, &patch).await? {
            return Err(Refusal::NotFound);
        }
        if let Some(tenant) = tx.tenants().lookup(tenant).await? {
            let event = EventKind::TenantUpdated;
            let told = self.shared().announce_tenant(tx, event, &tenant);
            told.await?;
        }
        Ok(())
    }

    /// The logo that is known by a tag.
    pub async fn find_logo(&self, tag: LogoTag) -> Result<Option<StoredLogo>, Refusal> {
        let mut tx = self.control().read().await?;
        Ok(tx.logos().find(tag).await?)
    }
}
