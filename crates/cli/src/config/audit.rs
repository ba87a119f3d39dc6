//! `[audit]`

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::days;
use super::refusal::within;
use crate::exit::Exit;

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Audit {
    /// Days for which entries are kept; 0 for ever.
    #[serde(rename(serialize = "audit_keep_days"))]
    keep_days: u64,
}

impl Default for Audit {
    /// A year, and what it takes to look at it.
    fn default() -> Self {
        Self { keep_days: 400 }
    }
}

impl Audit {
    pub(super) fn check(&self) -> Result<(), Exit> {
        within(
            "audit.keep_days",
            &self.keep_days,
            &(0..=36_500),
            Some("for ever"),
        )
    }

    pub(super) fn keep(&self) -> Option<Duration> {
        days(self.keep_days)
    }
}
