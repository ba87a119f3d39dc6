//! Changing somebody in a tenant.

use tenantry_core::session::EndReason;
use tenantry_core::user::{User, Username};
use tenantry_core::webhooks::EventKind;
use tenantry_core::{Email, Role, Timestamp, UserId};
use tenantry_store::StoreError;
use tenantry_store::control::{DirectoryEntry, Reservation};
use tenantry_store::tenant::{Change, TenantTx};

use super::{Acting, Unfit, checked_full_name, fit, hold};
use crate::attempts::in_tenant;
use crate::directory::Tell;
use crate::sessions::{Lapsed, subject};
use crate::{Refusal, Service};

/// What is to be different about somebody; `None` leaves it as it is.
#[derive(Debug, Clone, Default)]
pub struct StaffChange {
    /// The address. An admin's word is enough for it; one's own is proven by mail first.
    pub email: Option<Email>,
    /// The name to sign in with; `Some(None)` takes it away.
    pub username: Option<Option<Username>>,
    /// The name to show; `Some(None)` takes it away.
    pub full_name: Option<Option<String>>,
    /// What the person may do.
    pub role: Option<Role>,
    /// Whether the person is kept out.
    pub disabled: Option<bool>,
    /// Whether the password must be replaced before anything else.
    pub must_change_password: Option<bool>,
}

impl Service {
    /// Changes somebody. A changed role or address, or being kept out, ends the person's sessions
    /// at once.
    pub async fn change_staff(
        &self,
        acting: &Acting<'_>,
        id: UserId,
        mut change: StaffChange,
    ) -> Result<User, Refusal> {
        if let Some(name) = &mut change.full_name {
            *name = checked_full_name(name.as_deref())
                .map_err(|error| Refusal::Validation(vec![error]))?;
        }
        let before = self.find_touchable(acting, id).await?;
        check(acting, &before, &change)?;
        let entry = self.reserve_for(acting, &before, &change).await?;
        if entry.is_none() && change.role.is_some_and(|role| role != before.role) {
            // The entry says what kind of person it leads to. One just reserved is unsettled.
            self.unsettle_entries(acting.ctx, id).await?;
        }
        let now = self.clock().now();
        let (ctx, by) = (acting.ctx, acting.user_id());
        let changed = in_tenant!(self, ctx, |tx| write(&mut tx, by, id, &change, now).await?);
        let changed = self
            .settle_after(ctx, id, entry.as_ref(), changed, |changed| {
                Tell::of(EventKind::UserUpdated, changed.as_ref().ok())
            })
            .await?;
        let after = changed?;
        if after.security_version != before.security_version {
            let all = Lapsed::Of(subject(ctx, id), None, EndReason::Admin);
            self.end_lapsed(all).await;
        }
        Ok(after)
    }

    /// Reserves the entry of the next address, where there is to be another.
    async fn reserve_for(
        &self,
        acting: &Acting<'_>,
        before: &User,
        change: &StaffChange,
    ) -> Result<Option<DirectoryEntry>, Refusal> {
        let next = change.email.as_ref();
        let Some(email) = next.filter(|email| email.key() != before.email.key()) else {
            return Ok(None);
        };
        let role = change.role.unwrap_or(before.role);
        let entry = self.entry_for(acting.ctx, before.id, email, role);
        if self.reserve_entry(&entry).await? == Reservation::Taken {
            return Err(Refusal::EmailTaken);
        }
        Ok(Some(entry))
    }
}

/// What can be refused before anything is written.
fn check(acting: &Acting<'_>, before: &User, change: &StaffChange) -> Result<(), Refusal> {
    if change.role == Some(Role::PlatformAdmin) {
        let nobody = "the roles of a tenant are owner, admin and member";
        return Err(Refusal::field("role", "invalid", nobody));
    }
    if change
        .role
        .is_some_and(|role| role.rank() > acting.role().rank())
    {
        return Err(Refusal::Forbidden);
    }
    if Some(before.id) != acting.user_id() {
        return Ok(());
    }
    if change.disabled == Some(true) {
        return Err(Refusal::Conflict(
            "nobody disables their own account; ask another owner or admin".to_owned(),
        ));
    }
    let own_address = change.email.as_ref();
    if own_address.is_some_and(|email| email.key() != before.email.key()) {
        return Err(Refusal::Conflict(
            "change your own address in your account: the new one is proven by mail first"
                .to_owned(),
        ));
    }
    Ok(())
}

async fn write(
    tx: &mut TenantTx,
    by: Option<UserId>,
    id: UserId,
    change: &StaffChange,
    now: Timestamp,
) -> Result<Result<User, Unfit>, StoreError> {
    let (acting, before) = match hold(tx, by, id).await? {
        Ok(both) => both,
        Err(unfit) => return Ok(Err(unfit)),
    };
    if change.role.is_some_and(|role| role.rank() > acting.rank()) {
        return Ok(Err(Unfit::Forbidden));
    }
    let row = Change {
        email: change.email.as_ref(),
        username: change.username.as_ref().map(Option::as_ref),
        full_name: change.full_name.as_ref().map(Option::as_deref),
        role: change.role,
        disabled_at: change.disabled.map(|disabled| disabled.then_some(now)),
        must_change_password: change.must_change_password,
    };
    if let Err(unfit) = fit(tx.users().change(id, &row).await?) {
        return Ok(Err(unfit));
    }
    let record = tx.users().lookup(id).await?;
    let Some(after) = record.map(|record| record.user) else {
        return Ok(Err(Unfit::Gone));
    };
    if after.email.key() != before.email.key() {
        // What was sent to the old address is no longer the person's.
        tx.secrets().void_all(id, now).await?;
    }
    Ok(Ok(after))
}
