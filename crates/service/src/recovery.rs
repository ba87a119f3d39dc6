//! Setting a new password without the old one: by a link, or by a one-time code.
//!
//! What is asked for is only written down ([`wanted`](crate::wanted)); looking for the accounts comes
//! after the answer. Where no tenant is named, one mail lists each tenant of the address with a link
//! or code of its own, and each changes that tenant's person and nobody else.

mod code;
mod link;

use std::net::IpAddr;

use tenantry_core::one_time::Purpose;
use tenantry_core::{Email, Locale, TenantId};
use tenantry_keys::token::TokenKind;
use tenantry_mail::Message;
use tenantry_mail::message::PasswordChanged;

use crate::outbox::Letter;
use crate::refusal::Chain;
use crate::resolve::Resolved;
use crate::setup::SetupView;
use crate::signin::{Candidate, Login};
use crate::wanted::{Wanted, What};
use crate::{Refusal, Service};

pub use code::Proof;

/// How somebody wants to prove that the address is theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// By a link.
    Link,
    /// By six digits.
    Code,
}

impl Service {
    /// Asks for a mail with which a new password can be set. The outcome is the same whether or not
    /// anybody has the address.
    pub async fn ask_for_reset(
        &self,
        tenant: &Resolved,
        email: &Email,
        way: Way,
        locale: Locale,
        ip: Option<IpAddr>,
    ) -> Result<(), Refusal> {
        let tenant = match tenant {
            Resolved::Closed(_) => return Err(Refusal::TenantUnavailable),
            Resolved::Open(ctx) => Some((ctx.id(), ctx.generation())),
            Resolved::None => None,
        };
        // By network alone: too many to one address are left out without a word.
        self.attempt(None, &[], ip).await?;
        self.want(
            &Wanted {
                email: email.clone(),
                locale,
                tenant,
                what: match way {
                    Way::Link => What::ResetLink,
                    Way::Code => What::ResetCode,
                },
            },
            ip,
        )
        .await
    }

    /// Whose password a reset link sets. Uses nothing up.
    pub async fn reset_view(
        &self,
        token: &str,
        hinted: Option<TenantId>,
    ) -> Result<SetupView, Refusal> {
        self.link_view((TokenKind::Reset, Purpose::Reset), token, hinted)
            .await
    }

    /// Sets a new password by a reset link or the proof that a code fitted, ends every session of
    /// the person, and mails a notice.
    pub async fn reset_password(
        &self,
        token: &str,
        password: &str,
        hinted: Option<TenantId>,
        locale: Locale,
        ip: Option<IpAddr>,
    ) -> Result<SetupView, Refusal> {
        let kind = (TokenKind::Reset, Purpose::Reset);
        let view = self
            .password_by_link(kind, token, password, hinted, ip)
            .await?;
        let told = self.tell_changed(&view, locale).await;
        self.after_new_password(&view).await;
        told.map(|()| view)
    }

    /// Mails the notice that a password was changed.
    pub(crate) async fn tell_changed(
        &self,
        view: &SetupView,
        locale: Locale,
    ) -> Result<(), Refusal> {
        let mut tx = self.control().begin().await?;
        let tenant = match &view.tenant {
            Some(tenant) => {
                let hosts = tx.domains().list_hosts(tenant.id).await?;
                self.settings().mail_tenant(tenant, &hosts)?
            }
            None => self.settings().mail_platform()?,
        };
        let letter = Letter {
            to: view.email.clone(),
            locale,
            message: Message::PasswordChanged(PasswordChanged {
                tenant,
                at: self.clock().now(),
            }),
        };
        let of = view.tenant.as_ref().map(|tenant| tenant.id);
        self.post_mail(&mut tx, of, &letter).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Everybody who gets in by an address, in the tenant that was named or anywhere.
    async fn people_of(
        &self,
        wanted: &Wanted,
        tenant: &Resolved,
    ) -> Result<Vec<Candidate>, Refusal> {
        let login = Login::Email(wanted.email.clone());
        let mut found = self.candidates(tenant, &login).await?;
        found.retain(|candidate| !candidate.disabled() && candidate.account().is_some());
        Ok(found)
    }
}

/// Whether a mail can be written from what came together: where nothing did because tenants are in
/// trouble, the wish is taken up again.
fn something_written(nothing: bool, failed: Option<Refusal>) -> Result<(), Refusal> {
    match failed {
        Some(refusal) if nothing => Err(refusal),
        Some(refusal) => {
            tracing::warn!(error = %Chain(&refusal), "a tenant is left out of a mail about a forgotten password");
            Ok(())
        }
        None => Ok(()),
    }
}
