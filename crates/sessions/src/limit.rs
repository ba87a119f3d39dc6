//! How many sessions a person may have.
//!
//! Whoever begins one ends what is too many afterwards, each session by itself. All who do so have
//! the same order, and the last of them to look sees what all the others began: so ten sign-ins at
//! one moment leave no more than are allowed, and no fewer.

use std::cmp::Reverse;

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
        let surplus = match self {
            Self::Database(driver) => driver.surplus(subject, most, now).await?,
            Self::Redis(driver) => driver.surplus(subject, most, now).await?,
            Self::File(driver) => driver.surplus(subject, most, now).await?,
        };
        let mut ended = 0;
        for id in surplus {
            let handle = tenantry_core::session::Handle {
                scope: subject.scope(),
                id,
            };
            ended += u64::from(self.end(&handle, EndReason::Limit, now).await?);
        }
        Ok(ended)
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
