//! Where a tenant's pages are. Links come from configuration, never from a request's headers.

use tenantry_core::tenant::Tenant;
use tenantry_mail::{Link, MailTenant};
use url::Url;

use crate::{Refusal, Settings};

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
        Ok(MailTenant::new(&tenant.name, None, link))
    }
}

/// A link to a path below `base`.
pub(crate) fn link(base: &Url, path: &str) -> Result<Link, Refusal> {
    let url = base
        .join(path)
        .map_err(Refusal::failed("a link could not be made"))?;
    Link::parse(url.as_str()).map_err(Refusal::failed("a link could not be made"))
}
