//! What a tenant's database says about itself.

use tenantry_core::{Generation, TenantId, Timestamp};
use uuid::Uuid;

use crate::{Conn, StoreError};

/// The stamp.
pub struct Stamps<'c> {
    pub(crate) conn: Conn<'c>,
    pub(crate) tenant: TenantId,
    pub(crate) generation: Generation,
}

/// Whose database this is, which generation of it, and with which schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// The tenant.
    pub tenant: TenantId,
    /// The generation.
    pub generation: Generation,
    /// The version of the schema.
    pub schema_version: i64,
}

impl std::fmt::Display for Stamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "tenant {} generation {} schema {}",
            self.tenant, self.generation, self.schema_version
        )
    }
}

row! { struct StampRow { tenant_id: Uuid, generation: i64, schema_version: i64 } }

impl Stamps<'_> {
    /// Marks the database as the tenant's, replacing the mark of an earlier generation. A file or
    /// database that carries another tenant's mark is left alone, and `false` is returned.
    pub async fn set(&mut self, schema_version: i64, now: Timestamp) -> Result<bool, StoreError> {
        if self
            .find()
            .await?
            .is_some_and(|stamp| stamp.tenant != self.tenant)
        {
            return Ok(false);
        }
        execute!(
            self.conn,
            "INSERT INTO tenantry_stamp (tenant_id, generation, schema_version, stamped_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (tenant_id) DO UPDATE
             SET generation = excluded.generation, schema_version = excluded.schema_version,
                 stamped_at = excluded.stamped_at",
            self.tenant.uuid(),
            self.generation.number(),
            schema_version,
            now.micros()
        )?;
        Ok(true)
    }

    /// The stamp: this tenant's where there is one, else whichever there is.
    pub async fn find(&mut self) -> Result<Option<Stamp>, StoreError> {
        fetch_optional!(
            self.conn,
            StampRow,
            "SELECT tenant_id, generation, schema_version FROM tenantry_stamp
             ORDER BY CASE WHEN tenant_id = $1 THEN 0 ELSE 1 END LIMIT 1",
            self.tenant.uuid()
        )?
        .map(|row| {
            Ok(Stamp {
                tenant: TenantId::from_uuid(row.tenant_id),
                generation: Generation::new(row.generation).ok_or(StoreError::Corrupt {
                    table: "tenantry_stamp",
                    column: "generation",
                })?,
                schema_version: row.schema_version,
            })
        })
        .transpose()
    }
}
