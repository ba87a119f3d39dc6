//! `[credentials]`

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::days;
use super::refusal::within;
use crate::exit::Exit;

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Credentials {
    /// Seconds for which an application's old database credentials go on working beside its new
    /// ones, at most.
    drain_seconds: u64,
    /// Days after which an owner is asked by mail to change the application's credentials; 0, the
    /// default, never.
    rotate_days: u64,
    /// Days after which the server changes its own credentials; 0 never.
    service_rotate_days: u64,
}

impl Default for Credentials {
    fn default() -> Self {
        Self {
            // Time enough to hand the new ones to every process of the application.
            drain_seconds: 15 * 60,
            rotate_days: 0,
            service_rotate_days: 30,
        }
    }
}

impl Credentials {
    pub(super) fn check(&self) -> Result<(), Exit> {
        within(
            "credentials.drain_seconds",
            &self.drain_seconds,
            &(1..=604_800),
            None,
        )?;
        for (name, number) in [
            ("credentials.rotate_days", self.rotate_days),
            ("credentials.service_rotate_days", self.service_rotate_days),
        ] {
            within(name, &number, &(0..=3650), Some("never"))?;
        }
        Ok(())
    }

    pub(super) const fn drain(&self) -> Duration {
        Duration::from_secs(self.drain_seconds)
    }

    pub(super) fn rotate(&self) -> Option<Duration> {
        days(self.rotate_days)
    }

    pub(super) fn rotate_service(&self) -> Option<Duration> {
        days(self.service_rotate_days)
    }
}
