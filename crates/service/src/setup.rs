//! Setup links: somebody sets the first password.

use std::net::IpAddr;

use tenantry_core::one_time::Purpose;
use tenantry_core::password::{Password, PasswordError};
use tenantry_core::session::{EndReason, Subject};
use tenantry_core::tenant::Tenant;
use tenantry_core::{Email, OneTimeId, TenantId};
use tenantry_keys::token::{BoundToken, TokenKind};
use tenantry_store::control::Entry;
use tenantry_store::{Hint, Origin, TenantCtx};

use crate::attempts::in_tenant;
use crate::signin::hash_refusal;
use crate::throttle::Account;
use crate::{Refusal, Service};

/// For whom a setup link is.
#[derive(Debug, Clone)]
pub struct SetupView {
    /// The tenant; `None` for a platform admin.
    pub tenant: Option<Tenant>,
    /// The person's address.
    pub email: Email,
}

impl Service {
    /// The token of a setup link, if it was issued here and is not shown under another tenant.
    fn setup_token(&self, token: &str, hinted: Option<TenantId>) -> Result<BoundToken, Refusal> {
        let token = self
            .keyring()
            .tokens()
            .parse(token, TokenKind::Setup)
            .ok_or(Refusal::TokenInvalid)?;
        if hinted.is_some_and(|hinted| token.tenant != Some(hinted)) {
            return Err(Refusal::TokenInvalid);
        }
        Ok(token)
    }

    async fn setup_tenant(&self, token: &BoundToken) -> Result<Option<TenantCtx>, Refusal> {
        let Some(tenant) = token.tenant else {
            return Ok(None);
        };
        let entry = self
            .control()
            .read()
            .await?
            .tenants()
            .enter(&Hint::Id(tenant), Origin::Token)
            .await?;
        match entry {
            Some(Entry::Open(ctx)) if Some(ctx.generation()) == token.generation => Ok(Some(ctx)),
            _ => Err(Refusal::TokenInvalid),
        }
    }

    /// For whom a setup link is. Uses nothing up, so that a mail scanner that follows links does
    /// no harm.
    pub async fn setup_view(
        &self,
        token: &str,
        hinted: Option<TenantId>,
    ) -> Result<SetupView, Refusal> {
        let token = self.setup_token(token, hinted)?;
        let id = OneTimeId::from_uuid(token.id);
        let now = self.clock().now();
        if let Some(ctx) = self.setup_tenant(&token).await? {
            let mut tx = self
                .pools()
                .read(&ctx)
                .await
                .map_err(Refusal::tenant(&ctx))?;
            let owner = tx
                .secrets()
                .find_good(id, Purpose::Setup, token.hash.as_bytes(), now)
                .await;
            let owner = owner
                .map_err(Refusal::tenant(&ctx))?
                .ok_or(Refusal::TokenInvalid)?;
            let record = tx
                .users()
                .lookup(owner.user)
                .await
                .map_err(Refusal::tenant(&ctx))?;
            let email = record.ok_or(Refusal::TokenInvalid)?.user.email;
            return Ok(SetupView {
                tenant: Some(ctx.tenant().clone()),
                email,
            });
        }
        let mut tx = self.control().read().await?;
        let admin = tx
            .one_time()
            .find_good(id, Purpose::Setup, token.hash.as_bytes(), now)
            .await?;
        let record = tx
            .admins()
            .lookup(admin.ok_or(Refusal::TokenInvalid)?)
            .await?;
        Ok(SetupView {
            tenant: None,
            email: record.ok_or(Refusal::TokenInvalid)?.admin.email,
        })
    }

    /// Sets the password a setup link permits, and uses the link up with it.
    pub async fn setup_password(
        &self,
        token: &str,
        password: &str,
        hinted: Option<TenantId>,
        ip: Option<IpAddr>,
    ) -> Result<SetupView, Refusal> {
        let attempt = self.attempt(None, &[], ip).await?;
        let view = self.setup_view(token, hinted).await?;
        // The link is good; whatever is wrong with the password is no guess at one.
        self.succeed(attempt, &[]).await?;
        let token = self.setup_token(token, hinted)?;
        let password = self.chosen_password("password", password)?;
        let hash = self
            .hasher()
            .hash(token.tenant, password)
            .await
            .map_err(hash_refusal)?;
        let id = OneTimeId::from_uuid(token.id);
        let now = self.clock().now();
        let subject = if let Some(ctx) = self.setup_tenant(&token).await? {
            let owner = in_tenant!(self, &ctx, |tx| {
                let used = tx
                    .secrets()
                    .use_up(id, Purpose::Setup, token.hash.as_bytes(), now)
                    .await?;
                if let Some(owner) = &used {
                    tx.users().set_password(owner.user, &hash, false).await?;
                }
                used
            })?;
            let owner = owner.ok_or(Refusal::TokenInvalid)?;
            Subject::User {
                tenant: ctx.id(),
                generation: ctx.generation(),
                user: owner.user,
            }
        } else {
            let mut tx = self.control().begin().await?;
            let admin = tx
                .one_time()
                .use_up(id, Purpose::Setup, token.hash.as_bytes(), now)
                .await?;
            let admin = admin.ok_or(Refusal::TokenInvalid)?;
            tx.admins().set_password(admin, &hash).await?;
            tx.commit().await?;
            Subject::Admin(admin)
        };
        let account = match subject {
            Subject::User { tenant, user, .. } => Account::User(tenant, user),
            Subject::Admin(admin) => Account::Admin(admin),
        };
        // Whoever could prove the address needs no longer wait for the old password's guesses.
        self.unlock(account, &[view.email.key()]).await?;
        // The security version has already ended them; this tells the person's list of sessions.
        let mut tx = self.control().begin().await?;
        tx.sessions()
            .end_others(&subject, None, EndReason::Password, now)
            .await?;
        tx.commit().await?;
        Ok(view)
    }

    /// A password somebody wants to have from now on.
    pub(crate) fn chosen_password(
        &self,
        field: &'static str,
        text: &str,
    ) -> Result<Password, Refusal> {
        Password::chosen(text, self.settings().passwords).map_err(|error| {
            let code = match error {
                PasswordError::TooShort(_) => "too_short",
                PasswordError::TooLong(_) => "too_long",
            };
            Refusal::field(field, code, error)
        })
    }
}
