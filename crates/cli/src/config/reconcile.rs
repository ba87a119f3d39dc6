//! `[reconcile]`

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::refusal::within;
use crate::exit::Exit;

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Reconcile {
    /// Minutes from one comparison of every tenant with what should be to the next.
    #[serde(rename(serialize = "reconcile_minutes"))]
    minutes: u64,
}

impl Default for Reconcile {
    fn default() -> Self {
        Self { minutes: 15 }
    }
}

impl Reconcile {
    pub(super) fn check(&self) -> Result<(), Exit> {
        within("reconcile.minutes", &self.minutes, &(1..=10_080), None)
    }

    pub(super) const fn every(&self) -> Duration {
        Duration::from_mins(self.minutes)
    }
}
