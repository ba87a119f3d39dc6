//! Who sends a request: a session compared with what is true now.

use std::future::ready;
use std::sync::Arc;

use futures_util::future::Either;
use tenantry_claims::Claims;
use tenantry_core::marks::Topic;
use tenantry_core::session::{self, Facts, Handle, Subject};
use tenantry_core::{Generation, TenantId, Timestamp};
use tenantry_keys::signing::{ISSUED_AHEAD, VerifyError};
use tenantry_keys::token::{Fingerprint, TokenHash, TokenKind};
use tenantry_sessions::StoredSession;
use tenantry_store::control::Entry;
use tenantry_store::{Hint, Origin, StoreError, TenantCtx};
use tokio::time::Instant;

use super::used::Used;
use super::{Credential, Derived, Principal, handle};
use crate::facts::{Answering, Found, LOOK, looked_up_by};
use crate::pin::is_pin;
use crate::signin::Person;
use crate::{Refusal, Service};

/// What a cookie or access token proves, whatever became of its session.
#[derive(Clone)]
struct Proof {
    session: Handle,
    /// Of a cookie: what the session's row must have.
    hash: Option<TokenHash>,
    /// Of an access token: when it is good, and the keyring's epoch when it was verified.
    signed: Option<Signed>,
    /// Whose it is, once its session was read; it is never another's.
    person: Option<Topic>,
}

/// Why what a credential proves can't count for a request. It is refused exactly as garbage would be,
/// but where its own tenant is no more.
enum Misfit {
    /// The request names another tenant.
    Elsewhere,
    /// The time of an access token is over, or still to come.
    OutOfTime,
}

#[derive(Clone, Copy)]
struct Signed {
    from: Timestamp,
    until: Timestamp,
    epoch: u64,
}

/// Somebody who sent a credential, and what was true then.
pub(crate) struct Judged {
    proof: Proof,
    principal: Arc<Principal>,
    facts: Facts,
    /// Its uses, over all that is kept of this credential one after the other.
    used: Arc<Used>,
}

impl Judged {
    /// Whether the session counts, as far as is known here.
    fn counts(&self, now: Timestamp) -> bool {
        let session = self.used.known(&self.principal.session, now);
        session::check(&session, &self.facts, now).is_ok()
    }

    /// The tenant the session is in, unless it is a platform admin's.
    pub(crate) fn tenant(&self) -> Option<TenantId> {
        self.proof.tenant()
    }
}

impl Proof {
    fn tenant(&self) -> Option<TenantId> {
        self.session.scope.map(|(tenant, _)| tenant)
    }

    /// Whether it may count for a request that names this tenant, at this time.
    fn fits(&self, hinted: Option<TenantId>, now: Timestamp) -> Result<(), Misfit> {
        let good = |signed: Signed| signed.from <= now && now < signed.until;
        if !self.signed.is_none_or(good) {
            return Err(Misfit::OutOfTime);
        }
        if hinted.is_some() && self.tenant() != hinted {
            return Err(Misfit::Elsewhere);
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

/// Whose a session is.
fn whose(stored: &StoredSession) -> Topic {
    match stored.session.subject {
        Subject::User { user, .. } => user.into(),
        Subject::Admin(admin) => admin.into(),
    }
}

fn fingerprint(credential: Credential<'_>) -> Fingerprint {
    match credential {
        Credential::Cookie(text) => Fingerprint::of("cookie", text),
        Credential::Bearer(text) => Fingerprint::of("bearer", text),
    }
}

impl Service {
    /// Who sends a request. Somebody who sent one a moment ago is known from memory, at once and without a
    /// look into any database; what was found then is judged anew.
    pub fn authenticate<'a>(
        &'a self,
        credential: Credential<'a>,
        hinted: Option<TenantId>,
    ) -> Answering<'a, Arc<Principal>> {
        let key = fingerprint(credential);
        let found = self.facts().people.find(&key);
        if let Found::Fresh { value, renew } = &found
            && let Some(known) = self.known(value, hinted)
        {
            if *renew && known.is_ok() {
                let (service, proof) = (self.clone(), value.proof.clone());
                let used = Arc::clone(&value.used);
                tokio::spawn(async move { service.judge(key, proof, used).await });
            }
            return Either::Left(ready(known));
        }
        let anew = self.authenticate_anew(credential, hinted, key, found);
        Either::Right(Box::pin(anew))
    }

    /// Judges who sent a request a moment ago, without waiting for anything: what is to be noted or read
    /// anew is so beside it. Nothing where it has to be found out anew.
    fn known(
        &self,
        judged: &Judged,
        hinted: Option<TenantId>,
    ) -> Option<Result<Arc<Principal>, Refusal>> {
        let now = self.clock().now();
        if !self.is_signed_yet(&judged.proof) || !judged.counts(now) {
            return None;
        }
        // Of a tenant that somebody is in it is known that it is there.
        if judged.proof.fits(hinted, now).is_err() {
            return Some(Err(Refusal::AuthenticationRequired));
        }
        self.note_use(&judged.used, &judged.principal.session, now);
        Some(Ok(Arc::clone(&judged.principal)))
    }

    /// The same with a look into the databases. Where a session lay unused too long as far as is known
    /// here, another process may know better.
    async fn authenticate_anew(
        &self,
        credential: Credential<'_>,
        hinted: Option<TenantId>,
        key: Fingerprint,
        found: Found<Judged, 3>,
    ) -> Result<Arc<Principal>, Refusal> {
        let until = Instant::now() + LOOK;
        let (proof, used) = match found {
            Found::Fresh { value, .. } | Found::Old(value) if self.is_signed_yet(&value.proof) => {
                (value.proof.clone(), Arc::clone(&value.used))
            }
            Found::Fresh { value, .. } | Found::Old(value) => (
                self.prove(credential, until).await?,
                Arc::clone(&value.used),
            ),
            Found::Nothing => (self.prove(credential, until).await?, Arc::default()),
        };
        match proof.fits(hinted, self.clock().now()) {
            Ok(()) => {}
            Err(Misfit::Elsewhere) => {
                return Err(self.refused_elsewhere(proof.tenant(), until).await);
            }
            Err(Misfit::OutOfTime) => return Err(Refusal::AuthenticationRequired),
        }
        let service = self.clone();
        let judging = async move { service.judge(key, proof, used).await };
        looked_up_by(until, "a session could not be looked at", judging).await
    }

    /// Whether the key of an access token is still good, as far as is known of late. It was when the
    /// token was verified.
    fn is_signed_yet(&self, proof: &Proof) -> bool {
        proof
            .signed
            .is_none_or(|signed| self.keyring().is_seen() && signed.epoch == self.keyring().epoch())
    }

    /// What a credential proves by itself, found out until then.
    async fn prove(&self, credential: Credential<'_>, until: Instant) -> Result<Proof, Refusal> {
        let garbage = || Refusal::AuthenticationRequired;
        match credential {
            Credential::Cookie(text) => {
                let token = self.keyring().tokens().parse(text, TokenKind::Session);
                let token = token.ok_or_else(garbage)?;
                Ok(Proof {
                    session: handle(&token),
                    hash: Some(token.hash),
                    signed: None,
                    person: None,
                })
            }
            Credential::Bearer(text) => {
                let issuer = self.issuer();
                self.keyring().keep_up(until).await?;
                // Before the key is looked for: one that goes meanwhile is noticed.
                let epoch = self.keyring().epoch();
                let claims = self
                    .keyring()
                    .verify(text, &issuer, self.clock().now(), until)
                    .await
                    .map_err(|_: VerifyError| garbage())?;
                Ok(Proof {
                    session: claimed(&claims).ok_or_else(garbage)?,
                    hash: None,
                    signed: Some(Signed {
                        from: Timestamp::from_seconds(claims.iat) - ISSUED_AHEAD,
                        until: Timestamp::from_seconds(claims.exp),
                        epoch,
                    }),
                    person: None,
                })
            }
        }
    }

    /// The session that a credential carries, whatever became of it, with the tenant it is of; none where
    /// another token carries it by now, or it is nothing for a request that names this tenant.
    pub(super) async fn carried(
        &self,
        credential: Credential<'_>,
        hinted: Option<TenantId>,
    ) -> Result<(Option<TenantId>, Option<StoredSession>), Refusal> {
        let until = Instant::now() + LOOK;
        let proof = self.prove(credential, until).await?;
        let tenant = proof.tenant();
        match proof.fits(hinted, self.clock().now()) {
            Ok(()) => {}
            Err(Misfit::Elsewhere) if self.is_gone(tenant, until).await => {
                return Ok((tenant, None));
            }
            Err(Misfit::Elsewhere | Misfit::OutOfTime) => {
                return Err(Refusal::AuthenticationRequired);
            }
        }
        let stored = self.sessions_store().lookup(&proof.session).await?;
        let stored = stored.filter(|stored| {
            let hash = proof.hash.as_ref();
            hash.is_none_or(|hash| hash.matches(&stored.token_hash))
        });
        Ok((tenant, stored))
    }

    /// Compares what a credential proves with the session's row and with what is true now, and keeps
    /// what came of it.
    async fn judge(
        &self,
        key: Fingerprint,
        proof: Proof,
        used: Arc<Used>,
    ) -> Result<Arc<Principal>, Refusal> {
        let judged = self.look(key, proof, used).await;
        if judged.is_err() {
            self.facts().people.remove(&key);
        }
        judged
    }

    async fn look(
        &self,
        key: Fingerprint,
        mut proof: Proof,
        used: Arc<Used>,
    ) -> Result<Arc<Principal>, Refusal> {
        let people = &self.facts().people;
        let person = match proof.person {
            Some(person) => person,
            None => whose(&self.stored(&proof).await?),
        };
        proof.person = Some(person);
        let tenant = proof.tenant().map_or(Topic::Everything, Topic::Tenant);
        // Before anything is read that is kept, the session too: that all of a person's sessions ended is
        // told of the person.
        let taken = people.take([Topic::Session(proof.session.id), tenant, person]);
        let mut stored = self.stored(&proof).await?;
        // A use that is being written down has happened.
        used.put_in(&mut stored.session, self.clock().now());
        let (mut principal, facts) = self.current(stored).await?;
        let now = self.clock().now();
        self.note_use(&used, &principal.session, now);
        used.put_in(&mut principal.session, now);
        let principal = Arc::new(principal);
        let judged = Judged {
            proof,
            principal: Arc::clone(&principal),
            facts,
            used,
        };
        people.keep(key, judged, taken);
        Ok(principal)
    }

    /// The session that a proof names. What we once issued and no longer know has ended.
    async fn stored(&self, proof: &Proof) -> Result<StoredSession, Refusal> {
        let stored = self.sessions_store().lookup(&proof.session).await?;
        stored
            .filter(|stored| {
                let hash = proof.hash.as_ref();
                hash.is_none_or(|hash| hash.matches(&stored.token_hash))
            })
            .ok_or(Refusal::SessionStale)
    }

    /// Compares a session with what is true now.
    pub(super) async fn current(
        &self,
        stored: StoredSession,
    ) -> Result<(Principal, Facts), Refusal> {
        let StoredSession {
            session,
            device,
            pin_digest,
            ..
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
                let record = record.ok_or(Refusal::SessionStale)?;
                let device_gone = match device {
                    Some(device) => {
                        let there = tx.devices().lookup(device).await.map_err(lost(&ctx))?;
                        there.is_none() || !is_pin(pin_digest, record.pin_hash.as_deref())
                    }
                    None => false,
                };
                let user = record.user;
                let facts = Facts {
                    tenant: Some((ctx.tenant().status, ctx.generation())),
                    security_version: Some(user.security_version),
                    disabled: user.disabled_at.is_some(),
                    device_gone,
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
                    device_gone: false,
                };
                (facts, Person::Admin(admin))
            }
        };
        session::check(&session, &facts, self.clock().now()).map_err(|_| Refusal::SessionStale)?;
        let principal = Principal {
            session,
            person,
            device,
            derived: Derived::default(),
        };
        Ok((principal, facts))
    }
}
