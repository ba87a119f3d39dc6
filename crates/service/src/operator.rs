//! What an operator does about a tenant's people from the command line. Nobody is signed in there:
//! whoever may run the program may do it, whatever the tenant's status.

use tenantry_core::password::Password;
use tenantry_core::session::EndReason;
use tenantry_core::user::User;
use tenantry_core::{Email, Secret, TenantId};
use tenantry_store::TenantCtx;

use crate::attempts::in_tenant;
use crate::refusal::Chain;
use crate::sessions::{Lapsed, subject};
use crate::{Refusal, Service};

impl Service {
    /// Enters a tenant whatever its status. For what is done about the tenant, never for what one of
    /// its people asks.
    pub(crate) async fn enter_whatever_its_status(
        &self,
        tenant: TenantId,
    ) -> Result<TenantCtx, Refusal> {
        let mut control = self.control().read().await?;
        let entered = control.tenants().enter_regardless_of_status(tenant).await?;
        entered.ok_or(Refusal::NotFound)
    }

    /// Enters a tenant whatever its status. For the command line, never for a request.
    pub async fn enter_as_operator(&self, tenant: TenantId) -> Result<TenantCtx, Refusal> {
        self.enter_whatever_its_status(tenant).await
    }

    async fn find_by_email(&self, ctx: &TenantCtx, email: &Email) -> Result<User, Refusal> {
        let mut tx = self.pools().read(ctx).await.map_err(Refusal::tenant(ctx))?;
        let found = tx.users().find_by_email(email).await;
        let record = found.map_err(Refusal::tenant(ctx))?;
        Ok(record.ok_or(Refusal::NotFound)?.user)
    }

    /// Lifts the block that wrong tries put on a person's account in a tenant.
    pub async fn unlock_user(&self, tenant: TenantId, email: &Email) -> Result<(), Refusal> {
        let ctx = self.enter_as_operator(tenant).await?;
        let user = self.find_by_email(&ctx, email).await?;
        self.unlock_person(ctx.id(), &user).await
    }

    /// Gives somebody a new password, drawn at random, that must be changed at the first sign-in.
    /// Ends the person's sessions, and lifts the block of wrong tries.
    pub async fn reset_password_of(
        &self,
        ctx: &TenantCtx,
        email: &Email,
    ) -> Result<Secret<String>, Refusal> {
        let user = self.find_by_email(ctx, email).await?;
        let drawn = tenantry_keys::generated::password(self.entropy());
        let password = Password::offered(drawn.expose()).ok_or(Refusal::NotFound)?;
        let hash = self.hash_password(Some(ctx.id()), password).await?;
        let set = in_tenant!(self, ctx, |tx| tx
            .users()
            .set_password(user.id, &hash, true)
            .await?)?;
        if !set {
            return Err(Refusal::NotFound);
        }
        // The password is set: whatever goes wrong from here on, it is to be shown.
        if let Err(refusal) = self.unlock_person(ctx.id(), &user).await {
            tracing::warn!(error = %Chain(&refusal), "an account stays blocked for wrong tries of the password before");
        }
        let all = Lapsed::Of(subject(ctx, user.id), None, EndReason::Password);
        self.end_lapsed(all).await;
        Ok(drawn)
    }
}
