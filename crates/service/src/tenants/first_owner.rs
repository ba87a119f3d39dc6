//! A tenant's owners, asked before its database is made anew, comes back, or changes credentials.

use tenantry_core::TenantId;
use tenantry_core::tenant::Tenant;
use tenantry_core::user::User;
use tenantry_store::TenantCtx;

use super::NewOwner;
use crate::password::Holder;
use crate::workflows::OwnerPlan;
use crate::{FieldError, Refusal, Service};

impl Service {
    /// The owners who can get in, whoever was there first first.
    pub(crate) async fn owners(&self, ctx: &TenantCtx) -> Result<Vec<User>, Refusal> {
        let mut tx = self.pools().read(ctx).await.map_err(Refusal::tenant(ctx))?;
        let owners = tx.users().list_owners().await;
        owners.map_err(Refusal::tenant(ctx))
    }

    /// Who is the owner of a database that is made anew where nobody else is named: the first of
    /// those who can get in, with address and names, and a setup link for a password.
    ///
    /// # Errors
    /// [`Refusal::Validation`] where the tenant's database can't tell.
    pub(super) async fn first_owner(&self, id: TenantId) -> Result<NewOwner, Refusal> {
        let owners = match self.owners_of(id).await {
            Err(Refusal::TenantUnavailable) => Vec::new(),
            read => read?,
        };
        let first = owners.into_iter().next().ok_or_else(|| {
            Refusal::Validation(vec![FieldError::new(
                "owner",
                "required",
                "say who the owner is to be: the tenant's database can't tell",
            )])
        })?;
        Ok(NewOwner {
            email: first.email,
            username: first.username.and_then(|name| name.parse().ok()),
            full_name: first.full_name,
            password: None,
        })
    }

    /// The first owner who never set a password, with a link for the next generation.
    pub(super) async fn invite_again(&self, tenant: &Tenant) -> Result<Option<OwnerPlan>, Refusal> {
        let owners = self.owners_of(tenant.id).await?;
        let waiting = owners.into_iter().find(|user| !user.has_password);
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

    /// The owners of a tenant, whatever its status.
    async fn owners_of(&self, id: TenantId) -> Result<Vec<User>, Refusal> {
        self.owners(&self.enter_whatever_its_status(id).await?)
            .await
    }
}
