//! The mail with links to set a new password.

use tenantry_core::Email;
use tenantry_core::one_time::Purpose;
use tenantry_keys::token::TokenKind;
use tenantry_mail::Message;
use tenantry_mail::message::{PasswordReset, ResetLink};

use crate::attempts::in_tenant;
use crate::one_time::{Minted, scope};
use crate::outbox::Letter;
use crate::resolve::Resolved;
use crate::signin::Candidate;
use crate::wanted::{Wanted, Written};
use crate::{Refusal, Service};

impl Service {
    /// One mail that lists each account of an address with a link of its own; none where there is
    /// no account.
    pub(crate) async fn write_reset_link(
        &self,
        wanted: &Wanted,
        tenant: &Resolved,
    ) -> Result<Written, Refusal> {
        let (mut to, mut links, mut failed) = (None, Vec::new(), None);
        for candidate in self.people_of(wanted, tenant).await? {
            match self.reset_link(candidate).await {
                Ok(Some((email, link))) => {
                    to = Some(email);
                    links.push(link);
                }
                Ok(None) => {}
                // One tenant's trouble must not keep a person out of another.
                Err(refusal) => failed = Some(refusal),
            }
        }
        super::something_written(links.is_empty(), failed)?;
        let mail = PasswordReset::new(links, Purpose::Reset.lifetime());
        Ok(to.zip(mail).map(|(to, mail)| {
            let letter = Letter {
                to,
                locale: wanted.locale,
                message: Message::PasswordReset(mail),
            };
            (tenant.id(), letter)
        }))
    }

    /// Somebody's link, stored where it counts, and the address it goes to.
    async fn reset_link(
        &self,
        candidate: Candidate,
    ) -> Result<Option<(Email, ResetLink)>, Refusal> {
        let scope = match &candidate {
            Candidate::User(ctx, _) => Some(scope(ctx)),
            Candidate::Admin(_) | Candidate::Nobody => None,
        };
        let lifetime = Purpose::Reset.lifetime();
        let Minted { token, stored } =
            self.mint_secret(scope, TokenKind::Reset, Purpose::Reset, lifetime);
        let path = format!("/reset-password/{}", token.expose());
        let (email, url, shown) = match candidate {
            Candidate::User(ctx, record) => {
                let user = record.user;
                in_tenant!(self, &ctx, |tx| tx.secrets().add(user.id, &stored).await?)?;
                let hosts = self.hosts_of(&ctx).await?;
                let url = self.settings().tenant_url(ctx.tenant(), &hosts);
                let shown = self.settings().mail_tenant(ctx.tenant(), &hosts)?;
                (user.email, url, shown)
            }
            Candidate::Admin(record) => {
                let mut tx = self.control().begin().await?;
                tx.one_time().add(record.admin.id, &stored).await?;
                tx.commit().await?;
                let url = self.settings().public_url.clone();
                (record.admin.email, url, self.settings().mail_platform()?)
            }
            Candidate::Nobody => return Ok(None),
        };
        let link = ResetLink {
            tenant: shown,
            link: crate::links::link(&url, &path)?,
        };
        Ok(Some((email, link)))
    }
}
