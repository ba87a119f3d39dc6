//! Setup links: somebody sets the first password.

use std::net::IpAddr;

use tenantry_core::one_time::Purpose;
use tenantry_core::session::{EndReason, Subject};
use tenantry_core::tenant::Tenant;
use tenantry_core::{Email, OneTimeId, TenantId};
use tenantry_keys::token::{BoundToken, TokenKind};
use tenantry_store::control::Entry;
use tenantry_store::{Hint, Origin, TenantCtx};

use crate::attempts::in_tenant;
use crate::password::Holder;
use crate::refusal::Chain;
use crate::sessions::Lapsed;
use crate::throttle::Account;
use crate::{Refusal, Service};

/// For whom a setup link is.
#[derive(Debug, Clone)]
pub struct SetupView {
    /// The tenant; `None` for a platform admin.
    pub tenant: Option<Tenant>,
    /// The person's address.
    pub email: Email,
    /// The person, as sessions name it.
    pub subject: Subject,
    /// The person's names, which a password must not be made of.
    names: Vec<String>,
    /// The name the person signs in with, if any.
    username: Option<String>,
}

impl SetupView {
    fn holder(&self) -> Holder {
        let holder = self
            .tenant
            .as_ref()
            .map_or_else(Holder::outside, Holder::in_tenant);
        let names = self.names.iter().map(String::as_str).map(Some);
        names.fold(holder.address(&self.email), Holder::named)
    }
}

impl Service {
    /// The token of a link, if it was issued here and is not shown under another tenant.
    pub(crate) fn linked_token(
        &self,
        kind: TokenKind,
        token: &str,
        hinted: Option<TenantId>,
    ) -> Result<BoundToken, Refusal> {
        let token = self
            .keyring()
            .tokens()
            .parse(token, kind)
            .ok_or(Refusal::TokenInvalid)?;
        if hinted.is_some_and(|hinted| token.tenant != Some(hinted)) {
            return Err(Refusal::TokenInvalid);
        }
        Ok(token)
    }

    /// The tenant of a link, in the life the link was made in.
    pub(crate) async fn linked_tenant(
        &self,
        token: &BoundToken,
    ) -> Result<Option<TenantCtx>, Refusal> {
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
        self.link_view((TokenKind::Setup, Purpose::Setup), token, hinted)
            .await
    }

    /// For whom a link to set a password is.
    pub(crate) async fn link_view(
        &self,
        (kind, purpose): (TokenKind, Purpose),
        token: &str,
        hinted: Option<TenantId>,
    ) -> Result<SetupView, Refusal> {
        let token = self.linked_token(kind, token, hinted)?;
        let id = OneTimeId::from_uuid(token.id);
        let now = self.clock().now();
        if let Some(ctx) = self.linked_tenant(&token).await? {
            let mut tx = self
                .pools()
                .read(&ctx)
                .await
                .map_err(Refusal::tenant(&ctx))?;
            let owner = tx
                .secrets()
                .find_good(id, purpose, token.hash.as_bytes(), now)
                .await;
            let owner = owner
                .map_err(Refusal::tenant(&ctx))?
                .ok_or(Refusal::TokenInvalid)?;
            let record = tx
                .users()
                .lookup(owner.user)
                .await
                .map_err(Refusal::tenant(&ctx))?;
            let user = record.ok_or(Refusal::TokenInvalid)?.user;
            return Ok(SetupView {
                tenant: Some(ctx.tenant().clone()),
                email: user.email,
                subject: Subject::User {
                    tenant: ctx.id(),
                    generation: ctx.generation(),
                    user: owner.user,
                },
                names: user
                    .username
                    .clone()
                    .into_iter()
                    .chain(user.full_name)
                    .collect(),
                username: user.username,
            });
        }
        let mut tx = self.control().read().await?;
        let admin = tx
            .one_time()
            .find_good(id, purpose, token.hash.as_bytes(), now)
            .await?;
        let record = tx
            .admins()
            .lookup(admin.ok_or(Refusal::TokenInvalid)?)
            .await?;
        let admin = record.ok_or(Refusal::TokenInvalid)?.admin;
        Ok(SetupView {
            tenant: None,
            email: admin.email,
            subject: Subject::Admin(admin.id),
            names: admin.full_name.into_iter().collect(),
            username: None,
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
        let kind = (TokenKind::Setup, Purpose::Setup);
        let view = self
            .password_by_link(kind, token, password, hinted, ip)
            .await?;
        self.after_new_password(&view).await;
        Ok(view)
    }

    /// Sets the password that a link permits, and uses the link up with it. What follows from it is
    /// [`after_new_password`](Self::after_new_password).
    pub(crate) async fn password_by_link(
        &self,
        (kind, purpose): (TokenKind, Purpose),
        token: &str,
        password: &str,
        hinted: Option<TenantId>,
        ip: Option<IpAddr>,
    ) -> Result<SetupView, Refusal> {
        let attempt = self.attempt(None, &[], ip).await?;
        let view = self.link_view((kind, purpose), token, hinted).await?;
        // The link is good; whatever is wrong with the password is no guess at one.
        self.succeed(attempt, &[]).await?;
        let token = self.linked_token(kind, token, hinted)?;
        let password = self
            .chosen_password("password", password, &view.holder())
            .await?;
        let hash = self.hash_password(token.tenant, password).await?;
        let id = OneTimeId::from_uuid(token.id);
        let now = self.clock().now();
        if let Some(ctx) = self.linked_tenant(&token).await? {
            let used = in_tenant!(self, &ctx, |tx| {
                let used = tx
                    .secrets()
                    .use_up(id, purpose, token.hash.as_bytes(), now)
                    .await?;
                if let Some(owner) = &used {
                    tx.users().set_password(owner.user, &hash, false).await?;
                }
                used
            })?;
            used.ok_or(Refusal::TokenInvalid)?;
        } else {
            let mut tx = self.control().begin().await?;
            let admin = tx
                .one_time()
                .use_up(id, purpose, token.hash.as_bytes(), now)
                .await?;
            let admin = admin.ok_or(Refusal::TokenInvalid)?;
            tx.admins().set_password(admin, &hash).await?;
            tx.commit().await?;
        }
        Ok(view)
    }

    /// What follows from a password that was set by a link, which nothing of it can undo: the block
    /// that wrong tries put on the account is lifted, and the person's sessions are marked as ended.
    pub(crate) async fn after_new_password(&self, view: &SetupView) {
        let account = match view.subject {
            Subject::User { tenant, user, .. } => Account::User(tenant, user),
            Subject::Admin(admin) => Account::Admin(admin),
        };
        // Whoever could prove the address needs no longer wait for the old password's guesses.
        let mut names = vec![view.email.key()];
        names.extend(view.username.as_ref().map(|name| name.to_ascii_lowercase()));
        if let Err(refusal) = self.unlock(account, &names).await {
            tracing::warn!(error = %Chain(&refusal), "an account stays blocked for wrong tries of the password before");
        }
        self.end_lapsed(Lapsed::Of(view.subject, None, EndReason::Password))
            .await;
    }
}
