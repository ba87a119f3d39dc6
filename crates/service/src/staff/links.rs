//! Links with which somebody who was added chooses the first password.

use std::time::Duration;

use tenantry_core::one_time::Purpose;
use tenantry_core::throttle::Limits;
use tenantry_core::user::User;
use tenantry_core::{Email, Locale, UserId};
use tenantry_keys::token::TokenKind;
use tenantry_mail::message::SetupLink;
use tenantry_mail::{Message, PlainName};
use tenantry_store::TenantCtx;

use super::{Acting, hold};
use crate::attempts::in_tenant;
use crate::links::link;
use crate::one_time::{Minted, scope};
use crate::outbox::Letter;
use crate::throttle::Typed;
use crate::{Refusal, Service};

/// How long the link is good that somebody is invited with: whoever was added on a Friday may be
/// back a week later.
pub(super) const INVITED: Duration = Duration::from_hours(7 * 24);

impl Service {
    /// Mails the link again with which somebody sets the first password; the one from before counts
    /// no more. Not to somebody who has a password of their own: that one is set anew by its owner.
    pub async fn send_setup_link(
        &self,
        acting: &Acting<'_>,
        id: UserId,
        locale: Locale,
    ) -> Result<(), Refusal> {
        let ctx = acting.ctx;
        let before = self.find_touchable(acting, id).await?;
        if before.disabled_at.is_some() {
            return Err(Refusal::Conflict(
                "this person is kept out; let the person in again first".to_owned(),
            ));
        }
        if before.has_password && !before.must_change_password {
            return Err(Refusal::Conflict(
                "this person has a password already; a forgotten one is set anew by its owner on the sign-in page".to_owned(),
            ));
        }
        self.expect_few_links(acting, &before.email).await?;
        let minted = self.mint_secret(Some(scope(ctx)), TokenKind::Setup, Purpose::Setup, INVITED);
        let by = acting.user_id();
        let added = in_tenant!(self, ctx, |tx| {
            let held = hold(&mut tx, by, id).await?;
            if held.is_ok() {
                tx.secrets().add(id, &minted.stored).await?;
            }
            held
        })?;
        let (_, user) = added?;
        self.mail_setup_link(ctx, &user, &minted, locale).await
    }

    /// Refuses where too many links were mailed to an address an hour.
    pub(super) async fn expect_few_links(
        &self,
        acting: &Acting<'_>,
        email: &Email,
    ) -> Result<(), Refusal> {
        let typed = Typed {
            tenant: Some(acting.ctx.id()),
            name: email.key(),
        };
        let mut tx = self.control().begin().await?;
        let may = self.may_ask("setup_link", &typed, None, &mut tx).await?;
        tx.commit().await?;
        if may {
            Ok(())
        } else {
            Err(Refusal::RateLimited(Limits::ASKING.pause))
        }
    }

    /// Mails a setup link whose secret is stored.
    pub(super) async fn mail_setup_link(
        &self,
        ctx: &TenantCtx,
        user: &User,
        minted: &Minted,
        locale: Locale,
    ) -> Result<(), Refusal> {
        let hosts = self.hosts_of(ctx).await?;
        let url = self.settings().tenant_url(ctx.tenant(), &hosts);
        let path = format!("/setup/password/{}", minted.token.expose());
        let message = Message::SetupLink(SetupLink {
            tenant: self.settings().mail_tenant(ctx.tenant(), &hosts)?,
            person: user.full_name.as_deref().and_then(PlainName::clean),
            link: link(&url, &path)?,
            expires_at: minted.stored.expires_at,
            sign_in_url: link(&url, "/login")?,
        });
        let letter = Letter {
            to: user.email.clone(),
            locale,
            message,
        };
        let mut tx = self.control().begin().await?;
        self.post_mail(&mut tx, Some(ctx.id()), &letter).await?;
        tx.commit().await?;
        Ok(())
    }
}
