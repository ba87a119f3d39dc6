//! Sessions, wherever they lie: in the control database, in Redis, in files.
//!
//! Owns how a session is stored, found and changed, and the connection to Redis. Decides nothing:
//! whether a session counts is `tenantry_core::session::check`, and what ends when is for the use
//! cases to say. Every driver keeps the hashes of tokens and never a token, finds a session by the
//! whole of its [`Handle`] only, and changes one under a condition or not at all.

/// The same call to whichever driver it is.
macro_rules! driver {
    ($store:expr, |$driver:ident| $call:expr) => {
        match $store {
            SessionStore::Database($driver) => $call.await.map_err(SessionError::from),
            SessionStore::Redis($driver) => $call.await,
            SessionStore::File($driver) => $call.await,
        }
    };
}

mod database;
mod error;
pub mod files;
mod limit;
mod page;
mod record;
pub mod redis;
mod switches;
mod tally;

use std::time::Duration;

use tenantry_core::marks::Topic;
use tenantry_core::session::{EndReason, Handle, Session, SessionDriver, Subject};
use tenantry_core::user::SecurityVersion;
use tenantry_core::{DeviceId, Generation, SessionId, TenantId, Timestamp};

pub use database::DatabaseSessions;
pub use error::SessionError;
pub use files::FileSessions;
pub use page::LISTED;
use page::{ended_of, page_of};
pub use redis::{Redis, RedisError, RedisSessions};
pub use tally::SessionCounts;
pub use tenantry_store::control::StoredSession;

/// How long a session is remembered once it has run out, so that a late visitor is told that it
/// ended, and a person why.
pub const KEEP: Duration = Duration::from_hours(7 * 24);

/// Where sessions lie. Every driver does the same, and one suite says so (`tests/it`).
#[derive(Clone)]
pub enum SessionStore {
    /// In the control database.
    Database(DatabaseSessions),
    /// In Redis.
    Redis(RedisSessions),
    /// In files.
    File(FileSessions),
}

impl SessionStore {
    /// Tells that something was changed, whether or not the change is known to have happened. The
    /// control database's own statements tell by themselves.
    fn tell(&self, topic: impl Into<Topic>) {
        match self {
            Self::Database(_) => {}
            Self::Redis(driver) => driver.changes().tell(topic.into()),
            Self::File(driver) => driver.changes().tell(topic.into()),
        }
    }

    /// Takes in how often sessions came to lie elsewhere so far; whether this was not known. What began
    /// before the last time is not found any more: in Redis and in files the number is part of each
    /// name, and the control database's rows are ended by the switch itself
    /// (`tenantry_store::control::Sessions::end_everything`).
    pub fn follow(&self, switches: i64) -> bool {
        match self {
            Self::Database(_) => false,
            Self::Redis(driver) => driver.switches().follow(switches),
            Self::File(driver) => driver.switches().follow(switches),
        }
    }

    fn tally(&self) -> &tally::Tally {
        match self {
            Self::Database(driver) => driver.tally(),
            Self::Redis(driver) => driver.tally(),
            Self::File(driver) => driver.tally(),
        }
    }

    /// Sessions that were begun and ended here.
    pub fn counts(&self) -> SessionCounts {
        self.tally().counts()
    }

    /// Counts sessions that ended.
    fn ended(&self, reason: EndReason, outcome: &Result<u64, SessionError>) {
        if let Ok(count) = outcome {
            self.tally().ended(reason, *count);
        }
    }

    /// Which driver it is.
    pub const fn driver(&self) -> SessionDriver {
        match self {
            Self::Database(_) => SessionDriver::Database,
            Self::Redis(_) => SessionDriver::Redis,
            Self::File(_) => SessionDriver::File,
        }
    }

    /// Adds a session.
    pub async fn add(&self, stored: &StoredSession) -> Result<(), SessionError> {
        driver!(self, |driver| driver.add(stored))?;
        self.tally().begun(stored.session.kind);
        Ok(())
    }

    /// The session that a token means, ended or not.
    pub async fn lookup(&self, handle: &Handle) -> Result<Option<StoredSession>, SessionError> {
        driver!(self, |driver| driver.lookup(handle))
    }

    /// A person's sessions that are alive, the latest used first: so many of those that come after
    /// the one with this last use and id. In Redis and in files no more than [`LISTED`] are looked
    /// at, those that began last.
    pub async fn list(
        &self,
        subject: &Subject,
        now: Timestamp,
        after: Option<(Timestamp, SessionId)>,
        limit: i64,
    ) -> Result<Vec<Session>, SessionError> {
        Ok(match self {
            Self::Database(driver) => driver.list(subject, now, after, limit).await?,
            Self::Redis(driver) => page_of(driver.of_person(subject).await?, now, after, limit),
            Self::File(driver) => page_of(driver.of_person(subject).await?, now, after, limit),
        })
    }

    /// A person's sessions that ended for this reason, the latest end first: so many of those that are
    /// still stored. In Redis and in files no more than [`LISTED`] are looked at, those that began last.
    pub async fn list_ended(
        &self,
        subject: &Subject,
        reason: EndReason,
        limit: i64,
    ) -> Result<Vec<Session>, SessionError> {
        Ok(match self {
            Self::Database(driver) => driver.list_ended(subject, reason, limit).await?,
            Self::Redis(driver) => ended_of(driver.of_person(subject).await?, reason, limit),
            Self::File(driver) => ended_of(driver.of_person(subject).await?, reason, limit),
        })
    }

    /// Replaces the token that carries a session; `false` when it is another by now, or ended. Of
    /// many who do so from the same token one succeeds.
    pub async fn rotate(
        &self,
        handle: &Handle,
        from: &[u8; 32],
        to: &[u8; 32],
        now: Timestamp,
    ) -> Result<bool, SessionError> {
        let outcome = driver!(self, |driver| driver.rotate(handle, from, to, now));
        self.tell(Topic::Session(handle.id));
        outcome
    }

    /// Lets a session live on over a change that raised its person's security version by one;
    /// `false` when it had another version, or has ended.
    pub async fn carry_over(
        &self,
        handle: &Handle,
        from: SecurityVersion,
    ) -> Result<bool, SessionError> {
        let outcome = driver!(self, |driver| driver.carry_over(handle, from));
        self.tell(Topic::Session(handle.id));
        outcome
    }

    /// Notes that a session was used. One that has ended stays as it is. It is told to nobody: each
    /// session that is used is noted each minute, and a use takes nothing away from what others know.
    pub async fn touch(&self, handle: &Handle, now: Timestamp) -> Result<(), SessionError> {
        driver!(self, |driver| driver.touch(handle, now))
    }

    /// Ends a session; `false` when it had ended.
    pub async fn end(
        &self,
        handle: &Handle,
        reason: EndReason,
        now: Timestamp,
    ) -> Result<bool, SessionError> {
        let outcome = driver!(self, |driver| driver.end(handle, reason, now));
        if matches!(outcome, Ok(true)) {
            self.tally().ended(reason, 1);
        }
        self.tell(Topic::Session(handle.id));
        outcome
    }

    /// Ends the sessions that were begun on a tenant's device in this generation; how many were alive.
    pub async fn end_device(
        &self,
        tenant: TenantId,
        generation: Generation,
        device: DeviceId,
        now: Timestamp,
    ) -> Result<u64, SessionError> {
        let outcome = driver!(self, |driver| driver
            .end_device(tenant, generation, device, now));
        self.ended(EndReason::Admin, &outcome);
        self.tell(tenant);
        outcome
    }

    /// Ends the sessions that a person began with a PIN, on whatever device; how many were alive.
    pub async fn end_on_devices(
        &self,
        subject: &Subject,
        now: Timestamp,
    ) -> Result<u64, SessionError> {
        let outcome = driver!(self, |driver| driver.end_on_devices(subject, now));
        self.ended(EndReason::Admin, &outcome);
        self.tell(Topic::Person(subject.person()));
        outcome
    }

    /// Ends a person's sessions but one; how many were alive.
    pub async fn end_others(
        &self,
        subject: &Subject,
        keep: Option<SessionId>,
        reason: EndReason,
        now: Timestamp,
    ) -> Result<u64, SessionError> {
        let outcome = driver!(self, |driver| driver.end_others(subject, keep, reason, now));
        self.ended(reason, &outcome);
        self.tell(Topic::Person(subject.person()));
        outcome
    }

    /// Ends every session a tenant has from generations up to this one; how many were alive. Those
    /// of a later one are left alone, also by whoever does this too late.
    pub async fn end_tenant(
        &self,
        tenant: TenantId,
        up_to: Generation,
        now: Timestamp,
    ) -> Result<u64, SessionError> {
        let outcome = driver!(self, |driver| driver.end_tenant(tenant, up_to, now));
        self.ended(EndReason::Tenant, &outcome);
        self.tell(tenant);
        outcome
    }

    /// Takes out every trace of a tenant's sessions, also of those that a switch voided; how many there
    /// were.
    pub async fn remove_tenant(&self, tenant: TenantId) -> Result<u64, SessionError> {
        let outcome = driver!(self, |driver| driver.remove_tenant(tenant));
        self.tell(tenant);
        outcome
    }

    /// Sessions of a tenant that are alive, as far as they tell themselves
    /// ([`Session::is_alive`]).
    pub async fn count_live(&self, tenant: TenantId, now: Timestamp) -> Result<u64, SessionError> {
        driver!(self, |driver| driver.count_live(tenant, now))
    }

    /// Forgets sessions that ran out before `before`; how many. Redis forgets them by itself, so
    /// there it is none.
    pub async fn remove_expired(&self, before: Timestamp) -> Result<u64, SessionError> {
        driver!(self, |driver| driver.remove_expired(before))
    }
}
