//! A tenant's people, as its owners and admins run them: listed, added, changed, removed.
//!
//! Nobody touches somebody who may more than he may, or grants more than he has; the roles are read
//! anew in the transaction that writes, so that whoever was demoted a moment ago no longer counts.
//! One owner who gets in always stays: the statements themselves see to that. The directory is kept
//! in step as [`directory`](crate::directory) says.

mod change;
mod create;
mod links;
mod owner;
mod remove;

use tenantry_core::session::EndReason;
use tenantry_core::user::{User, full_name};
use tenantry_core::{Role, UserId};
use tenantry_store::tenant::{Changed, TenantTx};
use tenantry_store::{StoreError, TenantCtx};

use crate::sessions::{Principal, subject};
use crate::signin::Person;
use crate::{FieldError, Refusal, Service};

pub use change::StaffChange;
pub use create::{CreatedStaff, FirstPassword, NewStaff};

/// Somebody who runs a tenant's staff, as of the request: one of its people, or the platform.
#[derive(Clone, Copy)]
pub struct Acting<'a> {
    ctx: &'a TenantCtx,
    by: Option<&'a User>,
}

impl<'a> Acting<'a> {
    /// Whoever is signed in, where it is an owner or admin of a tenant.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] for everybody else.
    pub fn of(principal: &'a Principal) -> Result<Self, Refusal> {
        match &principal.person {
            Person::User { ctx, user } if user.role.rank() >= Role::Admin.rank() => Ok(Self {
                ctx,
                by: Some(user),
            }),
            Person::User { .. } | Person::Admin(_) => Err(Refusal::Forbidden),
        }
    }

    /// The platform, on behalf of one of its admins.
    pub(crate) const fn platform(ctx: &'a TenantCtx) -> Self {
        Self { ctx, by: None }
    }

    /// The tenant.
    pub const fn tenant(&self) -> &'a TenantCtx {
        self.ctx
    }

    /// Which of the tenant's people it is, if it is one.
    pub fn user_id(&self) -> Option<UserId> {
        self.by.map(|user| user.id)
    }

    /// What whoever acts may do.
    pub(crate) fn role(&self) -> Role {
        self.by.map_or(Role::PlatformAdmin, |user| user.role)
    }

    /// Whether the person may be touched at all: whoever may more is not for this one to change.
    pub fn may_touch(&self, user: &User) -> bool {
        may_touch(self.role(), user)
    }

    /// The roles that this person may give.
    pub fn may_grant(&self) -> impl Iterator<Item = Role> + use<'_> {
        [Role::Member, Role::Admin, Role::Owner]
            .into_iter()
            .filter(|role| role.rank() <= self.role().rank())
    }
}

fn may_touch(by: Role, user: &User) -> bool {
    user.role.rank() <= by.rank()
}

/// Why something about a person was not done, found in the transaction that would have done it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// Nobody has this id.
    Gone,
    /// Whoever asked may not, or no longer.
    Forbidden,
    /// Somebody in the tenant has the address.
    EmailTaken,
    /// Somebody in the tenant has the username.
    UsernameTaken,
    /// It would leave the tenant without an owner who gets in.
    LastOwner,
}

impl From<Unfit> for Refusal {
    fn from(unfit: Unfit) -> Self {
        match unfit {
            Unfit::Gone => Self::NotFound,
            Unfit::Forbidden => Self::Forbidden,
            Unfit::EmailTaken => Self::EmailTaken,
            Unfit::UsernameTaken => Self::UsernameTaken,
            Unfit::LastOwner => Self::LastOwner,
        }
    }
}

/// What a change came to, as an outcome.
pub(crate) const fn fit(changed: Changed) -> Result<(), Unfit> {
    match changed {
        Changed::Yes => Ok(()),
        Changed::Gone => Err(Unfit::Gone),
        Changed::EmailTaken => Err(Unfit::EmailTaken),
        Changed::UsernameTaken => Err(Unfit::UsernameTaken),
        Changed::LastOwner => Err(Unfit::LastOwner),
    }
}

/// Makes whoever else changes the tenant's people wait, and looks both up as they are then: what
/// whoever acts may do, and the person it is about.
pub(crate) async fn hold(
    tx: &mut TenantTx,
    by: Option<UserId>,
    about: UserId,
) -> Result<Result<(Role, User), Unfit>, StoreError> {
    tx.users().hold().await?;
    let Some(acting) = acting_still(tx, by).await? else {
        return Ok(Err(Unfit::Forbidden));
    };
    let Some(record) = tx.users().lookup(about).await? else {
        return Ok(Err(Unfit::Gone));
    };
    if !may_touch(acting, &record.user) {
        return Ok(Err(Unfit::Forbidden));
    }
    Ok(Ok((acting, record.user)))
}

/// What whoever acts may do, where that is the platform, or still an owner or admin who gets in.
pub(crate) async fn acting_still(
    tx: &mut TenantTx,
    by: Option<UserId>,
) -> Result<Option<Role>, StoreError> {
    let Some(by) = by else {
        return Ok(Some(Role::PlatformAdmin));
    };
    let record = tx.users().lookup(by).await?;
    Ok(record
        .map(|record| record.user)
        .filter(|user| user.role.rank() >= Role::Admin.rank() && user.disabled_at.is_none())
        .map(|user| user.role))
}

/// A name to show, as somebody typed it.
pub(crate) fn checked_full_name(name: Option<&str>) -> Result<Option<String>, FieldError> {
    full_name(name).map_err(|error| FieldError::new("full_name", "invalid", error))
}

impl Service {
    /// A tenant's people in the order of their ids, after the one with the id `after`.
    pub async fn list_staff(
        &self,
        ctx: &TenantCtx,
        after: Option<UserId>,
        limit: i64,
    ) -> Result<Vec<User>, Refusal> {
        let mut tx = self.pools().read(ctx).await.map_err(Refusal::tenant(ctx))?;
        let listed = tx.users().list(after, limit).await;
        listed.map_err(Refusal::tenant(ctx))
    }

    /// One of a tenant's people. Somebody of another tenant is found no more than nobody.
    pub async fn find_staff(&self, ctx: &TenantCtx, id: UserId) -> Result<User, Refusal> {
        let mut tx = self.pools().read(ctx).await.map_err(Refusal::tenant(ctx))?;
        let record = tx.users().lookup(id).await;
        let record = record.map_err(Refusal::tenant(ctx))?;
        Ok(record.ok_or(Refusal::NotFound)?.user)
    }

    /// The same, where whoever acts may touch that person.
    pub(crate) async fn find_touchable(
        &self,
        acting: &Acting<'_>,
        id: UserId,
    ) -> Result<User, Refusal> {
        let user = self.find_staff(acting.ctx, id).await?;
        if acting.may_touch(&user) {
            Ok(user)
        } else {
            Err(Refusal::Forbidden)
        }
    }

    /// Ends a person's sessions; how many.
    pub async fn end_staff_sessions(
        &self,
        acting: &Acting<'_>,
        id: UserId,
    ) -> Result<u64, Refusal> {
        let user = self.find_touchable(acting, id).await?;
        let (subject, now) = (subject(acting.ctx, user.id), self.clock().now());
        let ended = self
            .sessions_store()
            .end_others(&subject, None, EndReason::Admin, now);
        Ok(ended.await?)
    }

    /// Lifts the block that wrong tries put on a person's account.
    pub async fn unlock_staff(&self, acting: &Acting<'_>, id: UserId) -> Result<User, Refusal> {
        let user = self.find_touchable(acting, id).await?;
        self.unlock_person(acting.ctx.id(), &user).await?;
        Ok(user)
    }
}
