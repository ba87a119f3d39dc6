//! Naming somebody an owner of a tenant, on the platform's word: the way back in where everybody
//! who ran it has left.

use tenantry_core::user::User;
use tenantry_core::{Email, Locale, Role, TenantId, TenantStatus};
use tenantry_store::TenantCtx;

use super::{Acting, FirstPassword, NewStaff, StaffChange};
use crate::tenants::NewOwner;
use crate::{Refusal, Service};

impl Service {
    /// Makes somebody an owner of a tenant. Whoever has the address there gets the role and keeps
    /// everything else; where nobody has it, somebody is added, with the password given or a link
    /// to choose one. Other owners stay owners. Somebody who is one already stays as before.
    ///
    /// # Errors
    /// [`Refusal::Conflict`] where nobody gets into the tenant, or the person is kept out;
    /// [`Refusal::EmailTaken`] where the address belongs to another tenant and may belong to one
    /// only.
    pub(crate) async fn name_owner(
        &self,
        tenant: TenantId,
        owner: NewOwner,
        locale: Locale,
    ) -> Result<User, Refusal> {
        let ctx = self.enter_for_owner(tenant).await?;
        let acting = Acting::platform(&ctx);
        if let Some(there) = self.person_at(&ctx, &owner.email).await? {
            return self.promote(&acting, there).await;
        }
        let email = owner.email.clone();
        let new = NewStaff {
            email: owner.email,
            username: owner.username,
            full_name: owner.full_name,
            role: Role::Owner,
            password: owner
                .password
                .map_or(FirstPassword::Link, FirstPassword::Given),
            must_change_password: false,
            locale,
        };
        match self.create_staff(&acting, new).await {
            Ok(created) => Ok(created.user),
            // Somebody may have been added under the address since it was looked.
            Err(Refusal::EmailTaken) => match self.person_at(&ctx, &email).await? {
                Some(there) => self.promote(&acting, there).await,
                None => Err(Refusal::EmailTaken),
            },
            Err(Refusal::Validation(errors)) => {
                let below = |mut error: crate::FieldError| {
                    error.field = format!("owner.{}", error.field).into();
                    error
                };
                Err(Refusal::Validation(errors.into_iter().map(below).collect()))
            }
            Err(refusal) => Err(refusal),
        }
    }

    async fn enter_for_owner(&self, tenant: TenantId) -> Result<TenantCtx, Refusal> {
        let ctx = self.enter_as_operator(tenant).await?;
        match ctx.tenant().status {
            TenantStatus::Active => Ok(ctx),
            status => Err(Refusal::Conflict(format!(
                "the tenant is {status}; an owner is named once people get in"
            ))),
        }
    }

    async fn person_at(&self, ctx: &TenantCtx, email: &Email) -> Result<Option<User>, Refusal> {
        let mut tx = self.pools().read(ctx).await.map_err(Refusal::tenant(ctx))?;
        let record = tx.users().find_by_email(email).await;
        let record = record.map_err(Refusal::tenant(ctx))?;
        Ok(record.map(|record| record.user))
    }

    async fn promote(&self, acting: &Acting<'_>, there: User) -> Result<User, Refusal> {
        if there.disabled_at.is_some() {
            return Err(Refusal::Conflict(
                "this person is kept out of the tenant; an owner or admin has to let them in first"
                    .to_owned(),
            ));
        }
        if there.role == Role::Owner {
            return Ok(there);
        }
        let change = StaffChange {
            role: Some(Role::Owner),
            ..StaffChange::default()
        };
        self.change_staff(acting, there.id, change).await
    }
}
