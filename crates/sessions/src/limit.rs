//! How many sessions a person may have.
//!
//! Whoever begins one ends what is too many afterwards. All who do so have the same order, and the
//! last of them to look sees what all the others began: so ten sign-ins at one moment leave no more
//! than are allowed, and no fewer. Whoever begins one sees to it that it is the last in that order
//! (`docs/decisions/0015-session-drivers.md`).

use std::cmp::Reverse;

use tenantry_core::marks::Topic;
use tenantry_core::session::{EndReason, Session, Subject};
use tenantry_core::{SessionId, Timestamp};

use crate::{SessionError, SessionStore};

impl SessionStore {
    /// Ends a person's live sessions but the `most` that were used last; how many.
    pub async fn end_surplus(
        &self,
        subject: &Subject,
        most: u32,
        now: Timestamp,
    ) -> Result<u64, SessionError> {
        let outcome = driver!(self, |driver| driver.end_surplus(subject, most, now));
        self.ended(EndReason::Limit, &outcome);
        // Nearly every sign-in ends none, and makes nobody look anew.
        if !matches!(outcome, Ok(0)) {
            self.tell(Topic::Person(subject.person()));
        }
        outcome
    }
}

/// Of these live sessions all but the `most` that were used last. Of several that were used at one
/// moment the later one counts as used later, as its id does.
pub(crate) fn surplus_of(mut alive: Vec<Session>, most: u32) -> Vec<SessionId> {
    alive.sort_by_key(|session| Reverse((session.last_seen_at, session.id)));
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let surplus = alive.into_iter().skip(most);
    surplus.map(|session| session.id).collect()
}
