//! Records of tenant databases.

use tenantry_core::tenant::{DatabaseState, Driver};
use tenantry_core::{Generation, TenantId, Timestamp};
use uuid::Uuid;

use crate::{Conn, StoreError};

/// The records of tenant databases.
pub struct Databases<'c>(pub(super) Conn<'c>);

/// Where the database of one generation of a tenant lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseRecord {
    /// The tenant.
    pub tenant: TenantId,
    /// The generation.
    pub generation: Generation,
    /// The engine.
    pub driver: Driver,
    /// The cluster it was placed on.
    pub cluster: String,
    /// The database's name there; for SQLite the file's.
    pub name: String,
    /// What is known about it.
    pub state: DatabaseState,
    /// The schema it was last seen with.
    pub schema_version: Option<i64>,
    /// When it was last verified.
    pub verified_at: Option<Timestamp>,
}

row! {
    struct DatabaseRow {
        tenant_id: Uuid,
        generation: i64,
        driver: String,
        cluster: String,
        name: String,
        state: String,
        schema_version: Option<i64>,
        verified_at: Option<i64>,
    }
}

impl TryFrom<DatabaseRow> for DatabaseRecord {
    type Error = StoreError;

    fn try_from(row: DatabaseRow) -> Result<Self, StoreError> {
        let corrupt = |column| StoreError::Corrupt {
            table: "tenant_databases",
            column,
        };
        Ok(Self {
            tenant: TenantId::from_uuid(row.tenant_id),
            generation: Generation::new(row.generation).ok_or_else(|| corrupt("generation"))?,
            driver: row.driver.parse().map_err(|_| corrupt("driver"))?,
            cluster: row.cluster,
            name: row.name,
            state: row.state.parse().map_err(|_| corrupt("state"))?,
            schema_version: row.schema_version,
            verified_at: row.verified_at.map(Timestamp::from_micros),
        })
    }
}

impl Databases<'_> {
    /// Reserves the record of a generation; harmless when it is there.
    pub async fn add(&mut self, record: &DatabaseRecord, now: Timestamp) -> Result<(), StoreError> {
        execute!(
            self.0,
            "INSERT INTO tenant_databases (tenant_id, generation, driver, cluster, name, state, created_at)
             VALUES ($1, $2, $3, $4, $5, 'pending', $6) ON CONFLICT (tenant_id, generation) DO NOTHING",
            record.tenant.uuid(),
            record.generation.number(),
            record.driver.as_str(),
            record.cluster.as_str(),
            record.name.as_str(),
            now.micros(),
        )?;
        Ok(())
    }

    /// The record of one generation.
    pub async fn lookup(
        &mut self,
        tenant: TenantId,
        generation: Generation,
    ) -> Result<Option<DatabaseRecord>, StoreError> {
        fetch_optional!(
            self.0,
            DatabaseRow,
            "SELECT tenant_id, generation, driver, cluster, name, state, schema_version, verified_at
             FROM tenant_databases WHERE tenant_id = $1 AND generation = $2",
            tenant.uuid(),
            generation.number()
        )?
        .map(DatabaseRecord::try_from)
        .transpose()
    }

    /// The record with this name on a cluster, of whichever tenant.
    pub async fn find_by_name(
        &mut self,
        cluster: &str,
        name: &str,
    ) -> Result<Option<DatabaseRecord>, StoreError> {
        fetch_optional!(
            self.0,
            DatabaseRow,
            "SELECT tenant_id, generation, driver, cluster, name, state, schema_version, verified_at
             FROM tenant_databases WHERE cluster = $1 AND name = $2",
            cluster,
            name
        )?
        .map(DatabaseRecord::try_from)
        .transpose()
    }

    /// Every record of a tenant, newest generation first.
    pub async fn list(&mut self, tenant: TenantId) -> Result<Vec<DatabaseRecord>, StoreError> {
        fetch_all!(
            self.0,
            DatabaseRow,
            "SELECT tenant_id, generation, driver, cluster, name, state, schema_version, verified_at
             FROM tenant_databases WHERE tenant_id = $1 ORDER BY generation DESC",
            tenant.uuid()
        )?
        .into_iter()
        .map(DatabaseRecord::try_from)
        .collect()
    }

    /// Every generation that there is a record of. Some 24 bytes each.
    pub async fn list_generations(&mut self) -> Result<Vec<(TenantId, Generation)>, StoreError> {
        row! { struct OwnerRow { tenant_id: Uuid, generation: i64 } }
        fetch_all!(
            self.0,
            OwnerRow,
            "SELECT tenant_id, generation FROM tenant_databases"
        )?
        .into_iter()
        .map(|row| {
            let generation = Generation::new(row.generation).ok_or(StoreError::Corrupt {
                table: "tenant_databases",
                column: "generation",
            })?;
            Ok((TenantId::from_uuid(row.tenant_id), generation))
        })
        .collect()
    }

    /// Notes that somebody signed in to the database and found everything there.
    pub async fn mark_verified(
        &mut self,
        tenant: TenantId,
        generation: Generation,
        schema_version: i64,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let changed = execute!(
            self.0,
            "UPDATE tenant_databases SET state = 'verified', schema_version = $3, verified_at = $4
             WHERE tenant_id = $1 AND generation = $2 AND state <> 'retired'",
            tenant.uuid(),
            generation.number(),
            schema_version,
            now.micros()
        )?;
        Ok(changed == 1)
    }

    /// Takes out the record of one generation; harmless when it is gone.
    pub async fn remove(
        &mut self,
        tenant: TenantId,
        generation: Generation,
    ) -> Result<(), StoreError> {
        execute!(
            self.0,
            "DELETE FROM tenant_databases WHERE tenant_id = $1 AND generation = $2",
            tenant.uuid(),
            generation.number()
        )?;
        Ok(())
    }
}
