//! What is asked for under an `Idempotency-Key` is done once: the same request under the same key is
//! answered as the first was, for a day.
//!
//! Owns who may be answered (the caller, or where nobody is signed in the tenant and the network the
//! request comes from), what is the same request, and that an answer, which may show a secret once, is
//! kept sealed. A refusal and a fault are not kept: whoever tries again means it. Making a tenant does
//! not come here; its key is written down with its work (`tenants`), so that it outlives the process.

use std::net::IpAddr;
use std::time::Duration;

use tenantry_core::{Secret, TenantId};
use tenantry_store::control::Begun;

use crate::resolve::Resolved;
use crate::sessions::Principal;
use crate::tenants::IdempotencyKey;
use crate::{Refusal, Service};

/// How long an answer is kept. Whoever tries again does so within minutes; the draft leaves the time
/// to the server (draft-ietf-httpapi-idempotency-key-header-07, section 2.3), and a day is what others
/// settled on.
pub(crate) const KEPT: Duration = Duration::from_hours(24);

/// From when on a request without an answer has broken off rather than being under way: twice as long
/// as any is waited for.
const BROKEN_OFF: Duration = Duration::from_mins(2);

/// Who asks.
#[derive(Clone, Copy)]
pub struct Caller<'a> {
    /// Who is signed in.
    pub principal: Option<&'a Principal>,
    /// The tenant that the request names.
    pub tenant: &'a Resolved,
    /// Where the request comes from.
    pub ip: Option<IpAddr>,
}

impl Caller<'_> {
    fn tenant(&self) -> Option<TenantId> {
        match self.principal {
            Some(principal) => principal.session.subject.tenant(),
            None => self.tenant.id(),
        }
    }
}

/// What to do about a request under a key.
pub enum Once {
    /// It is the first: do it.
    First(Doing),
    /// It was answered before, with this.
    Answered(Secret<Vec<u8>>),
}

/// A request under way, whose answer is to be kept or whose key is to be given back.
pub struct Doing(IdempotencyKey);

/// What the answer under this hash of a key is sealed for.
pub(crate) fn context(hash: &[u8]) -> Vec<u8> {
    [b"idempotent:", hash].concat()
}

impl Service {
    fn key_of(&self, caller: &Caller<'_>, key: &str, request: &str) -> IdempotencyKey {
        let who = match (caller.principal, caller.tenant) {
            (Some(principal), _) => format!("{:?}", principal.session.subject),
            (None, named) => {
                let life = named.open().map(|ctx| ctx.generation().number());
                let from = caller.ip.map(|ip| self.network_key(ip));
                format!("{:?} {life:?} {from:?}", named.id())
            }
        };
        self.idempotency_key(&who, key, request)
    }

    /// Begins a request under a key, unless it was begun before. `request` is all that tells one
    /// request from another.
    ///
    /// # Errors
    /// [`Refusal::Conflict`] where the key was used for another request, or the first is under way or
    /// broke off.
    pub async fn begin_once(
        &self,
        caller: &Caller<'_>,
        key: &str,
        request: &str,
    ) -> Result<Once, Refusal> {
        let key = self.key_of(caller, key, request);
        let now = self.clock().now();
        let mut tx = self.control().begin().await?;
        let first = tx
            .idempotency()
            .begin(key.key, key.request, caller.tenant(), now, now - KEPT)
            .await?;
        if first {
            tx.commit().await?;
            return Ok(Once::First(Doing(key)));
        }
        let begun = tx.idempotency().find_begun(key.key).await?;
        drop(tx);
        match begun {
            Some(begun) => self.answered(&key, begun).await.map(Once::Answered),
            // The first came to nothing at this very moment.
            None => Err(under_way()),
        }
    }

    async fn answered(
        &self,
        key: &IdempotencyKey,
        begun: Begun,
    ) -> Result<Secret<Vec<u8>>, Refusal> {
        if begun.request_hash != key.request {
            return Err(Refusal::Conflict(
                "this Idempotency-Key was used for another request".to_owned(),
            ));
        }
        let Some(answer) = begun.answer else {
            if self.clock().now().since(begun.created_at) < BROKEN_OFF {
                return Err(under_way());
            }
            return Err(Refusal::Conflict(
                "the request with this Idempotency-Key broke off; look what became of it, and use another key".to_owned(),
            ));
        };
        self.keyring()
            .open_sealed(&answer, &context(&key.key))
            .await
            .map_err(Refusal::failed("a kept answer could not be unsealed"))
    }

    /// Keeps the answer to a request, sealed.
    pub async fn keep_answer(&self, doing: Doing, answer: &[u8]) -> Result<(), Refusal> {
        let Doing(key) = doing;
        let sealed = self
            .keyring()
            .seal(answer, &context(&key.key), self.entropy())
            .map_err(Refusal::failed("an answer could not be sealed"))?;
        let mut tx = self.control().begin().await?;
        tx.idempotency().keep(key.key, &sealed).await?;
        Ok(tx.commit().await?)
    }

    /// Gives the key of a request back that came to nothing.
    pub async fn give_key_back(&self, doing: Doing) -> Result<(), Refusal> {
        let mut tx = self.control().begin().await?;
        tx.idempotency().give_back(doing.0.key).await?;
        Ok(tx.commit().await?)
    }
}

fn under_way() -> Refusal {
    let why = "another request with this Idempotency-Key is under way".to_owned();
    Refusal::ConflictFor(why, Duration::from_secs(1))
}
