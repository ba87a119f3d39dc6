//! What can go wrong where sessions lie.

use std::time::Duration;

use tenantry_store::StoreError;

use crate::redis::RedisError;

/// Why sessions could not be asked or changed. In no case does anybody get in by it.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The control database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Redis is away, too slow, or refuses.
    #[error(transparent)]
    Redis(#[from] RedisError),
    /// What is stored is no session that this program writes.
    #[error(
        "the session in {place} can't be read ({field}), so it is nobody's; delete it, and its person signs in anew"
    )]
    Damaged {
        /// The file or key.
        place: String,
        /// What about it is wrong.
        field: &'static str,
    },
    /// Another process holds the lock of a session's file.
    #[error(
        "another process has held {place} for {waited:?}; see which one hangs (`fuser {place}`) and end it"
    )]
    Held {
        /// The lock.
        place: String,
        /// How long was waited for it.
        waited: Duration,
    },
    /// The file system refused.
    #[error("{what} under {place} could not be done; see to the disk and to who owns the folder")]
    Io {
        /// What was tried.
        what: &'static str,
        /// The folder.
        place: String,
        /// What the system said.
        source: std::io::Error,
    },
}

impl SessionError {
    /// Whether the same may work in a moment, without anybody seeing to anything.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Store(error) => error.is_transient(),
            Self::Redis(_) | Self::Held { .. } => true,
            Self::Damaged { .. } | Self::Io { .. } => false,
        }
    }

    /// Whether a change that was asked for may have been made nonetheless, or may yet be.
    pub fn is_in_doubt(&self) -> bool {
        match self {
            Self::Store(error) => matches!(error, StoreError::Unanswered(_)),
            Self::Redis(error) => error.is_in_doubt(),
            Self::Damaged { .. } | Self::Held { .. } | Self::Io { .. } => false,
        }
    }
}
