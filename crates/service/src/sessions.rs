//! Sessions and the tokens that carry them.

mod authenticate;
mod elsewhere;
mod ended;
mod ending;
mod limit;
mod own;
mod place;
mod principal;
mod refresh;
mod used;

pub(crate) use authenticate::Judged;
pub(crate) use ending::{Lapsed, subject};
pub use own::{NoSessionPlace, SessionPlace};
pub(crate) use place::open_store;
pub use principal::Principal;
pub use refresh::Renewed;

use principal::Derived;

use std::time::Duration;

use tenantry_claims::Claims;
use tenantry_core::session::{Handle, Session, SessionKind, Subject};
use tenantry_core::tenant::tenant_code;
use tenantry_core::{DeviceId, Role, Secret, SessionId};
use tenantry_keys::token::{BoundToken, TokenHash, TokenKind};
use tenantry_sessions::StoredSession;

use crate::attempts::in_tenant;
use crate::signin::{Client, Person};
use crate::{Refusal, Service};

/// How long an access token is good.
pub const ACCESS_TOKEN: Duration = Duration::from_mins(10);

/// After how long a session's last use is noted anew. Less often would blur the idle time, more
/// often would cost a write for each request.
const TOUCH_AFTER: Duration = Duration::from_mins(1);

/// The most characters of a `User-Agent` that are kept.
const USER_AGENT: usize = 200;

/// A session that was just begun or renewed, with the secrets that carry it.
pub struct Issued {
    /// The session.
    pub session: Session,
    /// The cookie's value, or the refresh token.
    pub token: Secret<String>,
    /// The access token, for API clients.
    pub access_token: Option<Secret<String>>,
}

/// What a session is begun with that is not begun with a password.
#[derive(Clone, Copy)]
pub(crate) struct OnDevice {
    /// The device.
    pub(crate) device: DeviceId,
    /// Tells the PIN from every other.
    pub(crate) pin_digest: [u8; 32],
}

/// What a request shows to prove who sends it.
#[derive(Clone, Copy)]
pub enum Credential<'a> {
    /// A browser's cookie.
    Cookie(&'a str),
    /// An access token.
    Bearer(&'a str),
}

impl Service {
    fn mint(
        &self,
        kind: SessionKind,
        subject: &Subject,
        id: SessionId,
    ) -> (Secret<String>, TokenHash) {
        let tokens = self.keyring().tokens();
        tokens.mint(token_kind(kind), subject.scope(), id.uuid(), self.entropy())
    }

    /// Begins a session for somebody whose identity was just proved.
    pub(crate) async fn begin_session(
        &self,
        person: &Person,
        client: &Client,
    ) -> Result<Issued, Refusal> {
        self.begin_session_on(person, client, None).await
    }

    /// The same, on a device with which it ends.
    pub(crate) async fn begin_session_on(
        &self,
        person: &Person,
        client: &Client,
        on: Option<OnDevice>,
    ) -> Result<Issued, Refusal> {
        let now = self.clock().now();
        let subject = person.subject();
        let id = SessionId::generate(self.clock(), self.entropy());
        let (role, security_version) = match person {
            Person::User { user, .. } => (user.role, user.security_version),
            Person::Admin(admin) => (Role::PlatformAdmin, admin.security_version),
        };
        let lifetime = self.settings().lifetimes.of(role);
        let session = Session {
            id,
            subject,
            security_version,
            kind: client.kind,
            created_at: now,
            last_seen_at: self.after_all_others(&subject, now).await?,
            expires_at: now + lifetime.absolute,
            idle: lifetime.idle,
            ended_at: None,
            user_agent: client
                .user_agent
                .as_ref()
                .map(|agent| agent.chars().take(USER_AGENT).collect()),
        };
        let (token, hash) = self.mint(client.kind, &session.subject, id);
        self.sessions_store()
            .add(&StoredSession {
                session: session.clone(),
                token_hash: hash.into_bytes(),
                device: on.map(|on| on.device),
                pin_digest: on.map(|on| on.pin_digest),
                end_reason: None,
            })
            .await?;
        self.keep_to_limit(&session).await?;
        match person {
            Person::Admin(admin) => {
                let mut tx = self.control().begin().await?;
                tx.admins().mark_signed_in(admin.id, now).await?;
                tx.commit().await?;
            }
            Person::User { ctx, user } => {
                in_tenant!(self, ctx, |tx| tx
                    .users()
                    .mark_signed_in(user.id, now)
                    .await?)?;
            }
        }
        self.issued(person, session, token)
    }

    fn issued(
        &self,
        person: &Person,
        session: Session,
        token: Secret<String>,
    ) -> Result<Issued, Refusal> {
        let access_token = match session.kind {
            SessionKind::Api => Some(self.access_token(person, &session)?),
            SessionKind::Browser => None,
        };
        Ok(Issued {
            session,
            token,
            access_token,
        })
    }

    fn access_token(&self, person: &Person, session: &Session) -> Result<Secret<String>, Refusal> {
        let now = self.clock().now();
        let issuer = self.issuer();
        let (sub, role, tenant) = match person {
            Person::User { ctx, user } => (user.id.uuid(), user.role, Some(ctx.tenant())),
            Person::Admin(admin) => (admin.id.uuid(), Role::PlatformAdmin, None),
        };
        let claims = Claims {
            iss: issuer.clone(),
            aud: issuer,
            sub: sub.to_string(),
            iat: now.seconds(),
            exp: (now + ACCESS_TOKEN).seconds(),
            jti: SessionId::generate(self.clock(), self.entropy()).to_string(),
            sid: session.id.to_string(),
            tid: tenant.map(|tenant| tenant.id.to_string()),
            tslug: tenant.map(|tenant| tenant.slug.to_string()),
            tcode: tenant.map(|tenant| tenant_code(&self.settings().code_prefix, tenant.number)),
            tgen: tenant.map(|tenant| tenant.generation.number()),
            role: role.to_string(),
        };
        self.keyring()
            .sign(&claims)
            .map_err(Refusal::failed("an access token could not be signed"))
    }

    /// Who issues access tokens and whom they are for: the public URL's origin.
    pub fn issuer(&self) -> String {
        self.settings().public_url.origin().ascii_serialization()
    }
}

/// What a session's token says of it.
fn handle(token: &BoundToken) -> Handle {
    Handle {
        scope: token.tenant.zip(token.generation),
        id: SessionId::from_uuid(token.id),
    }
}

const fn token_kind(kind: SessionKind) -> TokenKind {
    match kind {
        SessionKind::Browser => TokenKind::Session,
        SessionKind::Api => TokenKind::Refresh,
    }
}
