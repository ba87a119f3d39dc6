//! Asking, and proving the address.

use std::net::IpAddr;
use std::time::Duration;

use tenantry_core::application::{ApplicationState, Signup};
use tenantry_core::{ApplicationId, Email, Locale, Slug};
use tenantry_keys::token::{BoundToken, TokenKind};
use tenantry_mail::Message;
use tenantry_mail::message::ConfirmApplication;
use tenantry_store::control::ApplicationRecord;

use super::deciding::Overrides;
use super::{Applicant, ApplicationView, shown_name};
use crate::outbox::Letter;
use crate::staff::checked_full_name;
use crate::tenants::{Created, TenantView, checked_name};
use crate::throttle::Typed;
use crate::{FieldError, Refusal, Service};

/// How long the link is good with which the address is proven.
const LIFETIME: Duration = Duration::from_hours(24);

/// Somebody who wants a tenant, as typed.
#[derive(Debug, Clone)]
pub struct NewApplication {
    /// The name the tenant is to have.
    pub name: String,
    /// The slug that is wished for.
    pub slug: String,
    /// The address of whoever asks, who is to be the owner.
    pub email: String,
    /// The name of whoever asks, if any.
    pub full_name: Option<String>,
}

/// What proving the address came to.
pub enum Confirmed {
    /// It waits for somebody to decide.
    Waiting(ApplicationView),
    /// The tenant is there. The link to the first password is in a mail.
    Made(Box<TenantView>),
}

/// What was typed, taken apart.
struct Asked {
    name: String,
    slug: Slug,
    email: Email,
    full_name: Option<String>,
}

fn read(new: &NewApplication) -> Result<Asked, Refusal> {
    let mut errors = Vec::new();
    let mut wrong = |error: FieldError| errors.push(error);
    let name = checked_name(&new.name).map_err(&mut wrong);
    let slug = new.slug.parse::<Slug>();
    let slug = slug.map_err(|error| wrong(FieldError::new("slug", "invalid", error)));
    let email = new.email.parse::<Email>();
    let email = email.map_err(|error| wrong(FieldError::new("email", "invalid", error)));
    let full_name = checked_full_name(new.full_name.as_deref()).map_err(&mut wrong);
    match (name, slug, email, full_name) {
        (Ok(name), Ok(slug), Ok(email), Ok(full_name)) => Ok(Asked {
            name,
            slug,
            email,
            full_name,
        }),
        _ => Err(Refusal::Validation(errors)),
    }
}

impl Service {
    /// Whether anybody can ask for a tenant.
    pub fn expect_signup(&self) -> Result<(), Refusal> {
        match self.settings().signup {
            Signup::Closed => Err(Refusal::Forbidden),
            Signup::Apply | Signup::Open => Ok(()),
        }
    }

    /// Asks for a tenant. The address is proven by a link in a mail, and the outcome is the same
    /// whatever is known of it; that a slug is taken is no secret, since slugs are in addresses.
    pub async fn apply(
        &self,
        new: &NewApplication,
        locale: Locale,
        ip: Option<IpAddr>,
    ) -> Result<(), Refusal> {
        // First of all: what is refused leaves an entry in the audit, so strangers' tries are counted.
        self.attempt(None, &[], ip).await?;
        self.expect_signup()?;
        let Asked {
            name,
            slug,
            email,
            full_name,
        } = read(new)?;
        let id = ApplicationId::generate(self.clock(), self.entropy());
        let (token, hash) =
            self.keyring()
                .tokens()
                .mint(TokenKind::Application, None, id.uuid(), self.entropy());
        let typed = Typed {
            tenant: None,
            name: email.key(),
        };
        let who = Applicant {
            email,
            full_name,
            locale,
        };
        let now = self.clock().now();
        let record = ApplicationRecord {
            id,
            state: ApplicationState::PendingProof,
            name,
            slug: slug.to_string(),
            applicant: self.seal_applicant(id, &who)?,
            expires_at: now + LIFETIME,
            reason: None,
            tenant: None,
            created_at: now,
            proven_at: None,
            decided_at: None,
        };
        let path = format!("/signup/{}", token.expose());
        let mail = ConfirmApplication {
            wished: self.wished_link(&slug)?,
            person: shown_name(&who),
            link: crate::links::link(&self.settings().public_url, &path)?,
            expires_at: record.expires_at,
        };
        let letter = Letter {
            to: who.email,
            locale,
            message: Message::ConfirmApplication(mail),
        };
        let mut tx = self.control().begin().await?;
        if tx.tenants().find_by_slug(&slug).await?.is_some() {
            return Err(Refusal::SlugTaken);
        }
        // Too many to one address are left out without a word.
        if self.may_ask("application", &typed, ip, &mut tx).await? {
            tx.applications().add(&record, hash.as_bytes()).await?;
            self.post_mail(&mut tx, None, &letter).await?;
        }
        Ok(tx.commit().await?)
    }

    fn application_token(&self, token: &str) -> Result<BoundToken, Refusal> {
        let tokens = self.keyring().tokens();
        let token = tokens.parse(token, TokenKind::Application);
        token.ok_or(Refusal::TokenInvalid)
    }

    /// The application whose link this is. Uses nothing up, so that a mail scanner that follows links
    /// does no harm.
    pub async fn application_of(&self, token: &str) -> Result<ApplicationView, Refusal> {
        let token = self.application_token(token)?;
        self.expect_signup()?;
        let id = ApplicationId::from_uuid(token.id);
        let now = self.clock().now();
        let mut tx = self.control().read().await?;
        let found = tx
            .applications()
            .find_good(id, token.hash.as_bytes(), now)
            .await?;
        let found = found.ok_or(Refusal::TokenInvalid)?;
        // Nothing can come of one that nobody can read.
        self.open_applicant(&found).await?;
        Ok(self.application_view(found).await)
    }

    /// Proves the address with a link. Where tenants are open to whoever proves one, it is made now;
    /// what can't be made waits for somebody to look at it, and the link can be used again.
    pub async fn confirm_application(
        &self,
        token: &str,
        wait: Duration,
    ) -> Result<Confirmed, Refusal> {
        let view = self.application_of(token).await?;
        let token = self.application_token(token)?;
        let now = self.clock().now();
        let mut tx = self.control().begin().await?;
        if tx
            .applications()
            .mark_proven(view.id, token.hash.as_bytes(), now)
            .await?
        {
            self.shared().announce_application(&mut tx, &view).await?;
            tx.commit().await?;
        } else {
            drop(tx);
        }
        if self.settings().signup == Signup::Open {
            let made = self
                .approve_application(view.id, Overrides::default(), wait)
                .await;
            match made {
                Ok(Created::Active(tenant) | Created::Later(tenant, _)) => {
                    return Ok(Confirmed::Made(tenant));
                }
                Err(refusal) => {
                    tracing::warn!(application.id = %view.id, %refusal, "a tenant that was asked for could not be made; its application waits");
                }
            }
        }
        let mut tx = self.control().read().await?;
        let found = tx.applications().lookup(view.id).await?;
        let found = found.ok_or(Refusal::TokenInvalid)?;
        Ok(Confirmed::Waiting(self.application_view(found).await))
    }
}
