//! Which databases were there before their tenant.

use tenantry_core::{TenantId, Timestamp};
use uuid::Uuid;

use crate::cluster::AdoptedDatabase;
use crate::{Conn, StoreError};

/// The records of adopted databases.
pub struct Adoptions<'c>(pub(super) Conn<'c>);

/// A tenant whose schemas lie in a database of its application's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adoption {
    /// The tenant.
    pub tenant: TenantId,
    /// The cluster that the database lies on.
    pub cluster: String,
    /// The database.
    pub database: AdoptedDatabase,
    /// What came of the people in it, sealed; `None` before they were read.
    pub sealed_report: Option<Vec<u8>>,
}

row! {
    struct AdoptionRow {
        tenant_id: Uuid,
        cluster: String,
        name: String,
        sealed_report: Option<Vec<u8>>,
    }
}

impl TryFrom<AdoptionRow> for Adoption {
    type Error = StoreError;

    fn try_from(row: AdoptionRow) -> Result<Self, StoreError> {
        Ok(Self {
            tenant: TenantId::from_uuid(row.tenant_id),
            cluster: row.cluster,
            database: row.name.parse().map_err(|_| StoreError::Corrupt {
                table: "adopted_databases",
                column: "name",
            })?,
            sealed_report: row.sealed_report,
        })
    }
}

impl Adoptions<'_> {
    /// Notes whose database it is from now on; `false` where it is a tenant's already. The table's
    /// own constraints decide.
    pub async fn add(
        &mut self,
        tenant: TenantId,
        cluster: &str,
        database: &AdoptedDatabase,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let changed = execute!(
            self.0,
            "INSERT INTO adopted_databases (tenant_id, cluster, name, adopted_at)
             VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
            tenant.uuid(),
            cluster,
            database.as_str(),
            now.micros()
        )?;
        Ok(changed == 1)
    }

    /// The database that the tenant lies in, if it was adopted.
    pub async fn lookup(&mut self, tenant: TenantId) -> Result<Option<Adoption>, StoreError> {
        fetch_optional!(
            self.0,
            AdoptionRow,
            "SELECT tenant_id, cluster, name, sealed_report FROM adopted_databases WHERE tenant_id = $1",
            tenant.uuid()
        )?
        .map(Adoption::try_from)
        .transpose()
    }

    /// Whose a database is, if it was adopted.
    pub async fn find(
        &mut self,
        cluster: &str,
        database: &AdoptedDatabase,
    ) -> Result<Option<Adoption>, StoreError> {
        fetch_optional!(
            self.0,
            AdoptionRow,
            "SELECT tenant_id, cluster, name, sealed_report FROM adopted_databases
             WHERE cluster = $1 AND name = $2",
            cluster,
            database.as_str()
        )?
        .map(Adoption::try_from)
        .transpose()
    }

    /// Keeps what came of the people in it, in place of what was kept before.
    pub async fn keep_report(
        &mut self,
        tenant: TenantId,
        sealed: &[u8],
    ) -> Result<bool, StoreError> {
        let changed = execute!(
            self.0,
            "UPDATE adopted_databases SET sealed_report = $2 WHERE tenant_id = $1",
            tenant.uuid(),
            sealed
        )?;
        Ok(changed == 1)
    }

    /// Forgets it; harmless where the tenant's database is its own.
    pub async fn remove(&mut self, tenant: TenantId) -> Result<(), StoreError> {
        execute!(
            self.0,
            "DELETE FROM adopted_databases WHERE tenant_id = $1",
            tenant.uuid()
        )?;
        Ok(())
    }
}
