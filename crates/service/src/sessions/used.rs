//! That a session is used, noted beside the requests.
//!
//! Nobody waits for it: where sessions lie may be slow to write, or refuse to, while reading goes on.
//! What this process knows of a use counts here meanwhile, so that a session does not end as unused
//! because its use could not be written down.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use tenantry_core::Timestamp;
use tenantry_core::session::{Handle, Session};

use super::TOUCH_AFTER;
use crate::Service;
use crate::refusal::Chain;

/// The last use of a session by one credential, as far as it was noted or is about to be.
#[derive(Debug)]
pub(super) struct Used {
    /// When, in microseconds.
    last: AtomicI64,
    /// Whether somebody is writing it down: one at a time, however long it takes.
    noting: AtomicBool,
}

impl Default for Used {
    fn default() -> Self {
        Self {
            last: AtomicI64::new(i64::MIN),
            noting: AtomicBool::new(false),
        }
    }
}

impl Used {
    fn last(&self) -> Timestamp {
        Timestamp::from_micros(self.last.load(Ordering::Acquire))
    }

    /// The last use where it is later than what the session says. One that is still to come was noted
    /// before the clock was set back, and says nothing.
    fn later(&self, session: &Session, now: Timestamp) -> Option<Timestamp> {
        Some(self.last()).filter(|last| *last > session.last_seen_at && *last <= now)
    }

    /// A session as far as its use is known.
    pub(super) fn known<'a>(&self, session: &'a Session, now: Timestamp) -> Cow<'a, Session> {
        self.later(session, now)
            .map_or(Cow::Borrowed(session), |last| {
                Cow::Owned(Session {
                    last_seen_at: last,
                    ..session.clone()
                })
            })
    }

    /// Puts the last use that is known into a session.
    pub(super) fn put_in(&self, session: &mut Session, now: Timestamp) {
        if let Some(last) = self.later(session, now) {
            session.last_seen_at = last;
        }
    }
}

impl Service {
    /// Has a use noted beside the request, where the last one was a while ago.
    pub(super) fn note_use(&self, used: &Arc<Used>, session: &Session, now: Timestamp) {
        let last = used.later(session, now).unwrap_or(session.last_seen_at);
        if now.since(last) < TOUCH_AFTER {
            return;
        }
        used.last.store(now.micros(), Ordering::Release);
        if used.noting.swap(true, Ordering::AcqRel) {
            return;
        }
        let (service, used, handle) = (self.clone(), Arc::clone(used), session.handle());
        tokio::spawn(async move { service.write_down(&used, &handle).await });
    }

    /// Writes down the last use, and the next one where it came meanwhile.
    async fn write_down(&self, used: &Used, handle: &Handle) {
        loop {
            let at = used.last();
            if let Err(error) = self.sessions_store().touch(handle, at).await {
                tracing::warn!(session.id = %handle.id, error = %Chain(&error), "that a session was used could not be noted; it is tried again with its use a minute from now");
            }
            used.noting.store(false, Ordering::Release);
            if used.last() <= at || used.noting.swap(true, Ordering::AcqRel) {
                return;
            }
        }
    }
}
