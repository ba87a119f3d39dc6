//! What an operator does about a tenant's people from the command line. Nobody is signed in there:
//! whoever may run the program may do it, whatever the tenant's status.

use tenantry_core::password::Password;
use tenantry_core::session::EndReason;
use tenantry_core::{Email, Secret, TenantId};
use tenantry_store::TenantCtx;

use crate::attempts::in_tenant;
use crate::signin::hash_refusal;
use crate::throttle::Account;
use crate::{Refusal, Service};

impl Service {
    /// Enters a tenant whatever its status. For the command line, never for a request.
    pub async fn enter_as_operator(&self, tenant: TenantId) -> Result<TenantCtx, Refusal> {
        let mut control = self.control().read().await?;
        let entered = control.tenants().enter_regardless_of_status(tenant).await?;
        entered.ok_or(Refusal::NotFound)
    }

    /// Gives somebody a new password, drawn at random, that must be changed at the first sign-in.
    /// Ends the person's sessions, and lifts the block of wrong tries.
    pub async fn reset_password_of(
        &self,
        ctx: &TenantCtx,
        email: &Email,
    ) -> Result<Secret<String>, Refusal> {
        let record = {
            let mut tx = self.pools().read(ctx).await.map_err(Refusal::tenant(ctx))?;
            let found = tx.users().find_by_email(email).await;
            found.map_err(Refusal::tenant(ctx))?
        };
        let user = record.ok_or(Refusal::NotFound)?.user;
        let drawn = tenantry_keys::generated::password(self.entropy());
        let password = Password::offered(drawn.expose()).ok_or(Refusal::NotFound)?;
        let hash = self
            .hasher()
            .hash(Some(ctx.id()), password)
            .await
            .map_err(hash_refusal)?;
        let set = in_tenant!(self, ctx, |tx| tx
            .users()
            .set_password(user.id, &hash, true)
            .await?)?;
        if !set {
            return Err(Refusal::NotFound);
        }
        let mut names = vec![user.email.key()];
        names.extend(user.username.map(|name| name.to_ascii_lowercase()));
        self.unlock(Account::User(ctx.id(), user.id), &names)
            .await?;
        self.end_sessions_of(ctx, user.id, None, EndReason::Password)
            .await?;
        Ok(drawn)
    }
}
