//! The driver `redis`: a hash for each session, with sorted sets that lead to those of a person, a
//! device and a tenant.
//!
//! Keys expire by themselves once a session has been over for [`KEEP`]; the sets that lead to them
//! live as long as the longest of theirs. Every key of a tenant holds `{its id}`, so that on a Redis
//! Cluster they lie together, and every script names the keys that it touches. Nothing here is
//! trusted beyond what the stale rule checks afterwards.

mod channel;
mod connection;
mod ending;
mod error;
mod keys;
mod limit;
mod removal;
mod scripts;
mod url;

use std::collections::HashMap;
use std::time::Duration;

use ::redis::{Pipeline, cmd};
use tenantry_core::session::{EndReason, Handle, Scope, Subject};
use tenantry_core::user::SecurityVersion;
use tenantry_core::{Generation, SessionId, TenantId, Timestamp};
use tenantry_store::Changes;
use tenantry_store::control::StoredSession;

pub use channel::RedisListener;
pub use connection::{COMMAND, CONNECT, Redis, RedisState};
pub use error::RedisError;
pub use url::{RedisUrl, RedisUrlError};

use crate::page::begun_last;
use crate::record;
use crate::switches::Switches;
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
    switches: Switches,
}

impl RedisSessions {
    /// The sessions in this Redis; what changes is told to `changes`.
    pub fn new(redis: Redis, changes: Changes) -> Self {
        Self {
            redis,
            keep: KEEP,
            changes,
            tally: Tally::default(),
            switches: Switches::default(),
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

    pub(crate) const fn switches(&self) -> &Switches {
        &self.switches
    }

    /// The keys of sessions that begin or are found now.
    fn keys(&self, scope: Scope) -> Keys {
        Keys::of(self.switches.now(), scope)
    }

    pub(crate) async fn add(&self, stored: &StoredSession) -> Result<(), SessionError> {
        let session = &stored.session;
        let keys = self.keys(session.subject.scope());
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
        let key = self.keys(handle.scope).session(handle.id);
        let found: HashMap<String, String> = self.redis.query(cmd("HGETALL").arg(&key)).await?;
        read(handle, &key, &found)
    }

    /// A person's sessions that began last, whatever became of them.
    pub(crate) async fn of_person(
        &self,
        subject: &Subject,
    ) -> Result<Vec<StoredSession>, SessionError> {
        let keys = self.keys(subject.scope());
        let ids = begun_last(self.members(&keys.of_person(subject.person())).await?);
        let mut all = Vec::new();
        for page in ids.chunks(PAGE) {
            let stored = self.read_these(&keys, page).await?.into_iter();
            all.extend(stored.filter(|stored| stored.session.subject == *subject));
        }
        Ok(all)
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
            .key(self.keys(handle.scope).session(handle.id))
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
            .key(self.keys(handle.scope).session(handle.id))
            .arg(from.0)
            .arg(from.0 + 1);
        Ok(self.redis.script::<i64>(&asked).await? == 1)
    }

    pub(crate) async fn touch(&self, handle: &Handle, now: Timestamp) -> Result<(), SessionError> {
        let mut asked = scripts::TOUCH.prepare_invoke();
        asked
            .key(self.keys(handle.scope).session(handle.id))
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
        let (keys, ids) = (self.keys(handle.scope), [handle.id]);
        let ended = self.end_these(&keys, &ids, (reason, now), false).await?;
        Ok(ended.marked == 1)
    }

    pub(crate) async fn count_live(
        &self,
        tenant: TenantId,
        now: Timestamp,
    ) -> Result<u64, SessionError> {
        let mut live = 0;
        for keys in self.generations(self.switches.now(), tenant).await? {
            let ids = self.members(&keys.sessions()).await?;
            for page in ids.chunks(PAGE) {
                let stored = self.read_these(&keys, page).await?;
                let alive = stored.iter().filter(|stored| stored.session.is_alive(now));
                live += u64::try_from(alive.count()).unwrap_or(u64::MAX);
            }
        }
        Ok(live)
    }

    /// Those of these sessions that are there. One that nobody can use keeps nobody from the others: it
    /// is told to the log.
    async fn read_these(
        &self,
        keys: &Keys,
        ids: &[SessionId],
    ) -> Result<Vec<StoredSession>, SessionError> {
        let mut asked = Pipeline::with_capacity(ids.len());
        for id in ids {
            asked.cmd("HGETALL").arg(keys.session(*id));
        }
        let found: Vec<HashMap<String, String>> = self.redis.pipeline(&asked).await?;
        let mut all = Vec::with_capacity(ids.len());
        for (id, found) in ids.iter().zip(&found) {
            match read(&keys.handle(*id), &keys.session(*id), found) {
                Ok(stored) => all.extend(stored),
                Err(error) => tracing::error!(%error, "a session is left out"),
            }
        }
        Ok(all)
    }

    /// Redis forgets by itself what has run out.
    #[expect(
        clippy::unused_async,
        reason = "the other drivers have something to do"
    )]
    pub(crate) async fn remove_expired(&self, _before: Timestamp) -> Result<u64, SessionError> {
        Ok(0)
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

    /// The generations of a tenant in which sessions began after so many switches.
    async fn generations(
        &self,
        switches: i64,
        tenant: TenantId,
    ) -> Result<Vec<Keys>, SessionError> {
        let lead = Keys::of(switches, Some((tenant, Generation::FIRST))).generations();
        let members: Vec<String> = self
            .redis
            .query(cmd("ZRANGE").arg(&lead).arg(0).arg(-1))
            .await?;
        members
            .iter()
            .map(|member| {
                let generation = member.parse().ok().and_then(Generation::new);
                let generation = generation.ok_or_else(|| damaged(&lead, "member"))?;
                Ok(Keys::of(switches, Some((tenant, generation))))
            })
            .collect()
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
