//! `[workflows]`

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tenantry_saga::Pace;

use super::refusal::within;
use crate::exit::Exit;

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Workflows {
    /// Seconds without a sign of life after which a run is taken up by another process.
    lease_seconds: u64,
}

impl Default for Workflows {
    fn default() -> Self {
        Self {
            lease_seconds: Pace::default().lease.as_secs(),
        }
    }
}

impl Workflows {
    pub(super) fn check(&self) -> Result<(), Exit> {
        within(
            "workflows.lease_seconds",
            &self.lease_seconds,
            &(1..=86_400),
            None,
        )
    }

    pub(super) fn pace(&self) -> Pace {
        Pace {
            lease: Duration::from_secs(self.lease_seconds),
            ..Pace::default()
        }
    }
}
