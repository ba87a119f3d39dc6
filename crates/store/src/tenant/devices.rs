//! Devices of a tenant, on which a PIN is enough to sign in.

use tenantry_core::{DeviceId, Generation, TenantId, Timestamp};
use uuid::Uuid;

use crate::changes::Touched;
use crate::{Conn, StoreError};

/// The devices of a tenant.
pub struct Devices<'c> {
    pub(super) conn: Conn<'c>,
    pub(super) tenant: TenantId,
    pub(super) generation: Generation,
    pub(super) touched: &'c mut Touched,
}

/// A device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// The id, which its token carries.
    pub id: DeviceId,
    /// What people call it.
    pub name: String,
    /// When it was enrolled.
    pub created_at: Timestamp,
    /// The last time somebody signed in on it.
    pub last_used_at: Option<Timestamp>,
}

row! { struct DeviceRow { id: Uuid, name: String, created_at: i64, last_used_at: Option<i64> } }

impl From<DeviceRow> for Device {
    fn from(row: DeviceRow) -> Self {
        Self {
            id: DeviceId::from_uuid(row.id),
            name: row.name,
            created_at: Timestamp::from_micros(row.created_at),
            last_used_at: row.last_used_at.map(Timestamp::from_micros),
        }
    }
}

impl Devices<'_> {
    /// Enrols a device; harmless when it is there already.
    pub async fn add(
        &mut self,
        id: DeviceId,
        name: &str,
        secret_hash: &[u8; 32],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        execute!(
            self.conn,
            "INSERT INTO tenantry_devices (tenant_id, id, generation, name, secret_hash, created_at)
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
            self.tenant.uuid(),
            id.uuid(),
            self.generation.number(),
            name,
            secret_hash.as_slice(),
            now.micros()
        )?;
        Ok(())
    }

    /// The device with this secret, enrolled in this generation.
    pub async fn find_good(
        &mut self,
        id: DeviceId,
        secret_hash: &[u8; 32],
    ) -> Result<Option<Device>, StoreError> {
        let row = fetch_optional!(
            self.conn,
            DeviceRow,
            "SELECT id, name, created_at, last_used_at FROM tenantry_devices
             WHERE tenant_id = $1 AND id = $2 AND generation = $3 AND secret_hash = $4",
            self.tenant.uuid(),
            id.uuid(),
            self.generation.number(),
            secret_hash.as_slice()
        )?;
        Ok(row.map(Device::from))
    }

    /// Devices of this generation in the order of their ids, after the one with the id `after`.
    pub async fn list(
        &mut self,
        after: Option<DeviceId>,
        limit: i64,
    ) -> Result<Vec<Device>, StoreError> {
        let rows = fetch_all!(
            self.conn,
            DeviceRow,
            "SELECT id, name, created_at, last_used_at FROM tenantry_devices
             WHERE tenant_id = $1 AND generation = $2 AND id > $3 ORDER BY id LIMIT $4",
            self.tenant.uuid(),
            self.generation.number(),
            after.map_or(Uuid::nil(), DeviceId::uuid),
            limit
        )?;
        Ok(rows.into_iter().map(Device::from).collect())
    }

    /// The device with this id, enrolled in this generation.
    pub async fn lookup(&mut self, id: DeviceId) -> Result<Option<Device>, StoreError> {
        let row = fetch_optional!(
            self.conn,
            DeviceRow,
            "SELECT id, name, created_at, last_used_at FROM tenantry_devices
             WHERE tenant_id = $1 AND generation = $2 AND id = $3",
            self.tenant.uuid(),
            self.generation.number(),
            id.uuid()
        )?;
        Ok(row.map(Device::from))
    }

    /// Notes that somebody signed in on a device; `false` where its right was taken away.
    pub async fn mark_used(&mut self, id: DeviceId, now: Timestamp) -> Result<bool, StoreError> {
        let changed = execute!(
            self.conn,
            "UPDATE tenantry_devices SET last_used_at = $3 WHERE tenant_id = $1 AND id = $2",
            self.tenant.uuid(),
            id.uuid(),
            now.micros()
        )?;
        Ok(changed == 1)
    }

    /// Takes a device's right away; `false` where there is none with this id.
    pub async fn remove(&mut self, id: DeviceId) -> Result<bool, StoreError> {
        // Whoever began a session on it: anybody of the tenant.
        self.touched.note(self.tenant);
        let changed = execute!(
            self.conn,
            "DELETE FROM tenantry_devices WHERE tenant_id = $1 AND id = $2",
            self.tenant.uuid(),
            id.uuid()
        )?;
        Ok(changed == 1)
    }
}
