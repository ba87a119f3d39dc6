//! Who was an owner first: asked before a tenant's database is made anew or comes back.

use tenantry_core::tenant::Tenant;
use tenantry_core::user::User;
use tenantry_core::{Role, TenantId};

use super::NewOwner;
use crate::password::Holder;
use crate::workflows::OwnerPlan;
use crate::{FieldError, Refusal, Service};

/// How many people are read at once.
const PAGE: i64 = 500;

impl Service {
    /// Who was an owner first, to be the owner of a database that is made anew and of whom nothing
    /// else is said: with address and names, and a setup link for a password.
    ///
    /// # Errors
    /// [`Refusal::Validation`] where the tenant's database can't tell.
    pub async fn first_owner(&self, id: TenantId) -> Result<NewOwner, Refusal> {
        let unknown = |_: Refusal| {
            Refusal::Validation(vec![FieldError::new(
                "owner",
                "required",
                "say who the owner is to be: the tenant's database can't be asked",
            )])
        };
        let tenant = self.view(id).await?.tenant;
        let owner = self.find_owner(&tenant, |_| true).await.map_err(unknown)?;
        let user = owner.ok_or_else(|| unknown(Refusal::NotFound))?;
        Ok(NewOwner {
            email: user.email,
            username: user.username.and_then(|name| name.parse().ok()),
            full_name: user.full_name,
            password: None,
        })
    }

    /// The first owner who never set a password, with a link for the next generation.
    pub(super) async fn invite_again(&self, tenant: &Tenant) -> Result<Option<OwnerPlan>, Refusal> {
        let waiting = self.find_owner(tenant, |user| !user.has_password).await?;
        let Some(user) = waiting else { return Ok(None) };
        let invited = NewOwner {
            email: user.email,
            username: None,
            full_name: user.full_name,
            password: None,
        };
        let mut plan = self
            .owner_plan(
                &invited,
                (tenant.id, tenant.generation.next()),
                None,
                Holder::in_tenant(tenant),
            )
            .await?;
        plan.id = user.id;
        plan.username = user.username;
        Ok(Some(plan))
    }

    /// The first owner of whom something is so, whatever the tenant's status.
    async fn find_owner(
        &self,
        tenant: &Tenant,
        is_meant: impl Fn(&User) -> bool,
    ) -> Result<Option<User>, Refusal> {
        let entered = self
            .control()
            .read()
            .await?
            .tenants()
            .enter_regardless_of_status(tenant.id)
            .await?;
        let ctx = entered.ok_or(Refusal::NotFound)?;
        let mut tx = self
            .pools()
            .read(&ctx)
            .await
            .map_err(Refusal::tenant(&ctx))?;
        let mut after = None;
        loop {
            let page = tx
                .users()
                .list(after, PAGE)
                .await
                .map_err(Refusal::tenant(&ctx))?;
            let owner = page
                .iter()
                .find(|user| user.role == Role::Owner && is_meant(user));
            if owner.is_some() || page.is_empty() {
                return Ok(owner.cloned());
            }
            after = page.last().map(|user| user.id);
        }
    }
}
