//! A person's own sessions.

use std::fmt;
use std::str::FromStr;

use tenantry_core::session::{EndReason, Handle, Session};
use tenantry_core::{SessionId, Timestamp};
use tenantry_sessions::LISTED;
use uuid::Uuid;

use crate::sessions::Principal;
use crate::signin::Person;
use crate::{Refusal, Service};

/// A place in the list of a person's sessions, which has the latest used first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionPlace {
    last_seen_at: Timestamp,
    id: SessionId,
}

/// What is no place in a list of sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no place in a list of sessions")]
pub struct NoSessionPlace;

impl SessionPlace {
    /// That of a session.
    pub const fn of(session: &Session) -> Self {
        Self {
            last_seen_at: session.last_seen_at,
            id: session.id,
        }
    }
}

impl fmt::Display for SessionPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.last_seen_at.micros(), self.id)
    }
}

impl FromStr for SessionPlace {
    type Err = NoSessionPlace;

    fn from_str(text: &str) -> Result<Self, NoSessionPlace> {
        let (at, id) = text.split_once('.').ok_or(NoSessionPlace)?;
        Ok(Self {
            last_seen_at: Timestamp::from_micros(at.parse().map_err(|_| NoSessionPlace)?),
            id: id.parse().map_err(|_| NoSessionPlace)?,
        })
    }
}

impl Service {
    /// Signs out.
    pub async fn sign_out(&self, session: &Handle) -> Result<(), Refusal> {
        self.sessions_store()
            .end(session, EndReason::Logout, self.clock().now())
            .await?;
        Ok(())
    }

    /// Signs a person out everywhere; how many sessions ended.
    pub async fn sign_out_everywhere(&self, principal: &Principal) -> Result<u64, Refusal> {
        principal.expect_password()?;
        let (subject, now) = (principal.person.subject(), self.clock().now());
        let (own, sessions) = (&principal.session, self.sessions_store());
        let others = sessions.end_others(&subject, Some(own.id), EndReason::Revoked, now);
        let others = others.await?;
        // Last, so that whoever is told that it failed can ask again; and it ended itself.
        let ended = sessions.end(&own.handle(), EndReason::Logout, now).await?;
        Ok(others + u64::from(ended))
    }

    /// A person's sessions that are alive, the latest used first, and [`LISTED`] at the most.
    pub async fn sessions_of(&self, person: &Person) -> Result<Vec<Session>, Refusal> {
        let most = i64::try_from(LISTED).unwrap_or(i64::MAX);
        self.list_sessions(person, None, most).await
    }

    /// So many of a person's sessions that are alive after a place, the latest used first.
    pub async fn list_sessions(
        &self,
        person: &Person,
        after: Option<SessionPlace>,
        limit: i64,
    ) -> Result<Vec<Session>, Refusal> {
        let (subject, now) = (person.subject(), self.clock().now());
        let after = after.map(|place| (place.last_seen_at, place.id));
        let listed = self.sessions_store().list(&subject, now, after, limit);
        Ok(listed.await?)
    }

    /// A person's sessions that were ended because a refresh token was used twice, the latest first: so
    /// many of those that are still stored. Those of before a new password, or whatever else raised the
    /// person's security version, are left out: with it what can be done is done.
    pub async fn list_reused(&self, person: &Person, limit: i64) -> Result<Vec<Session>, Refusal> {
        let (subject, sessions) = (person.subject(), self.sessions_store());
        let listed = sessions.list_ended(&subject, EndReason::Reuse, limit);
        let mut listed = listed.await?;
        let version = person.security_version();
        listed.retain(|session| session.security_version == version);
        Ok(listed)
    }

    /// Ends one of a person's own sessions; another's answers as one that does not exist.
    pub async fn end_own_session(&self, principal: &Principal, id: Uuid) -> Result<(), Refusal> {
        let (subject, now) = (principal.person.subject(), self.clock().now());
        let handle = Handle {
            scope: subject.scope(),
            id: SessionId::from_uuid(id),
        };
        let stored = self.sessions_store().lookup(&handle).await?;
        stored
            .filter(|stored| stored.session.subject == subject && stored.session.is_alive(now))
            .ok_or(Refusal::NotFound)?;
        if handle.id != principal.session.id {
            principal.expect_password()?;
        }
        self.sessions_store()
            .end(&handle, EndReason::Revoked, now)
            .await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_written_and_read() {
        let place = SessionPlace {
            last_seen_at: Timestamp::from_micros(1_700_000_000_000_000),
            id: SessionId::from_uuid(Uuid::from_u128(7)),
        };
        assert_eq!(place.to_string().parse(), Ok(place));
        for none in ["", ".", "1", "x.y", "1.", "1.2"] {
            assert_eq!(none.parse::<SessionPlace>(), Err(NoSessionPlace), "{none}");
        }
    }
}
