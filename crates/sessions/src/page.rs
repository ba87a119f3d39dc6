//! A page of a person's sessions, where the driver has no order of its own.

use std::cmp::Reverse;

use tenantry_core::session::{EndReason, Session};
use tenantry_core::{SessionId, Timestamp};
use tenantry_store::control::StoredSession;

/// The most sessions of a person that are read for a list. Nobody finds his way in more, and each
/// costs a look.
pub const LISTED: usize = 5_000;

/// Of these ids those that are read for a list: those begun last, as the ids say.
pub(crate) fn begun_last(mut ids: Vec<SessionId>) -> Vec<SessionId> {
    ids.sort_by_key(|id| Reverse(*id));
    ids.truncate(LISTED);
    ids
}

/// So many of these sessions that are alive, after the one with this last use and id, the latest used
/// first.
pub(crate) fn page_of(
    mut sessions: Vec<StoredSession>,
    now: Timestamp,
    after: Option<(Timestamp, SessionId)>,
    limit: i64,
) -> Vec<Session> {
    let place = |used: Timestamp, id: SessionId| (Reverse(used), id);
    let after = after.map(|(used, id)| place(used, id));
    let key = |session: &Session| place(session.last_seen_at, session.id);
    sessions.retain(|StoredSession { session, .. }| {
        session.is_alive(now) && after.is_none_or(|after| key(session) > after)
    });
    sessions.sort_by_key(|stored| key(&stored.session));
    first(sessions, limit)
}

/// So many of these sessions that ended for this reason, the latest end first.
pub(crate) fn ended_of(
    mut sessions: Vec<StoredSession>,
    reason: EndReason,
    limit: i64,
) -> Vec<Session> {
    sessions.retain(|stored| stored.end_reason == Some(reason));
    sessions.sort_by_key(|stored| (Reverse(stored.session.ended_at), stored.session.id));
    first(sessions, limit)
}

fn first(sessions: Vec<StoredSession>, limit: i64) -> Vec<Session> {
    let first = sessions.into_iter();
    let first = first.take(usize::try_from(limit).unwrap_or_default());
    first.map(|stored| stored.session).collect()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn those_begun_last_are_read() {
        let most = u128::try_from(LISTED).unwrap();
        let ids = |range: std::ops::Range<u128>| -> Vec<SessionId> {
            let uuids = range.map(Uuid::from_u128);
            uuids.map(SessionId::from_uuid).collect()
        };
        let mut read = begun_last(ids(0..most + 10));
        read.sort();
        assert_eq!(read, ids(10..most + 10));
        assert_eq!(begun_last(ids(0..2)).len(), 2);
    }
}
