//! Where a tenant's pages are. Links come from configuration, never from a request's headers.

use tenantry_core::tenant::Tenant;
use tenantry_mail::{Link, MailTenant};
use tenantry_store::TenantCtx;
use url::Url;

use crate::{Refusal, Service, Settings};

impl Settings {
    /// Where a tenant's pages begin: its own domain where it has one, else its slug before the
    /// base domain.
    pub fn tenant_url(&self, tenant: &Tenant, hosts: &[String]) -> Url {
        let mut url = self.public_url.clone();
        let host = hosts
            .first()
            .cloned()
            .unwrap_or_else(|| format!("{}.{}", tenant.slug, self.base_domain));
        // A slug and a verified domain are hosts by construction, so this can't be refused.
        let _ = url.set_host(Some(&host));
        url
    }

    /// The tenant as mails show it.
    pub(crate) fn mail_tenant(
        &self,
        tenant: &Tenant,
        hosts: &[String],
    ) -> Result<MailTenant, Refusal> {
        let link = link(&self.tenant_url(tenant, hosts), "/")?;
        Ok(MailTenant::new(&tenant.name, Some(tenant.paint()), link))
    }
}

impl Settings {
    /// The platform as mails show it that are about no single tenant.
    pub(crate) fn mail_platform(&self) -> Result<MailTenant, Refusal> {
        let link = link(&self.public_url, "/")?;
        Ok(self.sender.platform(link))
    }
}

impl Service {
    /// A tenant's own domains that are proven, for links to it.
    pub(crate) async fn hosts_of(&self, ctx: &TenantCtx) -> Result<Vec<String>, Refusal> {
        let mut tx = self.control().read().await?;
        Ok(tx.domains().list_hosts(ctx.id()).await?)
    }
}

/// A link to a path below `base`.
pub(crate) fn link(base: &Url, path: &str) -> Result<Link, Refusal> {
    let url = base
        .join(path)
        .map_err(Refusal::failed("a link could not be made"))?;
    Link::parse(url.as_str()).map_err(Refusal::failed("a link could not be made"))
}
