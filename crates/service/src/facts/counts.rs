//! How often the memory helped.

use std::sync::atomic::{AtomicU64, Ordering};

/// How often what, since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FactCounts {
    /// Things kept now.
    pub kept: usize,
    /// Answered from memory.
    pub hits: u64,
    /// Read, since nothing was kept.
    pub misses: u64,
    /// Read, since what was kept had changed or was too old.
    pub stale: u64,
    /// Given up for want of room.
    pub evictions: u64,
    /// Changes that this process made and told of.
    pub told: u64,
    /// Changes that it heard of from others.
    pub heard: u64,
    /// Access tokens whose signature was verified; one that is kept need not be.
    pub verified: u64,
}

impl FactCounts {
    pub(super) fn of(kept: usize, (told, heard): (u64, u64)) -> Self {
        Self {
            kept,
            told,
            heard,
            ..Self::default()
        }
    }
}

/// Counters of one shelf.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(super) hits: AtomicU64,
    pub(super) misses: AtomicU64,
    pub(super) stale: AtomicU64,
    pub(super) evictions: AtomicU64,
}

impl Counts {
    pub(super) fn added_to(sum: FactCounts, counts: &std::sync::Arc<Self>) -> FactCounts {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        FactCounts {
            hits: sum.hits + of(&counts.hits),
            misses: sum.misses + of(&counts.misses),
            stale: sum.stale + of(&counts.stale),
            evictions: sum.evictions + of(&counts.evictions),
            ..sum
        }
    }
}
