//! Sessions and the tokens that carry them.

use std::time::Duration;

use tenantry_claims::Claims;
use tenantry_core::session::{self, EndReason, Facts, Lifetime, Session, SessionKind, Subject};
use tenantry_core::tenant::tenant_code;
use tenantry_core::{Role, Secret, SessionId, TenantId};
use tenantry_keys::signing::VerifyError;
use tenantry_keys::token::{TokenHash, TokenKind};
use tenantry_store::control::{Entry, StoredSession};
use tenantry_store::{Hint, Origin};
use uuid::Uuid;

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

/// What a request shows to prove who sends it.
#[derive(Clone, Copy)]
pub enum Credential<'a> {
    /// A browser's cookie.
    Cookie(&'a str),
    /// An access token.
    Bearer(&'a str),
}

/// Somebody who is signed in, as of now.
#[derive(Debug, Clone)]
pub struct Principal {
    /// The session.
    pub session: Session,
    /// Who it is.
    pub person: Person,
}

impl Principal {
    /// What the person may do.
    pub const fn role(&self) -> Role {
        match &self.person {
            Person::User { user, .. } => user.role,
            Person::Admin(_) => Role::PlatformAdmin,
        }
    }
}

/// How renewing a session ended.
pub enum Renewed {
    /// It goes on, with new secrets.
    Yes(Box<(Person, Issued)>),
    /// The token was used before, by this person or with this person's token; the session is ended.
    Reused(Subject),
}

impl Service {
    fn mint(
        &self,
        kind: SessionKind,
        subject: &Subject,
        id: SessionId,
    ) -> (Secret<String>, TokenHash) {
        let scope = match subject {
            Subject::User {
                tenant, generation, ..
            } => Some((*tenant, *generation)),
            Subject::Admin(_) => None,
        };
        self.keyring()
            .tokens()
            .mint(token_kind(kind), scope, id.uuid(), self.entropy())
    }

    /// Begins a session for somebody whose identity was just proved.
    pub(crate) async fn begin_session(
        &self,
        person: &Person,
        client: &Client,
    ) -> Result<Issued, Refusal> {
        let now = self.clock().now();
        let id = SessionId::generate(self.clock(), self.entropy());
        let (role, security_version) = match person {
            Person::User { user, .. } => (user.role, user.security_version),
            Person::Admin(admin) => (Role::PlatformAdmin, admin.security_version),
        };
        let lifetime = Lifetime::for_role(role);
        let session = Session {
            id,
            subject: person.subject(),
            security_version,
            kind: client.kind,
            created_at: now,
            last_seen_at: now,
            expires_at: now + lifetime.absolute,
            idle: lifetime.idle,
            ended_at: None,
            user_agent: client
                .user_agent
                .as_ref()
                .map(|agent| agent.chars().take(USER_AGENT).collect()),
        };
        let (token, hash) = self.mint(client.kind, &session.subject, id);
        let mut tx = self.control().begin().await?;
        tx.sessions()
            .add(&StoredSession {
                session: session.clone(),
                token_hash: hash.into_bytes(),
            })
            .await?;
        if let Person::Admin(admin) = person {
            tx.admins().mark_signed_in(admin.id, now).await?;
        }
        tx.commit().await?;
        if let Person::User { ctx, user } = person {
            in_tenant!(self, ctx, |tx| tx
                .users()
                .mark_signed_in(user.id, now)
                .await?)?;
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

    /// Who sends a request. With a tenant named by the request, a credential of another one is
    /// refused exactly as garbage would be.
    pub async fn authenticate(
        &self,
        credential: Credential<'_>,
        hinted: Option<TenantId>,
    ) -> Result<Principal, Refusal> {
        let (id, tenant, hash) = match credential {
            Credential::Cookie(text) => {
                let token = self
                    .keyring()
                    .tokens()
                    .parse(text, TokenKind::Session)
                    .ok_or(Refusal::AuthenticationRequired)?;
                (
                    SessionId::from_uuid(token.id),
                    token.tenant,
                    Some(token.hash),
                )
            }
            Credential::Bearer(text) => {
                let issuer = self.issuer();
                let claims = self
                    .keyring()
                    .verify(text, &issuer, self.clock().now())
                    .map_err(|_: VerifyError| Refusal::AuthenticationRequired)?;
                let id = claims
                    .sid
                    .parse()
                    .map_err(|_| Refusal::AuthenticationRequired)?;
                let tenant = claims.tid.map(|tid| tid.parse()).transpose();
                (
                    id,
                    tenant.map_err(|_: uuid::Error| Refusal::AuthenticationRequired)?,
                    None,
                )
            }
        };
        if hinted.is_some_and(|hinted| tenant != Some(hinted)) {
            return Err(Refusal::AuthenticationRequired);
        }
        let stored = self.control().read().await?.sessions().lookup(id).await?;
        // What we once issued and no longer know has ended.
        let stored = stored.ok_or(Refusal::SessionStale)?;
        if stored.session.subject.tenant() != tenant {
            return Err(Refusal::AuthenticationRequired);
        }
        if hash.is_some_and(|hash| !hash.matches(&stored.token_hash)) {
            return Err(Refusal::SessionStale);
        }
        let principal = self.current(stored.session).await?;
        let now = self.clock().now();
        if now.since(principal.session.last_seen_at) >= TOUCH_AFTER {
            let mut tx = self.control().begin().await?;
            tx.sessions().touch(id, now).await?;
            tx.commit().await?;
        }
        Ok(principal)
    }

    /// Compares a session with what is true now.
    async fn current(&self, session: Session) -> Result<Principal, Refusal> {
        let mut control = self.control().read().await?;
        let (facts, person) = match session.subject {
            Subject::User { tenant, user, .. } => {
                let entry = control
                    .tenants()
                    .enter(&Hint::Id(tenant), Origin::Session)
                    .await?;
                drop(control);
                let Some(Entry::Open(ctx)) = entry else {
                    return Err(Refusal::SessionStale);
                };
                let mut tx = self
                    .pools()
                    .read(&ctx)
                    .await
                    .map_err(Refusal::tenant(&ctx))?;
                let record = tx
                    .users()
                    .lookup(user)
                    .await
                    .map_err(Refusal::tenant(&ctx))?;
                let user = record.ok_or(Refusal::SessionStale)?.user;
                let facts = Facts {
                    tenant: Some((ctx.tenant().status, ctx.generation())),
                    security_version: Some(user.security_version),
                    disabled: user.disabled_at.is_some(),
                };
                (facts, Person::User { ctx, user })
            }
            Subject::Admin(admin) => {
                let record = control.admins().lookup(admin).await?;
                let admin = record.ok_or(Refusal::SessionStale)?.admin;
                let facts = Facts {
                    tenant: None,
                    security_version: Some(admin.security_version),
                    disabled: admin.disabled_at.is_some(),
                };
                (facts, Person::Admin(admin))
            }
        };
        session::check(&session, &facts, self.clock().now()).map_err(|_| Refusal::SessionStale)?;
        Ok(Principal { session, person })
    }

    /// Renews a session by its refresh token, which is replaced. One that was replaced before ends
    /// the session: somebody has a copy (RFC 9700, section 4.14.2).
    pub async fn refresh(
        &self,
        token: &str,
        hinted: Option<TenantId>,
    ) -> Result<(Person, Issued), Refusal> {
        match self.renew(token, hinted).await? {
            Renewed::Yes(renewed) => Ok(*renewed),
            Renewed::Reused(_) => Err(Refusal::SessionStale),
        }
    }

    /// The same, telling whose session was ended because a token was used twice.
    pub async fn renew(&self, token: &str, hinted: Option<TenantId>) -> Result<Renewed, Refusal> {
        let token = self
            .keyring()
            .tokens()
            .parse(token, TokenKind::Refresh)
            .ok_or(Refusal::AuthenticationRequired)?;
        if hinted.is_some_and(|hinted| token.tenant != Some(hinted)) {
            return Err(Refusal::AuthenticationRequired);
        }
        let id = SessionId::from_uuid(token.id);
        let stored = self
            .control()
            .read()
            .await?
            .sessions()
            .lookup(id)
            .await?
            .ok_or(Refusal::SessionStale)?;
        if stored.session.ended_at.is_some() {
            return Err(Refusal::SessionStale);
        }
        if !token.hash.matches(&stored.token_hash) {
            self.end_reused(id).await?;
            return Ok(Renewed::Reused(stored.session.subject));
        }
        let principal = self.current(stored.session).await?;
        let (fresh, hash) = self.mint(SessionKind::Api, &principal.session.subject, id);
        let now = self.clock().now();
        let mut tx = self.control().begin().await?;
        let rotated = tx
            .sessions()
            .rotate(id, &stored.token_hash, hash.as_bytes(), now)
            .await?;
        tx.commit().await?;
        if !rotated {
            // Somebody was faster with the same token.
            self.end_reused(id).await?;
            return Ok(Renewed::Reused(principal.session.subject));
        }
        let issued = self.issued(&principal.person, principal.session, fresh)?;
        Ok(Renewed::Yes(Box::new((principal.person, issued))))
    }

    async fn end_reused(&self, id: SessionId) -> Result<(), Refusal> {
        tracing::warn!(session.id = %id, "a refresh token was used twice; its session is ended");
        let mut tx = self.control().begin().await?;
        tx.sessions()
            .end(id, EndReason::Reuse, self.clock().now())
            .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Signs out.
    pub async fn sign_out(&self, session: SessionId) -> Result<(), Refusal> {
        let mut tx = self.control().begin().await?;
        tx.sessions()
            .end(session, EndReason::Logout, self.clock().now())
            .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Signs a person out everywhere; how many sessions ended.
    pub async fn sign_out_everywhere(&self, person: &Person) -> Result<u64, Refusal> {
        let mut tx = self.control().begin().await?;
        let now = self.clock().now();
        let ended = tx
            .sessions()
            .end_others(&person.subject(), None, EndReason::Revoked, now)
            .await?;
        tx.commit().await?;
        Ok(ended)
    }

    /// A person's sessions that have not ended.
    pub async fn sessions_of(&self, person: &Person) -> Result<Vec<Session>, Refusal> {
        let mut tx = self.control().read().await?;
        Ok(tx
            .sessions()
            .list(&person.subject(), self.clock().now())
            .await?)
    }

    /// Ends one of a person's own sessions; another's answers as one that does not exist.
    pub async fn end_own_session(&self, person: &Person, id: Uuid) -> Result<(), Refusal> {
        let id = SessionId::from_uuid(id);
        let now = self.clock().now();
        let mut tx = self.control().begin().await?;
        let own = tx.sessions().list(&person.subject(), now).await?;
        if !own.iter().any(|session| session.id == id) {
            return Err(Refusal::NotFound);
        }
        tx.sessions().end(id, EndReason::Revoked, now).await?;
        tx.commit().await?;
        Ok(())
    }
}

const fn token_kind(kind: SessionKind) -> TokenKind {
    match kind {
        SessionKind::Browser => TokenKind::Session,
        SessionKind::Api => TokenKind::Refresh,
    }
}
