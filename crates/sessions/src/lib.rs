//! Session drivers and the stale rule.
