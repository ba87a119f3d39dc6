//! Moments of this process, for what may be only so old: facts in memory, keys.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// A moment, told by the clock that nobody sets and that goes on while the machine sleeps
/// (`CLOCK_BOOTTIME`). [`std::time::Instant`] stands still meanwhile (`CLOCK_MONOTONIC`, man page
/// `clock_gettime(2)`): a laptop that is opened would answer by what was true when it fell asleep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(Duration);

impl Moment {
    /// This one.
    pub(crate) fn now() -> Self {
        let now = clock_gettime(ClockId::Boottime);
        // It counts from the start of the machine, and never below nothing.
        Self(Duration::new(
            u64::try_from(now.tv_sec).unwrap_or_default(),
            u32::try_from(now.tv_nsec).unwrap_or_default(),
        ))
    }

    /// How long ago it was.
    pub(crate) fn elapsed(self) -> Duration {
        Self::now().0.saturating_sub(self.0)
    }
}
