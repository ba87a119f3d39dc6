//! How often sessions came to lie elsewhere, which is part of the names under which they lie.
//!
//! Whoever has sessions lie in another place and in the first again would else find what lay there
//! before, with all that was ended meanwhile. Rows in the control database are ended by the switch
//! itself, so they need no name.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// The number by which sessions are named here. Copies share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Switches(Arc<AtomicI64>);

impl Switches {
    pub(crate) fn now(&self) -> i64 {
        self.0.load(Ordering::Acquire)
    }

    /// Goes on to this number, and never back; whether it was another.
    pub(crate) fn follow(&self, switches: i64) -> bool {
        self.0.fetch_max(switches, Ordering::AcqRel) < switches
    }

    /// What names carry: nothing before the first switch.
    pub(crate) fn name(switches: i64) -> Option<String> {
        (switches > 0).then(|| format!("after-{switches}"))
    }

    /// Whether names carry this.
    pub(crate) fn is_name(text: &str) -> bool {
        let number = text.strip_prefix("after-").map(str::parse);
        matches!(number, Some(Ok(switches)) if Self::name(switches).as_deref() == Some(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goes_on_and_never_back() {
        let switches = Switches::default();
        let copy = switches.clone();
        assert!(!switches.follow(0));
        assert!(switches.follow(2));
        assert!(!copy.follow(1) && !copy.follow(2));
        assert_eq!(copy.now(), 2);
    }

    #[test]
    fn names_are_told_from_others() {
        assert_eq!(Switches::name(0), None);
        assert_eq!(Switches::name(3).as_deref(), Some("after-3"));
        assert!(Switches::is_name("after-3"));
        for other in [
            "after-0", "after-03", "after--1", "after-", "locks", "platform",
        ] {
            assert!(!Switches::is_name(other), "{other}");
        }
    }
}
