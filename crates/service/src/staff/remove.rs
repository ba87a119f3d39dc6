//! Removing somebody from a tenant.

use tenantry_core::UserId;
use tenantry_core::session::EndReason;
use tenantry_core::user::User;
use tenantry_core::webhooks::EventKind;
use tenantry_store::StoreError;
use tenantry_store::tenant::TenantTx;

use super::{Acting, Unfit, fit, hold};
use crate::attempts::in_tenant;
use crate::directory::Tell;
use crate::sessions::{Lapsed, subject};
use crate::{Refusal, Service};

impl Service {
    /// Takes somebody out of a tenant, with everything that lets the person in. Oneself too, where
    /// an owner who gets in stays behind.
    pub async fn remove_staff(&self, acting: &Acting<'_>, id: UserId) -> Result<(), Refusal> {
        self.find_touchable(acting, id).await?;
        let (ctx, by) = (acting.ctx, acting.user_id());
        self.unsettle_entries(ctx, id).await?;
        let removed = in_tenant!(self, ctx, |tx| remove(&mut tx, by, id).await?);
        let removed = self
            .settle_after(ctx, id, None, removed, |removed| {
                Tell::of(EventKind::UserDeleted, removed.as_ref().ok())
            })
            .await?;
        removed?;
        let all = Lapsed::Of(subject(ctx, id), None, EndReason::Admin);
        self.end_lapsed(all).await;
        Ok(())
    }
}

async fn remove(
    tx: &mut TenantTx,
    by: Option<UserId>,
    id: UserId,
) -> Result<Result<User, Unfit>, StoreError> {
    let (_, gone) = match hold(tx, by, id).await? {
        Ok(both) => both,
        Err(unfit) => return Ok(Err(unfit)),
    };
    let removed = fit(tx.users().remove(id).await?);
    Ok(removed.map(|()| gone))
}
