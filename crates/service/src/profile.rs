//! One's own names and address.
//!
//! Names change at once. An address is proven first, by a link in a mail to the new one: until then
//! the person is as before, and nothing is held for the new address, so that nobody learns here
//! whether it is taken. Whoever shows the link learns it.

mod address;

use tenantry_core::admin::Admin;
use tenantry_core::session::EndReason;
use tenantry_core::user::{User, Username};
use tenantry_core::webhooks::EventKind;
use tenantry_core::{Email, Locale};
use tenantry_store::TenantCtx;
use tenantry_store::tenant::Change;

use crate::attempts::in_tenant;
use crate::directory::Tell;
use crate::sessions::Principal;
use crate::signin::Person;
use crate::staff::{checked_full_name, fit};
use crate::{FieldError, Refusal, Service};

pub use address::{ConfirmedAddress, NewAddressView};

/// What somebody changes about themselves; `None` leaves it as it is.
#[derive(Debug, Clone, Default)]
pub struct ProfileChange {
    /// The name to show; `Some(None)` takes it away.
    pub full_name: Option<Option<String>>,
    /// The name to sign in with; `Some(None)` takes it away.
    pub username: Option<Option<Username>>,
    /// The address to change to.
    pub email: Option<Email>,
}

/// What came of changing one's own profile.
#[derive(Debug, Clone)]
pub struct ProfileChanged {
    /// The person as of now.
    pub person: Person,
    /// The address that a mail was sent to, which is the person's once the link in it is followed.
    pub email_pending: Option<Email>,
}

impl Service {
    /// Changes one's own names, and begins to change the address.
    pub async fn change_profile(
        &self,
        principal: &Principal,
        mut change: ProfileChange,
        locale: Locale,
    ) -> Result<ProfileChanged, Refusal> {
        if let Some(name) = &mut change.full_name {
            *name = checked_full_name(name.as_deref())
                .map_err(|error| Refusal::Validation(vec![error]))?;
        }
        if change.email.is_some() {
            principal.expect_password()?;
        }
        match &principal.person {
            Person::User { ctx, user } => self.change_own(ctx, user, change, locale).await,
            Person::Admin(admin) => {
                let admin = self.rename_admin(admin, change).await?;
                Ok(ProfileChanged {
                    person: Person::Admin(admin),
                    email_pending: None,
                })
            }
        }
    }

    async fn change_own(
        &self,
        ctx: &TenantCtx,
        user: &User,
        change: ProfileChange,
        locale: Locale,
    ) -> Result<ProfileChanged, Refusal> {
        // Another way to write the same address proves nothing and needs no proof.
        let (rewritten, next) = match change.email {
            Some(email) if email.key() == user.email.key() => (Some(email), None),
            other => (None, other),
        };
        let row = Change {
            email: rewritten.as_ref(),
            username: change.username.as_ref().map(Option::as_ref),
            full_name: change.full_name.as_ref().map(Option::as_deref),
            ..Change::default()
        };
        let mut after = user.clone();
        if row.email.is_some() || row.username.is_some() || row.full_name.is_some() {
            let changed = in_tenant!(self, ctx, |tx| {
                tx.users().hold().await?;
                let changed = tx.users().change(user.id, &row).await?;
                (changed, tx.users().lookup(user.id).await?)
            })?;
            fit(changed.0)?;
            after = changed.1.ok_or(Refusal::NotFound)?.user;
            let told = Tell::This(EventKind::UserUpdated, &after);
            self.settle_and_tell(ctx, user.id, None, told).await?;
        }
        if let Some(next) = &next {
            self.mail_new_address(ctx, &after, next, locale).await?;
        }
        Ok(ProfileChanged {
            person: Person::User {
                ctx: ctx.clone(),
                user: after,
            },
            email_pending: next,
        })
    }

    /// Platform admins have no username, and their address is what they are known by.
    async fn rename_admin(&self, admin: &Admin, change: ProfileChange) -> Result<Admin, Refusal> {
        let mut errors = Vec::new();
        if change.username.is_some() {
            let why = "platform admins sign in with their address";
            errors.push(FieldError::new("username", "not_changeable", why));
        }
        if change.email.is_some() {
            let why = "a platform admin's address stays; add another admin with the new one";
            errors.push(FieldError::new("email", "not_changeable", why));
        }
        if !errors.is_empty() {
            return Err(Refusal::Validation(errors));
        }
        let mut admin = admin.clone();
        if let Some(name) = change.full_name {
            let mut tx = self.control().begin().await?;
            tx.admins().set_full_name(admin.id, name.as_deref()).await?;
            tx.commit().await?;
            admin.full_name = name;
        }
        Ok(admin)
    }

    /// Ends a person's sessions but the one that asks; how many.
    pub async fn end_other_sessions(&self, principal: &Principal) -> Result<u64, Refusal> {
        principal.expect_password()?;
        let (subject, keep) = (principal.person.subject(), principal.session.id);
        let now = self.clock().now();
        let ended = self
            .sessions_store()
            .end_others(&subject, Some(keep), EndReason::Revoked, now);
        Ok(ended.await?)
    }
}
