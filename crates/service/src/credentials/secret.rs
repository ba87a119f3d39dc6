//! Drawing the secrets of logins: each is written down, sealed, before a server hears of it.

use tenantry_core::credential::Slot;
use tenantry_store::ControlTx;
use tenantry_store::cluster::{Login, Placement, RoleKind, generate_password};
use tenantry_store::clusters::credential_context;
use tenantry_store::control::NewCredential;

use crate::{Refusal, Service};

impl Service {
    /// Draws a password and seals it for one place.
    pub(crate) fn draw_sealed(&self, context: &[u8]) -> Result<Vec<u8>, Refusal> {
        let password = generate_password(self.entropy());
        self.keyring()
            .seal(password.expose().as_bytes(), context, self.entropy())
            .map_err(Refusal::failed("a password could not be sealed"))
    }

    /// Draws a secret of one of a tenant's logins and writes it down as pending; `false` where that
    /// serial is taken, or another of the slot is pending.
    pub(crate) async fn add_secret(
        &self,
        tx: &mut ControlTx,
        placement: Placement,
        serial: i64,
        slot: Slot,
    ) -> Result<bool, Refusal> {
        let (tenant, generation) = (placement.tenant, placement.generation);
        let role = placement.role(RoleKind::Login(Login::of(slot)));
        let new = NewCredential {
            tenant,
            generation,
            serial,
            slot,
            name: role.as_str(),
            sealed_secret: &self.draw_sealed(&credential_context(tenant, generation, serial))?,
        };
        Ok(tx.credentials().add(&new, self.clock().now()).await?)
    }
}
