//! `[hashing]`

use std::num::NonZeroUsize;

use serde::{Deserialize, Serialize};

use super::refusal::within;
use crate::exit::Exit;

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Hashing {
    /// Threads that hash passwords.
    #[serde(rename(serialize = "hash_threads"))]
    threads: usize,
}

impl Default for Hashing {
    /// One for each core.
    fn default() -> Self {
        Self {
            threads: std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
        }
    }
}

impl Hashing {
    pub(super) fn check(&self) -> Result<(), Exit> {
        within("hashing.threads", &self.threads, &(1..=1024), None)
    }

    pub(super) fn threads(&self) -> NonZeroUsize {
        NonZeroUsize::new(self.threads).unwrap_or(NonZeroUsize::MIN)
    }
}
