//! A clock that stands still until a test moves it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use tenantry_core::{Clock, Timestamp};

/// A clock in a test's hands. Copies share one time.
#[derive(Clone, Debug)]
pub struct ManualClock {
    micros: Arc<AtomicI64>,
    /// After how many more looks at it one panics; none does at zero.
    fuse: Arc<AtomicUsize>,
}

impl ManualClock {
    /// A clock that shows this time.
    pub fn at(time: Timestamp) -> Self {
        Self {
            micros: Arc::new(AtomicI64::new(time.micros())),
            fuse: Arc::default(),
        }
    }

    /// The clock to hand to what is tested.
    pub fn clock(&self) -> Clock {
        let (micros, fuse) = (Arc::clone(&self.micros), Arc::clone(&self.fuse));
        Clock::new(move || {
            let shorter = |left: usize| left.checked_sub(1);
            let left = fuse.fetch_update(Ordering::SeqCst, Ordering::SeqCst, shorter);
            assert_ne!(left, Ok(1), "a test has this look at the clock break off");
            Timestamp::from_micros(micros.load(Ordering::SeqCst))
        })
    }

    /// Has the look at a handed-out clock that comes so many looks from now panic, and no other: a
    /// fault in the middle of whatever asks.
    pub fn break_off_after(&self, looks: usize) {
        self.fuse.store(looks, Ordering::SeqCst);
    }

    /// The time it shows.
    pub fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.micros.load(Ordering::SeqCst))
    }

    /// Moves it ahead and says what it shows then.
    pub fn advance(&self, by: Duration) -> Timestamp {
        let later = self.now() + by;
        self.set(later);
        later
    }

    /// Sets it to any time, also an earlier one.
    pub fn set(&self, time: Timestamp) {
        self.micros.store(time.micros(), Ordering::SeqCst);
    }
}

impl Default for ManualClock {
    /// A clock at 2026-01-01T00:00:00Z: a date that reads well in a failure.
    fn default() -> Self {
        Self::at(Timestamp::from_micros(1_767_225_600_000_000))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_that_were_handed_out_move_with_it() {
        let manual = ManualClock::default();
        let clock = manual.clock();
        assert_eq!(clock.now().to_string(), "2026-01-01T00:00:00.000Z");
        manual.advance(Duration::from_secs(61));
        assert_eq!(clock.now().to_string(), "2026-01-01T00:01:01.000Z");
        manual.set(Timestamp::from_micros(0));
        assert_eq!(clock.now(), Timestamp::from_micros(0));
    }
}
