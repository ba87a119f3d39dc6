//! How many sessions were begun and ended here, by what.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tenantry_core::session::{EndReason, SessionKind};

/// Counts since the start of this process. Copies share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally(Arc<Counters>);

#[derive(Debug, Default)]
struct Counters {
    begun: [AtomicU64; SessionKind::ALL.len()],
    ended: [AtomicU64; EndReason::ALL.len()],
}

/// Sessions that were begun and ended by this process since its start. Those that ran out are in
/// none of the counts: nothing happens then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionCounts {
    /// Begun, by what carries them; each kind is there.
    pub begun: Vec<(SessionKind, u64)>,
    /// Ended before their time, by why; each reason is there.
    pub ended: Vec<(EndReason, u64)>,
}

/// Adds to the counter of one of all there are.
fn add<T: PartialEq>(counters: &[AtomicU64], all: &[T], one: &T, count: u64) {
    let place = all.iter().position(|other| other == one);
    if let Some(counter) = place.and_then(|place| counters.get(place)) {
        counter.fetch_add(count, Ordering::Relaxed);
    }
}

fn read<T: Copy>(counters: &[AtomicU64], all: &[T]) -> Vec<(T, u64)> {
    let counts = counters.iter().map(|count| count.load(Ordering::Relaxed));
    all.iter().copied().zip(counts).collect()
}

impl Tally {
    pub(crate) fn begun(&self, kind: SessionKind) {
        add(&self.0.begun, SessionKind::ALL, &kind, 1);
    }

    pub(crate) fn ended(&self, reason: EndReason, count: u64) {
        add(&self.0.ended, EndReason::ALL, &reason, count);
    }

    pub(crate) fn counts(&self) -> SessionCounts {
        SessionCounts {
            begun: read(&self.0.begun, SessionKind::ALL),
            ended: read(&self.0.ended, EndReason::ALL),
        }
    }
}
