//! Mails that strangers ask for: written down as asked, answered at once, and looked into afterwards.
//!
//! Whether an account exists decides only whether a mail is written later. The answer is given
//! before anybody looks, so that nothing in it, its time included, depends on that.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use tenantry_core::{Email, Generation, Locale, OutboxId, TenantId};
use tenantry_store::{Hint, Origin, TenantCtx};

use crate::outbox::Letter;
use crate::registration::Wish;
use crate::resolve::Resolved;
use crate::throttle::Typed;
use crate::{Refusal, Service};

/// A mail somebody asked for.
#[derive(Serialize, Deserialize)]
pub(crate) struct Wanted {
    /// The address that was typed. A mail goes to the stored one only, where there is one.
    pub(crate) email: Email,
    /// The language it was asked for in.
    pub(crate) locale: Locale,
    /// The tenant that was named, as it was then.
    pub(crate) tenant: Option<(TenantId, Generation)>,
    /// What is wanted.
    pub(crate) what: What,
}

/// What a mail is asked for.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum What {
    /// A link to set a new password.
    ResetLink,
    /// A one-time code to set a new password.
    ResetCode,
    /// A link to prove the address somebody registers with.
    Registration(Wish),
}

impl What {
    const fn as_str(&self) -> &'static str {
        match self {
            Self::ResetLink => "reset_link",
            Self::ResetCode => "reset_code",
            Self::Registration(_) => "registration",
        }
    }
}

/// A written mail, and the tenant whose outbox it is in.
pub(crate) type Written = Option<(Option<TenantId>, Letter)>;

impl Service {
    /// Writes down that a mail is wanted, unless there were too many of the kind to this address.
    pub(crate) async fn want(&self, wanted: &Wanted, from: Option<IpAddr>) -> Result<(), Refusal> {
        let tenant = wanted.tenant.map(|(tenant, _)| tenant);
        let id = OutboxId::generate(self.clock(), self.entropy());
        let sealed = self.shared().seal_wanted(id, wanted)?;
        let typed = Typed {
            tenant,
            name: wanted.email.key(),
        };
        let mut tx = self.control().begin().await?;
        let what = wanted.what.as_str();
        if self.may_ask(what, &typed, from, &mut tx).await? {
            tx.outbox()
                .add(id, tenant, &sealed, self.clock().now())
                .await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// Looks into what is wanted; the mail to send, if there is one.
    pub(crate) async fn write_wanted(&self, wanted: &Wanted) -> Result<Written, Refusal> {
        let tenant = match wanted.tenant {
            None => Resolved::None,
            Some((id, generation)) => match self.same_life(id, generation).await? {
                Some(ctx) => Resolved::Open(ctx),
                // It ended meanwhile, or nobody gets in.
                None => return Ok(None),
            },
        };
        match &wanted.what {
            What::ResetLink => self.write_reset_link(wanted, &tenant).await,
            What::ResetCode => self.write_reset_code(wanted, &tenant).await,
            What::Registration(wish) => match tenant.open() {
                Some(ctx) => self.write_registration(wanted, wish, ctx).await,
                None => Ok(None),
            },
        }
    }

    async fn same_life(
        &self,
        id: TenantId,
        generation: Generation,
    ) -> Result<Option<TenantCtx>, Refusal> {
        let mut tx = self.control().read().await?;
        let entry = tx.tenants().enter(&Hint::Id(id), Origin::Token).await?;
        Ok(match entry {
            Some(tenantry_store::control::Entry::Open(ctx)) if ctx.generation() == generation => {
                Some(ctx)
            }
            _ => None,
        })
    }
}
