//! Devices of a tenant, on which a PIN is enough to sign in: enrolled and taken out by owners and
//! admins.

use tenantry_core::{DeviceId, Secret};
use tenantry_keys::token::TokenKind;
use tenantry_store::TenantCtx;

use crate::attempts::in_tenant;
use crate::one_time::scope;
use crate::sessions::Lapsed;
use crate::staff::Acting;
use crate::{Refusal, Service};

pub use tenantry_store::tenant::Device;

/// The most characters of a device's name.
const NAME: usize = 80;

/// A device that was just enrolled.
pub struct EnrolledDevice {
    /// The device.
    pub device: Device,
    /// What the device keeps and shows with each PIN. It is told here and never again.
    pub token: Secret<String>,
}

impl Service {
    /// A tenant's devices in the order of their ids, after the one with the id `after`.
    pub async fn list_devices(
        &self,
        ctx: &TenantCtx,
        after: Option<DeviceId>,
        limit: i64,
    ) -> Result<Vec<Device>, Refusal> {
        let mut tx = self.pools().read(ctx).await.map_err(Refusal::tenant(ctx))?;
        let listed = tx.devices().list(after, limit).await;
        listed.map_err(Refusal::tenant(ctx))
    }

    /// Enrols a device under a name that people call it by.
    pub async fn enrol_device(
        &self,
        acting: &Acting<'_>,
        name: &str,
    ) -> Result<EnrolledDevice, Refusal> {
        let name = name.trim();
        if name.is_empty() || name.chars().count() > NAME || name.chars().any(char::is_control) {
            return Err(Refusal::field(
                "name",
                "invalid",
                format!("a device's name is one line of 1 to {NAME} characters"),
            ));
        }
        let ctx = acting.tenant();
        let id = DeviceId::generate(self.clock(), self.entropy());
        let (token, hash) = self.keyring().tokens().mint(
            TokenKind::Device,
            Some(scope(ctx)),
            id.uuid(),
            self.entropy(),
        );
        let now = self.clock().now();
        in_tenant!(self, ctx, |tx| tx
            .devices()
            .add(id, name, hash.as_bytes(), now)
            .await?)?;
        Ok(EnrolledDevice {
            device: Device {
                id,
                name: name.to_owned(),
                created_at: now,
                last_used_at: None,
            },
            token,
        })
    }

    /// Takes a device's right away, and ends the sessions that were begun on it.
    pub async fn remove_device(&self, acting: &Acting<'_>, id: DeviceId) -> Result<(), Refusal> {
        let ctx = acting.tenant();
        let removed = in_tenant!(self, ctx, |tx| tx.devices().remove(id).await?)?;
        // Also where it was gone: whoever removed it may have died before this.
        self.end_lapsed(Lapsed::OnDevice(ctx, id)).await;
        if removed {
            Ok(())
        } else {
            Err(Refusal::NotFound)
        }
    }
}
