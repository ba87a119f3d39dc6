//! One look at the parts for everybody who asks within a second.
//!
//! Anybody may ask whether we are ready, and a look is a connection to the mail server, to Redis, to
//! each cluster. So a look is begun at most once a second and never beside another, and it goes on
//! when whoever asked hangs up. What is told was seen by a look that began a second ago at most, or
//! that was still under way: it is never older than such a look may take, which is three seconds.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::{NEEDED, Part, PartState};
use crate::moment::Moment;
use crate::{Refusal, Service};

/// How long what a look saw is told again, from its beginning.
const FRESH: Duration = Duration::from_secs(1);

/// What was seen of the parts, and by which look.
#[derive(Default)]
pub(crate) struct Looked(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    last: Vec<Part>,
    look: Option<Look>,
}

struct Look {
    begun: Moment,
    /// What it saw; nothing while it is under way.
    seen: watch::Receiver<Option<Vec<Part>>>,
}

impl Look {
    /// Whether somebody who asks now is told what this one sees.
    fn counts(&self) -> bool {
        let done = self.seen.borrow().is_some();
        if done {
            self.begun.elapsed() < FRESH
        } else {
            // One that broke off has nobody who would tell.
            self.seen.has_changed().is_ok()
        }
    }
}

impl Looked {
    fn lock(&self) -> MutexGuard<'_, Kept> {
        // What is in it is set in one go.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Service {
    /// How each part was a moment ago: one look a second is shared by all who ask.
    pub async fn parts_lately(&self) -> Vec<Part> {
        let mut seen = self.shared_look();
        let parts = seen.wait_for(Option::is_some).await;
        let parts = parts.ok().and_then(|parts| parts.clone());
        match parts {
            Some(parts) => parts,
            // It broke off.
            None => self.parts().await,
        }
    }

    /// How each part was at the last shared look; empty before the first. Looks at nothing.
    pub fn parts_last_seen(&self) -> Vec<Part> {
        self.looked().lock().last.clone()
    }

    /// Looks at each part, so that there is something to tell.
    pub(crate) async fn watch_parts(&self) -> Result<usize, Refusal> {
        self.parts_lately().await;
        Ok(0)
    }

    /// The look that counts now. It is a task of its own: whoever began it may hang up.
    fn shared_look(&self) -> watch::Receiver<Option<Vec<Part>>> {
        let mut kept = self.looked().lock();
        if let Some(look) = kept.look.as_ref().filter(|look| look.counts()) {
            return look.seen.clone();
        }
        let (told, seen) = watch::channel(None);
        kept.look = Some(Look {
            begun: Moment::now(),
            seen: seen.clone(),
        });
        let service = self.clone();
        tokio::spawn(async move {
            let parts = service.look_at_parts(NEEDED).await;
            let mut kept = service.looked().lock();
            say_changes(&kept.last, &parts);
            kept.last.clone_from(&parts);
            // Under the lock, so that nobody finds it neither under way nor done.
            told.send_replace(Some(parts));
        });
        seen
    }
}

/// Tells the log what works no more and what works again; once, however many ask.
fn say_changes(before: &[Part], now: &[Part]) {
    for part in now {
        let before = before.iter().find(|known| known.name == part.name);
        let worked = before.is_none_or(|known| known.state == PartState::Up);
        match &part.detail {
            Some(detail) if worked => {
                tracing::warn!(part = part.name, detail, "a part does not work");
            }
            None if !worked => tracing::info!(part = part.name, "a part works again"),
            Some(_) | None => {}
        }
    }
}
