//! Changing one's address: a link to the new one, and following it.

use tenantry_core::one_time::Purpose;
use tenantry_core::session::{EndReason, Subject};
use tenantry_core::tenant::Tenant;
use tenantry_core::user::User;
use tenantry_core::webhooks::EventKind;
use tenantry_core::{Email, Locale, OneTimeId, TenantId, Timestamp, UserId};
use tenantry_keys::token::{BoundToken, TokenKind};
use tenantry_mail::message::{AddressChanged, NewAddress};
use tenantry_mail::{Message, PlainName};
use tenantry_store::control::Reservation;
use tenantry_store::tenant::{Change, Changed, SecretOwner, TenantTx};
use tenantry_store::{StoreError, TenantCtx};

use crate::attempts::in_tenant;
use crate::directory::Tell;
use crate::links::link;
use crate::one_time::{Minted, scope};
use crate::outbox::Letter;
use crate::sessions::{Lapsed, Principal, subject};
use crate::signin::Person;
use crate::throttle::Typed;
use crate::{Refusal, Service};

/// What a mail to a new address counts as.
const ASKED: &str = "new_address";

/// What following a link would change.
#[derive(Debug, Clone)]
pub struct NewAddressView {
    /// The tenant.
    pub tenant: Tenant,
    /// The address the person has now.
    pub from: Email,
    /// The one the link proves.
    pub to: Email,
}

/// A changed address.
#[derive(Debug, Clone)]
pub struct ConfirmedAddress {
    /// What was changed.
    pub change: NewAddressView,
    /// Whose address it is.
    pub subject: Subject,
    /// Whether the session that followed the link goes on; every other has ended.
    pub signed_in: bool,
}

/// A link that was shown, with what it is about.
struct Shown {
    ctx: TenantCtx,
    token: BoundToken,
    owner: SecretOwner,
    user: User,
    to: Email,
}

/// What using a link came to in the tenant's database.
enum Used {
    Gone,
    Taken,
    Changed(Box<User>),
}

impl Service {
    /// Mails a link to the address somebody wants to have. The one from before counts no more.
    pub(super) async fn mail_new_address(
        &self,
        ctx: &TenantCtx,
        user: &User,
        to: &Email,
        locale: Locale,
    ) -> Result<(), Refusal> {
        let minted = self.mint_secret(
            Some(scope(ctx)),
            TokenKind::NewAddress,
            Purpose::NewAddress,
            Purpose::NewAddress.lifetime(),
        );
        let letter = self
            .new_address_letter(ctx, user, to, &minted, locale)
            .await?;
        // Somebody else's address may be typed, and somebody else gets the mail: few to each
        // address, and few by each person. Left out without a word, as other mails are.
        let kept = [format!("to:{}", to.key()), format!("by:{}", user.id)];
        let mut tx = self.control().begin().await?;
        let mut may = true;
        for name in kept {
            let typed = Typed {
                tenant: Some(ctx.id()),
                name,
            };
            may &= self.may_ask(ASKED, &typed, None, &mut tx).await?;
        }
        tx.commit().await?;
        if !may {
            return Ok(());
        }
        in_tenant!(self, ctx, |tx| tx
            .secrets()
            .add_about(user.id, &minted.stored, Some(to.as_str()))
            .await?)?;
        let mut tx = self.control().begin().await?;
        self.post_mail(&mut tx, Some(ctx.id()), &letter).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn new_address_letter(
        &self,
        ctx: &TenantCtx,
        user: &User,
        to: &Email,
        minted: &Minted,
        locale: Locale,
    ) -> Result<Letter, Refusal> {
        let hosts = self.hosts_of(ctx).await?;
        let url = self.settings().tenant_url(ctx.tenant(), &hosts);
        let path = format!("/verify-email/{}", minted.token.expose());
        Ok(Letter {
            to: to.clone(),
            locale,
            message: Message::NewAddress(NewAddress {
                tenant: self.settings().mail_tenant(ctx.tenant(), &hosts)?,
                person: user.full_name.as_deref().and_then(PlainName::clean),
                link: link(&url, &path)?,
                expires_at: minted.stored.expires_at,
            }),
        })
    }

    /// Whether a token is of a link that proves a new address, whatever became of it.
    pub fn is_new_address_token(&self, token: &str) -> bool {
        let tokens = self.keyring().tokens();
        tokens.parse(token, TokenKind::NewAddress).is_some()
    }

    async fn shown_address(&self, token: &str, hinted: Option<TenantId>) -> Result<Shown, Refusal> {
        let token = self.linked_token(TokenKind::NewAddress, token, hinted)?;
        let ctx = self.linked_tenant(&token).await?;
        let ctx = ctx.ok_or(Refusal::TokenInvalid)?;
        let now = self.clock().now();
        let mut tx = self
            .pools()
            .read(&ctx)
            .await
            .map_err(Refusal::tenant(&ctx))?;
        let owner = tx
            .secrets()
            .find_good(
                OneTimeId::from_uuid(token.id),
                Purpose::NewAddress,
                token.hash.as_bytes(),
                now,
            )
            .await;
        let owner = owner.map_err(Refusal::tenant(&ctx))?;
        let owner = owner.ok_or(Refusal::TokenInvalid)?;
        let record = tx.users().lookup(owner.user).await;
        drop(tx);
        let record = record.map_err(Refusal::tenant(&ctx))?;
        let user = record.ok_or(Refusal::TokenInvalid)?.user;
        let to = owner.payload.as_deref().and_then(|text| text.parse().ok());
        Ok(Shown {
            to: to.ok_or(Refusal::TokenInvalid)?,
            ctx,
            token,
            owner,
            user,
        })
    }

    /// What following a link would change. Uses nothing up, so that a mail scanner that follows
    /// links does no harm.
    pub async fn new_address_view(
        &self,
        token: &str,
        hinted: Option<TenantId>,
    ) -> Result<NewAddressView, Refusal> {
        let shown = self.shown_address(token, hinted).await?;
        Ok(NewAddressView {
            tenant: shown.ctx.tenant().clone(),
            from: shown.user.email,
            to: shown.to,
        })
    }

    /// Changes the address as a link permits, and uses the link up with it. Everything else that was
    /// mailed to the person counts no more, and a notice goes to the old address. The session that
    /// followed the link goes on, where it is the person's; the others end.
    ///
    /// # Errors
    /// [`Refusal::EmailTaken`] where somebody else has the address; the link stays good.
    pub async fn confirm_new_address(
        &self,
        token: &str,
        hinted: Option<TenantId>,
        signed_in: Option<&Principal>,
        locale: Locale,
    ) -> Result<ConfirmedAddress, Refusal> {
        let shown = self.shown_address(token, hinted).await?;
        let (ctx, id, to) = (&shown.ctx, shown.owner.user, &shown.to);
        let entry = self.entry_for(ctx, id, to, shown.user.role);
        if self.reserve_entry(&entry).await? == Reservation::Taken {
            return Err(Refusal::EmailTaken);
        }
        let now = self.clock().now();
        let token = &shown.token;
        let used = in_tenant!(self, ctx, |tx| use_link(&mut tx, token, id, to, now)
            .await?);
        let used = self
            .settle_after(ctx, id, Some(&entry), used, |used| match used {
                Used::Changed(after) => Tell::This(EventKind::UserUpdated, after),
                Used::Gone | Used::Taken => Tell::Nothing,
            })
            .await?;
        match used {
            Used::Gone => return Err(Refusal::TokenInvalid),
            Used::Taken => return Err(Refusal::EmailTaken),
            Used::Changed(_) => {}
        }
        let told = self.tell_old_address(&shown, now, locale).await;
        let signed_in = self.carry_on(&shown, signed_in).await;
        told?;
        let subject = subject(ctx, id);
        Ok(ConfirmedAddress {
            subject,
            change: NewAddressView {
                tenant: shown.ctx.tenant().clone(),
                from: shown.user.email,
                to: shown.to,
            },
            signed_in,
        })
    }

    /// Ends the person's sessions but the one that followed the link, where it is the person's.
    async fn carry_on(&self, shown: &Shown, signed_in: Option<&Principal>) -> bool {
        let own = signed_in.filter(|principal| match &principal.person {
            Person::User { ctx, user } => ctx.id() == shown.ctx.id() && user.id == shown.owner.user,
            Person::Admin(_) => false,
        });
        let own = own.map(|principal| &principal.session);
        // First of all, so that whoever followed the link stays signed in.
        let carried = match own {
            Some(session) => {
                let from = shown.user.security_version;
                self.carry_session(session, from).await
            }
            None => false,
        };
        let (person, keep) = (
            subject(&shown.ctx, shown.owner.user),
            own.map(|session| session.id),
        );
        self.end_lapsed(Lapsed::Of(person, keep, EndReason::Address))
            .await;
        carried
    }

    /// Mails the notice of a changed address to the one it was before.
    async fn tell_old_address(
        &self,
        shown: &Shown,
        at: Timestamp,
        locale: Locale,
    ) -> Result<(), Refusal> {
        let hosts = self.hosts_of(&shown.ctx).await?;
        let letter = Letter {
            to: shown.user.email.clone(),
            locale,
            message: Message::AddressChanged(AddressChanged {
                tenant: self.settings().mail_tenant(shown.ctx.tenant(), &hosts)?,
                at,
            }),
        };
        let mut tx = self.control().begin().await?;
        self.post_mail(&mut tx, Some(shown.ctx.id()), &letter)
            .await?;
        tx.commit().await?;
        Ok(())
    }
}

/// Uses a link up and changes the row; where the address is taken, the link stays good.
async fn use_link(
    tx: &mut TenantTx,
    token: &BoundToken,
    id: UserId,
    to: &Email,
    now: Timestamp,
) -> Result<Used, StoreError> {
    tx.users().hold().await?;
    let secret = OneTimeId::from_uuid(token.id);
    let used = tx
        .secrets()
        .use_up(secret, Purpose::NewAddress, token.hash.as_bytes(), now)
        .await?;
    if used.is_none() {
        return Ok(Used::Gone);
    }
    let change = Change {
        email: Some(to),
        ..Change::default()
    };
    match tx.users().change(id, &change).await? {
        Changed::Yes => {}
        Changed::EmailTaken => {
            tx.secrets()
                .give_back(secret, Purpose::NewAddress, now)
                .await?;
            return Ok(Used::Taken);
        }
        Changed::Gone | Changed::UsernameTaken | Changed::LastOwner => return Ok(Used::Gone),
    }
    tx.secrets().void_all(id, now).await?;
    let record = tx.users().lookup(id).await?;
    Ok(record.map_or(Used::Gone, |record| Used::Changed(Box::new(record.user))))
}
