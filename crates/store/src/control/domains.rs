//! Domains of tenants' own.

use tenantry_core::TenantId;
use uuid::Uuid;

use crate::{Conn, StoreError};

/// The domains of tenants.
pub struct Domains<'c>(pub(super) Conn<'c>);

row! { struct DomainRow { domain: String } }
row! { struct TenantRow { tenant_id: Uuid } }

impl Domains<'_> {
    /// The verified hosts of a tenant, in order.
    pub async fn list_hosts(&mut self, tenant: TenantId) -> Result<Vec<String>, StoreError> {
        let rows = fetch_all!(
            self.0,
            DomainRow,
            "SELECT domain FROM tenant_domains
             WHERE tenant_id = $1 AND kind = 'host' AND verified_at IS NOT NULL ORDER BY domain",
            tenant.uuid()
        )?;
        Ok(rows.into_iter().map(|row| row.domain).collect())
    }

    /// The tenant that proved a mail domain to be its own.
    pub async fn find_by_mail_domain(
        &mut self,
        domain: &str,
    ) -> Result<Option<TenantId>, StoreError> {
        let row = fetch_optional!(
            self.0,
            TenantRow,
            "SELECT tenant_id FROM tenant_domains
             WHERE kind = 'email' AND domain = $1 AND verified_at IS NOT NULL",
            domain
        )?;
        Ok(row.map(|row| TenantId::from_uuid(row.tenant_id)))
    }
}
