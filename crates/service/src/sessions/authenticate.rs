//! Who sends a request: a session compared with what is true now.

use std::sync::Arc;

use tenantry_claims::Claims;
use tenantry_core::marks::Topic;
use tenantry_core::session::{self, Facts, Handle, Subject};
use tenantry_core::{Generation, TenantId, Timestamp};
use tenantry_keys::signing::VerifyError;
use tenantry_keys::token::{Fingerprint, TokenHash, TokenKind};
use tenantry_sessions::StoredSession;
use tenantry_store::control::Entry;
use tenantry_store::{Hint, Origin, StoreError, TenantCtx};

use super::{Credential, Principal, TOUCH_AFTER, handle};
use crate::facts::Found;
use crate::signin::Person;
use crate::{Refusal, Service};

/// What a cookie or access token proves, whatever became of its session.
#[derive(Clone)]
struct Proof {
    session: Handle,
    /// Of a cookie: what the session's row must have.
    hash: Option<TokenHash>,
    /// Of an access token: when it runs out, and the keyring's epoch when it was verified.
    signed: Option<Signed>,
}

#[derive(Clone, Copy)]
struct Signed {
    until: Timestamp,
    epoch: u64,
}

/// Somebody who sent a credential, and what was true then.
pub(crate) struct Judged {
    proof: Proof,
    principal: Arc<Principal>,
    facts: Facts,
}

impl Judged {
    /// The tenant the session is in, unless it is a platform admin's.
    pub(crate) fn tenant(&self) -> Option<TenantId> {
        self.proof.tenant()
    }
}

impl Proof {
    fn tenant(&self) -> Option<TenantId> {
        self.session.scope.map(|(tenant, _)| tenant)
    }

    /// With a tenant named by the request, a credential of another one is refused exactly as
    /// garbage would be; and so is an access token that ran out.
    fn fits(&self, hinted: Option<TenantId>, now: Timestamp) -> Result<(), Refusal> {
        let elsewhere = hinted.is_some() && self.tenant() != hinted;
        if elsewhere || self.signed.is_some_and(|signed| now >= signed.until) {
            return Err(Refusal::AuthenticationRequired);
        }
        Ok(())
    }
}

/// The session that an access token names; nothing where its words contradict each other.
fn claimed(claims: &Claims) -> Option<Handle> {
    let scope = match (&claims.tid, claims.tgen) {
        (Some(tenant), Some(generation)) => {
            Some((tenant.parse().ok()?, Generation::new(generation)?))
        }
        (None, None) => None,
        (Some(_), None) | (None, Some(_)) => return None,
    };
    Some(Handle {
        scope,
        id: claims.sid.parse().ok()?,
    })
}

/// What an error of a tenant's database means for a session in it. A database that is not the
/// tenant's own was put in the place of the one that held the session's person, who ended with it;
/// trouble that passes ends nothing. The operator is told of either.
fn lost(ctx: &TenantCtx) -> impl FnOnce(StoreError) -> Refusal {
    let told = Refusal::tenant(ctx);
    |error| {
        let is_anothers = matches!(error, StoreError::Stamp { .. });
        let refusal = told(error);
        if is_anothers {
            Refusal::SessionStale
        } else {
            refusal
        }
    }
}

fn fingerprint(credential: Credential<'_>) -> Fingerprint {
    match credential {
        Credential::Cookie(text) => Fingerprint::of("cookie", text),
        Credential::Bearer(text) => Fingerprint::of("bearer", text),
    }
}

impl Service {
    /// Who sends a request. Somebody who sent one a moment ago is known from memory, without a look
    /// into any database; what was found then is judged anew.
    pub async fn authenticate(
        &self,
        credential: Credential<'_>,
        hinted: Option<TenantId>,
    ) -> Result<Arc<Principal>, Refusal> {
        let key = fingerprint(credential);
        let now = self.clock().now();
        let proof = match self.facts().people.find(&key) {
            Found::Fresh { value, .. } | Found::Old(value) if !self.is_signed_yet(&value.proof) => {
                self.prove(credential).await?
            }
            // Its use is to be noted anew, or it lay unused too long as far as is known here.
            Found::Fresh { value, .. }
                if now.since(value.principal.session.last_seen_at) >= TOUCH_AFTER =>
            {
                value.proof.clone()
            }
            Found::Fresh { value, renew } => {
                value.proof.fits(hinted, now)?;
                session::check(&value.principal.session, &value.facts, now)
                    .map_err(|_| Refusal::SessionStale)?;
                if renew {
                    let (service, proof) = (self.clone(), value.proof.clone());
                    tokio::spawn(async move { service.judge(key, proof).await });
                }
                return Ok(Arc::clone(&value.principal));
            }
            Found::Old(value) => value.proof.clone(),
            Found::Nothing => self.prove(credential).await?,
        };
        proof.fits(hinted, now)?;
        // In a task of its own: a client that hangs up cancels no look into a database.
        let service = self.clone();
        tokio::spawn(async move { service.judge(key, proof).await })
            .await
            .map_err(Refusal::failed("a session could not be looked at"))?
    }

    /// Whether the key of an access token is still good. It was when the token was verified.
    fn is_signed_yet(&self, proof: &Proof) -> bool {
        proof
            .signed
            .is_none_or(|signed| signed.epoch == self.keyring().epoch())
    }

    /// What a credential proves by itself.
    async fn prove(&self, credential: Credential<'_>) -> Result<Proof, Refusal> {
        let garbage = || Refusal::AuthenticationRequired;
        match credential {
            Credential::Cookie(text) => {
                let token = self.keyring().tokens().parse(text, TokenKind::Session);
                let token = token.ok_or_else(garbage)?;
                Ok(Proof {
                    session: handle(&token),
                    hash: Some(token.hash),
                    signed: None,
                })
            }
            Credential::Bearer(text) => {
                let issuer = self.issuer();
                // Before the key is looked for: one that goes meanwhile is noticed.
                let epoch = self.keyring().epoch();
                let claims = self
                    .keyring()
                    .verify(text, &issuer, self.clock().now())
                    .await
                    .map_err(|_: VerifyError| garbage())?;
                Ok(Proof {
                    session: claimed(&claims).ok_or_else(garbage)?,
                    hash: None,
                    signed: Some(Signed {
                        until: Timestamp::from_seconds(claims.exp),
                        epoch,
                    }),
                })
            }
        }
    }

    /// The session that a credential carries, whatever became of it; none where another token carries
    /// it by now.
    pub(super) async fn carried(
        &self,
        credential: Credential<'_>,
        hinted: Option<TenantId>,
    ) -> Result<Option<StoredSession>, Refusal> {
        let proof = self.prove(credential).await?;
        proof.fits(hinted, self.clock().now())?;
        let stored = self.sessions_store().lookup(&proof.session).await?;
        Ok(stored.filter(|stored| {
            let hash = proof.hash.as_ref();
            hash.is_none_or(|hash| hash.matches(&stored.token_hash))
        }))
    }

    /// Compares what a credential proves with the session's row and with what is true now, and keeps
    /// what came of it.
    async fn judge(&self, key: Fingerprint, proof: Proof) -> Result<Arc<Principal>, Refusal> {
        let judged = self.look(key, proof).await;
        if judged.is_err() {
            self.facts().people.remove(&key);
        }
        judged
    }

    async fn look(&self, key: Fingerprint, proof: Proof) -> Result<Arc<Principal>, Refusal> {
        let people = &self.facts().people;
        let tenant = proof.tenant().map_or(Topic::Everything, Topic::Tenant);
        let taken = people.take([Topic::Session(proof.session.id), tenant]);
        let stored = self.sessions_store().lookup(&proof.session).await?;
        // What we once issued and no longer know has ended.
        let stored = stored.ok_or(Refusal::SessionStale)?;
        if proof
            .hash
            .is_some_and(|hash| !hash.matches(&stored.token_hash))
        {
            return Err(Refusal::SessionStale);
        }
        let person = match stored.session.subject {
            Subject::User { user, .. } => Topic::from(user),
            Subject::Admin(admin) => Topic::from(admin),
        };
        let taken = taken.and(&people.take([person]));
        let (principal, facts) = self.current(stored).await?;
        let principal = Arc::new(principal);
        let now = self.clock().now();
        if now.since(principal.session.last_seen_at) >= TOUCH_AFTER {
            self.sessions_store().touch(&proof.session, now).await?;
        }
        let judged = Judged {
            proof,
            principal: Arc::clone(&principal),
            facts,
        };
        people.keep(key, Arc::new(judged), taken);
        Ok(principal)
    }

    /// Compares a session with what is true now.
    pub(super) async fn current(
        &self,
        stored: StoredSession,
    ) -> Result<(Principal, Facts), Refusal> {
        let StoredSession {
            session, device, ..
        } = stored;
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
                let mut tx = self.pools().read(&ctx).await.map_err(lost(&ctx))?;
                let record = tx.users().lookup(user).await.map_err(lost(&ctx))?;
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
        let principal = Principal {
            session,
            person,
            device,
        };
        Ok((principal, facts))
    }
}
