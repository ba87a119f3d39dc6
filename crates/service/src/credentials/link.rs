//! Links with which an owner changes an application's database credentials and sees the new ones.

use std::net::IpAddr;
use std::time::Duration;

use tenantry_core::one_time::Purpose;
use tenantry_core::tenant::Tenant;
use tenantry_core::{Email, OneTimeId, Role, TenantId};
use tenantry_keys::token::{BoundToken, TokenKind};
use tenantry_mail::message::CredentialsLink;
use tenantry_mail::{Message, PlainName};
use tenantry_store::control::Entry;
use tenantry_store::{Hint, Origin, TenantCtx};

use super::{Access, Rotated, conflict};
use crate::one_time::{Minted, scope};
use crate::outbox::Letter;
use crate::{Refusal, Service};

/// What a link to new credentials would change.
#[derive(Debug, Clone)]
pub struct CredentialsLinkView {
    /// The tenant.
    pub tenant: Tenant,
    /// The owner it was mailed to.
    pub email: Email,
    /// The login that works now, if there is one.
    pub old_user: Option<String>,
    /// How long that one goes on working afterwards, at most.
    pub grace: Duration,
    /// How long to wait first, where an earlier change is under way or drains.
    pub busy: Option<Duration>,
}

impl Service {
    /// Mails each owner who can get in a link.
    pub(super) async fn mail_credentials_links(&self, tenant: &Tenant) -> Result<Rotated, Refusal> {
        let ctx = self.enter_whatever_its_status(tenant.id).await?;
        let owners = self.owners(&ctx).await?;
        if owners.is_empty() {
            return Err(conflict(
                "nobody in the tenant is an owner who could be sent a link; have the credentials shown here instead",
            ));
        }
        let now = self.clock().now();
        let expires_at = now + Purpose::Credentials.lifetime();
        let mut letters = Vec::new();
        let mut secrets = self
            .pools()
            .begin(&ctx)
            .await
            .map_err(Refusal::tenant(&ctx))?;
        for owner in &owners {
            let Minted { token, stored } = self.mint_secret(
                Some(scope(&ctx)),
                TokenKind::Credentials,
                Purpose::Credentials,
                Purpose::Credentials.lifetime(),
            );
            let added = secrets.secrets().add(owner.id, &stored).await;
            added.map_err(Refusal::tenant(&ctx))?;
            letters.push((owner, token));
        }
        secrets.commit().await.map_err(Refusal::tenant(&ctx))?;
        // After the links are good. One that is never mailed opens nothing for anybody.
        let mut tx = self.control().begin().await?;
        let hosts = tx.domains().list_hosts(ctx.id()).await?;
        let url = self.settings().tenant_url(ctx.tenant(), &hosts);
        for (owner, token) in letters {
            let path = format!("/setup/credentials/{}", token.expose());
            let message = Message::CredentialsLink(CredentialsLink {
                tenant: self.settings().mail_tenant(ctx.tenant(), &hosts)?,
                person: owner.full_name.as_deref().and_then(PlainName::clean),
                link: crate::links::link(&url, &path)?,
                expires_at,
            });
            let letter = Letter {
                to: owner.email.clone(),
                locale: self.settings().mail_locale,
                message,
            };
            self.post_mail(&mut tx, Some(ctx.id()), &letter).await?;
        }
        tx.commit().await?;
        Ok(Rotated::Mailed {
            to: owners.into_iter().map(|owner| owner.email).collect(),
            expires_at,
        })
    }

    /// The token of a link, if it was issued here and is not shown under another tenant.
    async fn credentials_token(
        &self,
        token: &str,
        hinted: Option<TenantId>,
    ) -> Result<(BoundToken, TenantCtx), Refusal> {
        let token = self
            .keyring()
            .tokens()
            .parse(token, TokenKind::Credentials)
            .ok_or(Refusal::TokenInvalid)?;
        let tenant = token.tenant.ok_or(Refusal::TokenInvalid)?;
        if hinted.is_some_and(|hinted| hinted != tenant) {
            return Err(Refusal::TokenInvalid);
        }
        let mut tx = self.control().read().await?;
        match tx.tenants().enter(&Hint::Id(tenant), Origin::Token).await? {
            Some(Entry::Open(ctx)) if Some(ctx.generation()) == token.generation => {
                Ok((token, ctx))
            }
            _ => Err(Refusal::TokenInvalid),
        }
    }

    /// What a link would change. Uses nothing up, so that a mail scanner that follows links does no
    /// harm.
    pub async fn credentials_link_view(
        &self,
        token: &str,
        hinted: Option<TenantId>,
    ) -> Result<CredentialsLinkView, Refusal> {
        let (token, ctx) = self.credentials_token(token, hinted).await?;
        let now = self.clock().now();
        let id = OneTimeId::from_uuid(token.id);
        let mut tx = self
            .pools()
            .read(&ctx)
            .await
            .map_err(Refusal::tenant(&ctx))?;
        let owner = tx
            .secrets()
            .find_good(id, Purpose::Credentials, token.hash.as_bytes(), now)
            .await
            .map_err(Refusal::tenant(&ctx))?
            .ok_or(Refusal::TokenInvalid)?;
        let record = tx.users().lookup(owner.user).await;
        let record = record.map_err(Refusal::tenant(&ctx))?;
        // A person who is no owner any more has lost the right to what the link permits.
        let user = record.map(|record| record.user);
        let user = user.filter(|user| user.role == Role::Owner);
        let email = user.ok_or(Refusal::TokenInvalid)?.email;
        drop(tx);
        let turns = self.turns(ctx.id(), ctx.generation()).await?;
        let grace = self.settings().drain;
        let busy = match turns.retires_at(grace) {
            Some(until) if until > now => Some(until.since(now)),
            _ => turns.pending.map(|_| self.settings().pace.lease),
        };
        Ok(CredentialsLinkView {
            tenant: ctx.tenant().clone(),
            email,
            old_user: turns.active.map(|active| active.name),
            grace,
            busy,
        })
    }

    /// Changes the credentials as a link permits, uses the link up with it, and shows the new ones.
    /// A change that is refused or comes to nothing leaves the link good.
    pub async fn use_credentials_link(
        &self,
        token: &str,
        hinted: Option<TenantId>,
        ip: Option<IpAddr>,
    ) -> Result<(Tenant, Access), Refusal> {
        let attempt = self.attempt(None, &[], ip).await?;
        self.credentials_link_view(token, hinted).await?;
        self.succeed(attempt, &[]).await?;
        let (token, ctx) = self.credentials_token(token, hinted).await?;
        self.expect_free(ctx.tenant()).await?;
        let id = OneTimeId::from_uuid(token.id);
        let now = self.clock().now();
        // Before the change: two who come at once must not change the credentials twice. Should this
        // process die in between, the link is lost, which harms nobody.
        let mut tx = self
            .pools()
            .begin(&ctx)
            .await
            .map_err(Refusal::tenant(&ctx))?;
        let used = tx
            .secrets()
            .use_up(id, Purpose::Credentials, token.hash.as_bytes(), now)
            .await;
        used.map_err(Refusal::tenant(&ctx))?
            .ok_or(Refusal::TokenInvalid)?;
        tx.commit().await.map_err(Refusal::tenant(&ctx))?;
        let rotated = self.rotate(ctx.tenant()).await;
        let mut tx = self
            .pools()
            .begin(&ctx)
            .await
            .map_err(Refusal::tenant(&ctx))?;
        let noted = if rotated.is_ok() {
            // What was asked for is done; the other owners' links are for the same.
            tx.secrets().void(Purpose::Credentials, now).await.map(drop)
        } else {
            let given = tx.secrets().give_back(id, Purpose::Credentials, now).await;
            given.map(drop)
        };
        let noted = match noted {
            Ok(()) => tx.commit().await,
            Err(error) => Err(error),
        };
        if let Err(error) = noted {
            // Whoever waits for the new credentials gets them all the same.
            drop(Refusal::tenant(&ctx)(error));
        }
        Ok((ctx.tenant().clone(), rotated?))
    }
}
