//! What can go wrong with Redis.

use std::time::Duration;

use ::redis::ErrorKind;

/// Why Redis did not do its part.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RedisError {
    /// There is no connection.
    #[error("Redis at {place} can't be reached")]
    Unreachable {
        /// Host and port.
        place: String,
        /// What the driver said.
        source: ::redis::RedisError,
    },
    /// It takes too long.
    #[error("Redis at {place} did not {what} within {within:?}")]
    Slow {
        /// Host and port.
        place: String,
        /// What was waited for.
        what: &'static str,
        /// For how long.
        within: Duration,
        /// Whether it was asked for something by then.
        sent: bool,
    },
    /// It refused, or the connection ended under the command.
    #[error("Redis at {place} did not do what it was asked")]
    Refused {
        /// Host and port.
        place: String,
        /// What it said.
        source: ::redis::RedisError,
    },
}

impl RedisError {
    /// Whether a change that was asked for may have been made nonetheless, or may yet be: it was sent,
    /// and no answer came.
    pub fn is_in_doubt(&self) -> bool {
        match self {
            Self::Unreachable { .. } => false,
            Self::Slow { sent, .. } => *sent,
            Self::Refused { source, .. } => !matches!(
                source.kind(),
                ErrorKind::Server(_) | ErrorKind::Extension | ErrorKind::AuthenticationFailed
            ),
        }
    }
}
