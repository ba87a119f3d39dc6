//! The driver `redis`: a hash for each session, with sorted sets that lead to those of a person, a
//! device and a tenant.
//!
//! Keys expire by themselves once a session has been over for [`KEEP`]; the sets that lead to them
//! live as long as the longest of theirs. Every key of a tenant holds `{its id}`, so that on a Redis
//! Cluster they lie together, and every script names the keys that it touches. Nothing here is
//! trusted beyond what the stale rule checks afterwards.

mod channel;
mod connection;
mod error;
mod keys;
mod limit;
mod scripts;
mod url;

use std::collections::HashMap;
use std::time::Duration;

use ::redis::{Pipeline, cmd};
use tenantry_core::session::{EndReason, Handle, Session, Subject};
use tenantry_core::user::SecurityVersion;
use tenantry_core::{DeviceId, Generation, SessionId, TenantId, Timestamp};
use tenantry_store::Changes;
use tenantry_store::control::StoredSession;
use uuid::Uuid;

pub use channel::RedisListener;
pub use connection::{COMMAND, CONNECT, Redis, RedisState};
pub use error::RedisError;
pub use url::{RedisUrl, RedisUrlError};

use crate::page::{begun_last, page_of};
use crate::record::{self, DEVICE, ENDED_AT, EXPIRES_AT, PERSON};
use crate::tally::Tally;
use crate::{KEEP, SessionError};
use keys::Keys;

/// Sessions that are asked about or changed in one go. Redis does one thing at a time, and a
/// thousand of these take it about a millisecond.
const PAGE: usize = 500;

/// Ids that are read in one go.
const LEADS: usize = 10_000;

/// Sessions in Redis.
#[derive(Clone)]
pub struct RedisSessions {
    redis: Redis,
    keep: Duration,
    changes: Changes,
    tally: Tally,
}

impl RedisSessions {
    /// The sessions in this Redis; what changes is told to `changes`.
    pub fn new(redis: Redis, changes: Changes) -> Self {
        Self {
            redis,
            keep: KEEP,
            changes,
            tally: Tally::default(),
        }
    }

    /// The same, remembering sessions that have run out for so long.
    #[must_use]
    pub const fn keeping(mut self, keep: Duration) -> Self {
        self.keep = keep;
        self
    }

    /// The connection.
    pub const fn redis(&self) -> &Redis {
        &self.redis
    }

    pub(crate) const fn changes(&self) -> &Changes {
        &self.changes
    }

    pub(crate) const fn tally(&self) -> &Tally {
        &self.tally
    }

    pub(crate) async fn add(&self, stored: &StoredSession) -> Result<(), SessionError> {
        let session = &stored.session;
        let keys = Keys::of(session.subject.scope());
        // Told as a duration, since Redis has a clock of its own.
        let life = session.expires_at.since(session.created_at) + self.keep;
        let mut leads = vec![keys.sessions(), keys.of_person(session.subject.person())];
        leads.extend(stored.device.map(|device| keys.of_device(device)));
        let mut added = scripts::ADD.prepare_invoke();
        added.key(keys.session(session.id)).key(keys.generations());
        for lead in leads {
            added.key(lead);
        }
        added
            .arg(millis(life))
            .arg(session.id.to_string())
            .arg(keys.generation());
        for (name, value) in record::encode(stored) {
            added.arg(name).arg(value);
        }
        self.redis.script::<i64>(&added).await?;
        Ok(())
    }

    pub(crate) async fn lookup(
        &self,
        handle: &Handle,
    ) -> Result<Option<StoredSession>, SessionError> {
        let key = Keys::of(handle.scope).session(handle.id);
        let found: HashMap<String, String> = self.redis.query(cmd("HGETALL").arg(&key)).await?;
        read(handle, &key, &found)
    }

    pub(crate) async fn list(
        &self,
        subject: &Subject,
        now: Timestamp,
        after: Option<(Timestamp, SessionId)>,
        limit: i64,
    ) -> Result<Vec<Session>, SessionError> {
        let keys = Keys::of(subject.scope());
        let ids = begun_last(self.members(&keys.of_person(subject.person())).await?);
        let mut alive = Vec::new();
        for page in ids.chunks(PAGE) {
            let mut asked = Pipeline::with_capacity(page.len());
            for id in page {
                asked.cmd("HGETALL").arg(keys.session(*id));
            }
            let found: Vec<HashMap<String, String>> = self.redis.pipeline(&asked).await?;
            for (id, found) in page.iter().zip(&found) {
                let (key, handle) = (keys.session(*id), keys.handle(*id));
                match read(&handle, &key, found) {
                    Ok(stored) => alive.extend(
                        stored
                            .map(|stored| stored.session)
                            .filter(|session| session.is_alive(now) && session.subject == *subject),
                    ),
                    // One that nobody can use keeps nobody from the list of the others.
                    Err(error) => tracing::error!(%error, "a session is left out of a list"),
                }
            }
        }
        Ok(page_of(alive, after, limit))
    }

    pub(crate) async fn rotate(
        &self,
        handle: &Handle,
        from: &[u8; 32],
        to: &[u8; 32],
        now: Timestamp,
    ) -> Result<bool, SessionError> {
        let mut asked = scripts::ROTATE.prepare_invoke();
        asked
            .key(Keys::of(handle.scope).session(handle.id))
            .arg(record::hex(from))
            .arg(record::hex(to))
            .arg(now.micros());
        Ok(self.redis.script::<i64>(&asked).await? == 1)
    }

    pub(crate) async fn carry_over(
        &self,
        handle: &Handle,
        from: SecurityVersion,
    ) -> Result<bool, SessionError> {
        let mut asked = scripts::CARRY_OVER.prepare_invoke();
        asked
            .key(Keys::of(handle.scope).session(handle.id))
            .arg(from.0)
            .arg(from.0 + 1);
        Ok(self.redis.script::<i64>(&asked).await? == 1)
    }

    pub(crate) async fn touch(&self, handle: &Handle, now: Timestamp) -> Result<(), SessionError> {
        let mut asked = scripts::TOUCH.prepare_invoke();
        asked
            .key(Keys::of(handle.scope).session(handle.id))
            .arg(now.micros());
        self.redis.script::<i64>(&asked).await?;
        Ok(())
    }

    pub(crate) async fn end(
        &self,
        handle: &Handle,
        reason: EndReason,
        now: Timestamp,
    ) -> Result<bool, SessionError> {
        let (keys, ids) = (Keys::of(handle.scope), [handle.id]);
        let ended = self.end_these(&keys, &ids, (reason, now), false).await?;
        Ok(ended == 1)
    }

    pub(crate) async fn end_device(
        &self,
        tenant: TenantId,
        generation: Generation,
        device: DeviceId,
        now: Timestamp,
    ) -> Result<u64, SessionError> {
        let keys = Keys::of(Some((tenant, generation)));
        let ids = self.members(&keys.of_device(device)).await?;
        let why = (EndReason::Admin, now);
        self.end_these(&keys, &ids, why, true).await
    }

    pub(crate) async fn end_on_devices(
        &self,
        subject: &Subject,
        now: Timestamp,
    ) -> Result<u64, SessionError> {
        let keys = Keys::of(subject.scope());
        let ids = self.members(&keys.of_person(subject.person())).await?;
        let why = (EndReason::Admin, now);
        self.end_these(&keys, &ids, why, true).await
    }

    pub(crate) async fn end_others(
        &self,
        subject: &Subject,
        keep: Option<SessionId>,
        reason: EndReason,
        now: Timestamp,
    ) -> Result<u64, SessionError> {
        let keys = Keys::of(subject.scope());
        let mut ids = self.members(&keys.of_person(subject.person())).await?;
        ids.retain(|id| Some(*id) != keep);
        self.end_these(&keys, &ids, (reason, now), false).await
    }

    pub(crate) async fn end_tenant(
        &self,
        tenant: TenantId,
        up_to: Generation,
        now: Timestamp,
    ) -> Result<u64, SessionError> {
        let why = (EndReason::Tenant, now);
        let mut ended = 0;
        for keys in self.generations(tenant).await? {
            if keys.generation() > up_to.number() {
                continue;
            }
            let ids = self.members(&keys.sessions()).await?;
            ended += self.end_these(&keys, &ids, why, false).await?;
        }
        Ok(ended)
    }

    pub(crate) async fn remove_tenant(&self, tenant: TenantId) -> Result<u64, SessionError> {
        let mut removed = 0;
        for keys in self.generations(tenant).await? {
            loop {
                let ids = self.members(&keys.sessions()).await?;
                if ids.is_empty() {
                    break;
                }
                for page in ids.chunks(PAGE) {
                    removed += self.remove(&keys, page).await?;
                }
            }
            let mut forgotten = scripts::FORGET.prepare_invoke();
            forgotten
                .key(keys.generations())
                .key(keys.sessions())
                .arg(keys.generation());
            self.redis.script::<i64>(&forgotten).await?;
        }
        Ok(removed)
    }

    /// Removes these sessions and what leads to them. What leads to all of a generation's goes last:
    /// whoever dies before that finds them again.
    async fn remove(&self, keys: &Keys, ids: &[SessionId]) -> Result<u64, SessionError> {
        let found = self.fields(keys, ids, &[PERSON, DEVICE]).await?;
        let mut gone = Pipeline::with_capacity(ids.len() * 3 + 1);
        for (id, found) in ids.iter().zip(found) {
            let lead = |place: usize| found.get(place)?.as_deref()?.parse::<Uuid>().ok();
            if let Some(person) = lead(0) {
                gone.cmd("ZREM")
                    .arg(keys.of_person(person))
                    .arg(id.to_string());
            }
            if let Some(device) = lead(1) {
                let device = DeviceId::from_uuid(device);
                gone.cmd("ZREM")
                    .arg(keys.of_device(device))
                    .arg(id.to_string());
            }
        }
        // A pipeline without commands has no answer.
        if !gone.is_empty() {
            self.redis.pipeline::<Vec<i64>>(&gone).await?;
        }
        let mut gone = Pipeline::with_capacity(2);
        let sessions: Vec<String> = ids.iter().map(|id| keys.session(*id)).collect();
        let members: Vec<String> = ids.iter().map(SessionId::to_string).collect();
        gone.cmd("DEL").arg(sessions);
        gone.cmd("ZREM").arg(keys.sessions()).arg(members);
        let (removed, _): (u64, i64) = self.redis.pipeline(&gone).await?;
        Ok(removed)
    }

    pub(crate) async fn count_live(
        &self,
        tenant: TenantId,
        now: Timestamp,
    ) -> Result<u64, SessionError> {
        let mut live = 0;
        for keys in self.generations(tenant).await? {
            let ids = self.members(&keys.sessions()).await?;
            for page in ids.chunks(PAGE) {
                for found in self.fields(&keys, page, &[EXPIRES_AT, ENDED_AT]).await? {
                    let expires = found.first().cloned().flatten();
                    let expires = expires.and_then(|at| at.parse::<i64>().ok());
                    let ended = found.get(1).is_some_and(Option::is_some);
                    live += u64::from(!ended && expires.is_some_and(|at| at > now.micros()));
                }
            }
        }
        Ok(live)
    }

    /// Redis forgets by itself what has run out.
    #[expect(
        clippy::unused_async,
        reason = "the other drivers have something to do"
    )]
    pub(crate) async fn remove_expired(&self, _before: Timestamp) -> Result<u64, SessionError> {
        Ok(0)
    }

    /// Ends these sessions, or of these only those on devices; how many had not ended.
    async fn end_these(
        &self,
        keys: &Keys,
        ids: &[SessionId],
        (reason, now): (EndReason, Timestamp),
        on_devices: bool,
    ) -> Result<u64, SessionError> {
        let mut ended = 0;
        for page in ids.chunks(PAGE) {
            let mut asked = scripts::END.prepare_invoke();
            for id in page {
                asked.key(keys.session(*id));
            }
            asked
                .arg(now.micros())
                .arg(reason.as_str())
                .arg(if on_devices { DEVICE } else { "id" });
            ended += self.redis.script::<u64>(&asked).await?;
        }
        Ok(ended)
    }

    /// The sessions that a sorted set leads to.
    async fn members(&self, lead: &str) -> Result<Vec<SessionId>, SessionError> {
        let mut found = Vec::new();
        loop {
            let from = found.len();
            let page: Vec<String> = self
                .redis
                .query(cmd("ZRANGE").arg(lead).arg(from).arg(from + LEADS - 1))
                .await?;
            for member in &page {
                found.push(member.parse().map_err(|_| damaged(lead, "member"))?);
            }
            if page.len() < LEADS {
                return Ok(found);
            }
        }
    }

    /// The generations of a tenant in which there were sessions.
    async fn generations(&self, tenant: TenantId) -> Result<Vec<Keys>, SessionError> {
        let lead = Keys::generations_of(tenant);
        let members: Vec<String> = self
            .redis
            .query(cmd("ZRANGE").arg(&lead).arg(0).arg(-1))
            .await?;
        members
            .iter()
            .map(|member| {
                let generation = member.parse().ok().and_then(Generation::new);
                let generation = generation.ok_or_else(|| damaged(&lead, "member"))?;
                Ok(Keys::of(Some((tenant, generation))))
            })
            .collect()
    }

    /// Some fields of each of these sessions; none of one that is gone.
    async fn fields(
        &self,
        keys: &Keys,
        ids: &[SessionId],
        names: &[&str],
    ) -> Result<Vec<Vec<Option<String>>>, SessionError> {
        let mut asked = Pipeline::with_capacity(ids.len());
        for id in ids {
            asked.cmd("HMGET").arg(keys.session(*id)).arg(names);
        }
        Ok(self.redis.pipeline(&asked).await?)
    }
}

fn damaged(key: &str, field: &'static str) -> SessionError {
    SessionError::Damaged {
        place: format!("Redis under {key}"),
        field,
    }
}

fn read(
    handle: &Handle,
    key: &str,
    found: &HashMap<String, String>,
) -> Result<Option<StoredSession>, SessionError> {
    if found.is_empty() {
        return Ok(None);
    }
    let value = |name: &str| found.get(name).map(String::as_str);
    let stored = record::decode(handle, value).map_err(|field| damaged(key, field))?;
    Ok(Some(stored))
}

/// As Redis takes it: at least one, since a key that lives for nothing is none.
fn millis(life: Duration) -> i64 {
    i64::try_from(life.as_millis()).unwrap_or(i64::MAX).max(1)
}
