//! Registering: somebody makes an account in a tenant that is open to it.
//!
//! With the address to be proven, nothing is made until the link in the mail was followed, and the
//! answer is the same whether or not the address is known: whoever has an account already is told so
//! by mail. Usernames are names that others see, so a taken one is told at once. Who has an address
//! or a username is decided by the constraints of the tenant's table, never by a look before.

mod expiry;
mod proving;

use std::time::Duration;

pub(crate) use expiry::Expiring;
pub use proving::{Proven, RegistrationView};
use serde::{Deserialize, Serialize};
use tenantry_core::one_time::Purpose;
use tenantry_core::tenant::Registration as Rule;
use tenantry_core::user::Username;
use tenantry_core::webhooks::EventKind;
use tenantry_core::{Email, Locale, Role, UserId};
use tenantry_keys::token::TokenKind;
use tenantry_mail::Message;
use tenantry_mail::message::{AlreadyRegistered, VerifyAddress};
use tenantry_store::control::{Entry, Reservation};
use tenantry_store::tenant::{Added, NewUser, Registration, UserRecord};
use tenantry_store::{Hint, Origin, TenantCtx};

use crate::attempts::in_tenant;
use crate::directory::Tell;
use crate::one_time::scope;
use crate::outbox::Letter;
use crate::password::Holder;
use crate::resolve::Resolved;
use crate::sessions::Issued;
use crate::signin::{Client, Person};
use crate::staff::checked_full_name;
use crate::wanted::{Wanted, What, Written};
use crate::{FieldError, Refusal, Service};

/// How long the link is good with which an address is proven.
const LIFETIME: Duration = Duration::from_hours(24);

/// Somebody who wants an account, as typed.
pub struct NewRegistration {
    /// The name to sign in with.
    pub username: String,
    /// The address.
    pub email: String,
    /// The password.
    pub password: String,
    /// The name to show, if any.
    pub full_name: Option<String>,
}

/// What a registration is remembered as until its mail is written.
#[derive(Serialize, Deserialize)]
pub(crate) struct Wish {
    username: String,
    full_name: Option<String>,
    password_hash: String,
}

/// How a registration ended.
pub enum Registered {
    /// The person is there and signed in.
    In(Box<(Person, Issued)>),
    /// A mail is on its way to the address.
    ToBeProven,
}

/// What was typed, taken apart.
struct Typed {
    email: Email,
    username: Username,
    full_name: Option<String>,
}

/// What receivers are told of somebody who was to be added.
fn told((added, record): &(Added, Option<UserRecord>)) -> Tell<'_> {
    let record = record.as_ref().filter(|_| *added == Added::Yes);
    Tell::of(EventKind::UserCreated, record.map(|record| &record.user))
}

impl Service {
    /// Makes an account in the tenant a request means.
    pub async fn register(
        &self,
        tenant: &Resolved,
        new: &NewRegistration,
        locale: Locale,
        client: &Client,
    ) -> Result<Registered, Refusal> {
        // First of all: what is refused leaves an entry in the audit, so strangers' tries are counted.
        let attempt = self.attempt(None, &[], client.ip).await?;
        let mapped = self.mapped_tenant(tenant, &new.email).await?;
        let ctx = match mapped.as_ref().unwrap_or(tenant) {
            Resolved::None => return Err(Refusal::TenantRequired),
            Resolved::Closed(_) => return Err(Refusal::TenantUnavailable),
            Resolved::Open(ctx) => ctx,
        };
        if ctx.tenant().registration != Rule::Open {
            return Err(Refusal::Forbidden);
        }
        let (typed, password) = self.typed(ctx, new).await?;
        let hash = self.hash_password(Some(ctx.id()), password).await?;
        if !ctx.tenant().verify_email {
            let person = self.add_registered(ctx, &typed, &hash).await?;
            self.succeed(attempt, &[]).await?;
            let issued = self.begin_session(&person, client).await?;
            return Ok(Registered::In(Box::new((person, issued))));
        }
        let mut tx = self.pools().read(ctx).await.map_err(Refusal::tenant(ctx))?;
        let taken = tx.users().find_by_username(&typed.username).await;
        drop(tx);
        if taken.map_err(Refusal::tenant(ctx))?.is_some() {
            return Err(Refusal::UsernameTaken);
        }
        self.want(
            &Wanted {
                email: typed.email,
                locale,
                tenant: Some(scope(ctx)),
                what: What::Registration(Wish {
                    username: typed.username.as_str().to_owned(),
                    full_name: typed.full_name,
                    password_hash: hash,
                }),
            },
            client.ip,
        )
        .await?;
        Ok(Registered::ToBeProven)
    }

    /// The tenant that a proven mail domain leads to, where the request names none.
    async fn mapped_tenant(
        &self,
        tenant: &Resolved,
        email: &str,
    ) -> Result<Option<Resolved>, Refusal> {
        let (Resolved::None, Ok(email)) = (tenant, email.parse::<Email>()) else {
            return Ok(None);
        };
        let mut tx = self.control().read().await?;
        let mapped = tx.domains().find_by_mail_domain(&email.domain()).await?;
        let Some(id) = mapped else { return Ok(None) };
        let entry = tx.tenants().enter(&Hint::Id(id), Origin::Directory).await?;
        Ok(entry.map(|entry| match entry {
            Entry::Open(ctx) => Resolved::Open(ctx),
            Entry::Closed(tenant) => Resolved::Closed(tenant),
        }))
    }

    /// Takes apart what was typed; everything that is wrong is told at once.
    async fn typed(
        &self,
        ctx: &TenantCtx,
        new: &NewRegistration,
    ) -> Result<(Typed, tenantry_core::password::Password), Refusal> {
        let mut errors = Vec::new();
        let mut wrong = |error: FieldError| errors.push(error);
        let email = new.email.parse::<Email>();
        let email = email.map_err(|error| wrong(FieldError::new("email", "invalid", error)));
        let username = new.username.parse::<Username>();
        let username =
            username.map_err(|error| wrong(FieldError::new("username", "invalid", error)));
        let name = checked_full_name(new.full_name.as_deref()).map_err(&mut wrong);
        let mut holder = Holder::in_tenant(ctx.tenant()).named(new.full_name.as_deref());
        holder = holder.named(Some(&new.username));
        if let Ok(email) = &email {
            holder = holder.address(email);
        }
        let permitted = self.permitted_password("password", &new.password, &holder);
        let permitted = permitted.map_err(&mut wrong).is_ok();
        let (Ok(email), Ok(username), Ok(full_name), true) = (email, username, name, permitted)
        else {
            return Err(Refusal::Validation(errors));
        };
        let password = self
            .chosen_password("password", &new.password, &holder)
            .await?;
        let typed = Typed {
            email,
            username,
            full_name,
        };
        Ok((typed, password))
    }

    /// Adds a member whose names are still free.
    async fn add_registered(
        &self,
        ctx: &TenantCtx,
        typed: &Typed,
        password_hash: &str,
    ) -> Result<Person, Refusal> {
        let id = UserId::generate(self.clock(), self.entropy());
        let entry = self.entry_for(ctx, id, &typed.email, Role::Member);
        if self.reserve_entry(&entry).await? == Reservation::Taken {
            return Err(Refusal::EmailTaken);
        }
        let new = self.member(id, typed, password_hash);
        let added = in_tenant!(self, ctx, |tx| {
            let added = tx.users().add(&new).await?;
            (added, tx.users().lookup(id).await?)
        });
        let (added, record) = self
            .settle_after(ctx, id, Some(&entry), added, told)
            .await?;
        match added {
            Added::EmailTaken => return Err(Refusal::EmailTaken),
            Added::UsernameTaken => return Err(Refusal::UsernameTaken),
            Added::Yes => {}
        }
        let user = record.ok_or(Refusal::NotFound)?.user;
        Ok(Person::User {
            ctx: ctx.clone(),
            user,
        })
    }

    fn member<'a>(&self, id: UserId, typed: &'a Typed, password_hash: &'a str) -> NewUser<'a> {
        NewUser {
            id,
            email: &typed.email,
            username: Some(&typed.username),
            full_name: typed.full_name.as_deref(),
            role: Role::Member,
            password_hash: Some(password_hash),
            must_change_password: false,
            created_at: self.clock().now(),
        }
    }

    /// The mail for somebody who registered: the link that proves the address, or, where somebody
    /// has it, that there is an account.
    pub(crate) async fn write_registration(
        &self,
        wanted: &Wanted,
        wish: &Wish,
        ctx: &TenantCtx,
    ) -> Result<Written, Refusal> {
        if ctx.tenant().registration != Rule::Open {
            return Ok(None);
        }
        let hosts = self.hosts_of(ctx).await?;
        let url = self.settings().tenant_url(ctx.tenant(), &hosts);
        let shown = self.settings().mail_tenant(ctx.tenant(), &hosts)?;
        let unreadable = Refusal::failed("a registration could not be read");
        let username: Username = wish.username.parse().map_err(unreadable)?;
        let now = self.clock().now();
        let minted = self.mint_secret(
            Some(scope(ctx)),
            TokenKind::Registration,
            Purpose::Setup,
            LIFETIME,
        );
        let registration = Registration {
            id: minted.stored.id,
            email: wanted.email.clone(),
            username,
            full_name: wish.full_name.clone(),
            password_hash: wish.password_hash.clone(),
            expires_at: minted.stored.expires_at,
        };
        self.note_expiry(ctx.id(), registration.expires_at).await?;
        let holder = in_tenant!(self, ctx, |tx| {
            let holder = tx.users().find_by_email(&wanted.email).await?;
            tx.registrations().remove_done(now, &wanted.email).await?;
            if holder.is_none() {
                tx.registrations()
                    .add(&registration, &minted.stored.hash, now)
                    .await?;
            }
            holder
        })?;
        let (to, message) = match holder {
            Some(holder) => (
                holder.user.email,
                Message::AlreadyRegistered(AlreadyRegistered {
                    tenant: shown,
                    sign_in_url: crate::links::link(&url, "/login")?,
                    forgot_url: crate::links::link(&url, "/forgot-password")?,
                }),
            ),
            None => (
                wanted.email.clone(),
                Message::VerifyAddress(VerifyAddress {
                    tenant: shown,
                    username: wish.username.clone(),
                    link: crate::links::link(
                        &url,
                        &format!("/verify-email/{}", minted.token.expose()),
                    )?,
                    expires_at: minted.stored.expires_at,
                }),
            ),
        };
        let letter = Letter {
            to,
            locale: wanted.locale,
            message,
        };
        Ok(Some((Some(ctx.id()), letter)))
    }
}
