//! Registrations that ran out are forgotten, also where nobody registers after them.
//!
//! They lie in their tenant's database, and looking into every tenant's would cost more with each
//! tenant. So whoever writes one puts a note into the outbox that is due once it has run out: one for
//! a tenant and an hour, however many register.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tenantry_core::{OutboxId, TenantId, Timestamp};
use uuid::Uuid;

use crate::attempts::in_tenant;
use crate::{Refusal, Service};

/// Registrations that run out within one of these are forgotten together.
const TOGETHER: Duration = Duration::from_hours(1);

/// A tenant some of whose registrations will have run out.
#[derive(Serialize, Deserialize)]
pub(crate) struct Expiring {
    expiring: TenantId,
}

/// The end of the stretch that a time lies in.
fn end_of_stretch(at: Timestamp) -> Timestamp {
    let length = i64::try_from(TOGETHER.as_micros()).unwrap_or(i64::MAX);
    let begun = at.micros().div_euclid(length).saturating_mul(length);
    Timestamp::from_micros(begun) + TOGETHER
}

impl Service {
    /// Notes that a tenant's registrations are to be looked at when one of them has run out.
    pub(super) async fn note_expiry(
        &self,
        tenant: TenantId,
        expires_at: Timestamp,
    ) -> Result<(), Refusal> {
        let at = end_of_stretch(expires_at);
        let place = format!("registrations:{tenant}:{}", at.micros());
        let hash = self.keyring().directory().hash(&place);
        let id = hash.first_chunk().copied().unwrap_or_default();
        let id = OutboxId::from_uuid(Uuid::from_bytes(id));
        let note = Expiring { expiring: tenant };
        let sealed = self.shared().seal_expiring(id, &note)?;
        let mut tx = self.control().begin().await?;
        tx.outbox().add(id, Some(tenant), &sealed, at).await?;
        Ok(tx.commit().await?)
    }

    /// Forgets the tenant's registrations that have run out.
    pub(crate) async fn forget_expired(&self, note: &Expiring) -> Result<(), Refusal> {
        let mut tx = self.control().read().await?;
        let ctx = tx
            .tenants()
            .enter_regardless_of_status(note.expiring)
            .await?;
        drop(tx);
        let Some(ctx) = ctx else { return Ok(()) };
        let now = self.clock().now();
        in_tenant!(self, &ctx, |tx| tx
            .registrations()
            .remove_expired(now)
            .await?)?;
        Ok(())
    }
}
