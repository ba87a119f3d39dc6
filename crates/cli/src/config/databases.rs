//! `[databases]`

use std::num::NonZeroUsize;

use serde::{Deserialize, Serialize};
use tenantry_store::PoolBounds;

use super::refusal::within;
use crate::exit::Exit;

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Databases {
    /// Tenant databases open at once.
    #[serde(rename(serialize = "open_databases"))]
    open: usize,
}

impl Default for Databases {
    fn default() -> Self {
        Self { open: affordable() }
    }
}

/// As many open tenant databases as file descriptors allow: each has a writer and a reader, each
/// of those three descriptors, and 256 stay for sockets and the rest.
fn affordable() -> usize {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile)
        .current
        .unwrap_or(u64::MAX);
    let databases = limit.saturating_sub(256) / 6;
    usize::try_from(databases.clamp(8, 512)).unwrap_or(512)
}

impl Databases {
    pub(super) fn check(&self) -> Result<(), Exit> {
        within("databases.open", &self.open, &(1..=100_000), None)
    }

    pub(super) fn bounds(&self) -> PoolBounds {
        PoolBounds {
            open: NonZeroUsize::new(self.open).unwrap_or(NonZeroUsize::MIN),
            ..PoolBounds::default()
        }
    }
}
