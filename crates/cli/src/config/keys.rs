//! `[keys]`

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::days;
use super::refusal::within;
use crate::exit::Exit;

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Keys {
    /// Days after which the key that signs access tokens is exchanged; 0 never.
    #[serde(rename(serialize = "signing_key_rotate_days"))]
    signing_rotate_days: u64,
}

impl Default for Keys {
    fn default() -> Self {
        Self {
            signing_rotate_days: 90,
        }
    }
}

impl Keys {
    pub(super) fn check(&self) -> Result<(), Exit> {
        within(
            "keys.signing_rotate_days",
            &self.signing_rotate_days,
            &(0..=3650),
            Some("never"),
        )
    }

    pub(super) fn rotate_signing(&self) -> Option<Duration> {
        days(self.signing_rotate_days)
    }
}
