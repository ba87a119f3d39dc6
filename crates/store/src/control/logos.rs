//! Tenants' logos. What a page needs to know of one stands in the tenant's own row.

use tenantry_core::logo::{ImageKind, Logo, LogoTag};
use tenantry_core::{TenantId, Timestamp};

use crate::{Conn, StoreError};

/// The logos of tenants.
pub struct Logos<'c>(pub(super) Conn<'c>);

/// A logo as it is served.
pub struct StoredLogo {
    /// What kind of image it is.
    pub kind: ImageKind,
    /// Its octets.
    pub body: Vec<u8>,
}

row! { struct LogoRow { kind: String, body: Vec<u8> } }

impl Logos<'_> {
    /// Keeps a tenant's logo in place of the one before.
    pub async fn set(
        &mut self,
        tenant: TenantId,
        tag: LogoTag,
        logo: &Logo,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        execute!(
            self.0,
            "INSERT INTO tenant_logos (tenant_id, tag, kind, body, set_at) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (tenant_id) DO UPDATE
             SET tag = excluded.tag, kind = excluded.kind, body = excluded.body, set_at = excluded.set_at",
            tenant.uuid(),
            tag.to_string(),
            logo.kind().as_str(),
            logo.body(),
            now.micros(),
        )?;
        Ok(())
    }

    /// The logo with this tag, whoever's it is: the same octets have the same tag.
    pub async fn find(&mut self, tag: LogoTag) -> Result<Option<StoredLogo>, StoreError> {
        let row = fetch_optional!(
            self.0,
            LogoRow,
            "SELECT kind, body FROM tenant_logos WHERE tag = $1 LIMIT 1",
            tag.to_string()
        )?;
        row.map(|row| {
            let kind = row.kind.parse().map_err(|_| StoreError::Corrupt {
                table: "tenant_logos",
                column: "kind",
            })?;
            Ok(StoredLogo {
                kind,
                body: row.body,
            })
        })
        .transpose()
    }

    /// Forgets a tenant's logo; `false` where it has none.
    pub async fn remove(&mut self, tenant: TenantId) -> Result<bool, StoreError> {
        let changed = execute!(
            self.0,
            "DELETE FROM tenant_logos WHERE tenant_id = $1",
            tenant.uuid()
        )?;
        Ok(changed == 1)
    }
}
