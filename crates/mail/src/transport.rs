//! The ways a mail leaves.

use std::time::Duration;

use crate::files::Files;
use crate::smtp::Smtp;
use crate::{Cause, Envelope, SendError};

/// A way for mails to leave. Cheap to clone; clones share connections.
#[derive(Debug, Clone)]
pub enum Transport {
    /// To a mail server.
    Smtp(Smtp),
    /// Into a folder, one `.eml` file each, for development.
    Files(Files),
}

impl Transport {
    /// After how long [`send`](Self::send) has given up at the latest. Whoever holds a lease on an
    /// outbox row needs a longer one.
    pub const LONGEST_SEND: Duration = crate::smtp::LONGEST_SEND;

    /// Hands the mail over, once. A try that is cancelled or fails may still have delivered the
    /// mail (the answer was lost); the next try carries the same `Message-ID`.
    pub async fn send(&self, envelope: &Envelope) -> Result<(), SendError> {
        match self {
            Self::Smtp(smtp) => smtp.send(envelope).await,
            Self::Files(files) => files.send(envelope).await,
        }
    }

    /// Whether mails could leave right now: the server lets us in and answers `NOOP`, or the
    /// folder can be written. Sends nothing.
    pub async fn check(&self) -> Result<(), Cause> {
        match self {
            Self::Smtp(smtp) => smtp.check().await,
            Self::Files(files) => files.check().await,
        }
    }
}
