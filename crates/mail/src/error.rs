//! Why a mail was not handed over, and whether another try makes sense.

use std::io;

use crate::ComposeError;

/// A mail that was not handed over. Decided by the kind of failure and the SMTP code, never by
/// the words of an answer.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// A later try may succeed: nobody listens, the server is busy (4xx), or the settings are
    /// wrong and an operator can mend them.
    #[error("the mail could not be handed over now")]
    Retry(#[source] Cause),
    /// This mail will never be taken: the server said so (5xx), or the address can't be used.
    #[error("the mail was refused for good")]
    Permanent(#[source] Cause),
}

impl SendError {
    /// What happened.
    pub const fn cause(&self) -> &Cause {
        match self {
            Self::Retry(cause) | Self::Permanent(cause) => cause,
        }
    }

    /// Whether another try makes sense.
    pub const fn is_retry(&self) -> bool {
        matches!(self, Self::Retry(_))
    }
}

/// What kept a mail, or a check, from being done. None of the texts holds the mail or a password;
/// a server's own words may hold the recipient's address.
#[derive(Debug, thiserror::Error)]
pub enum Cause {
    /// The server answered with a code of refusal.
    #[error("the mail server refused with code {code}")]
    Refused {
        /// The reply code (RFC 5321, section 4.2).
        code: u16,
        /// The server's own words.
        #[source]
        reply: lettre::transport::smtp::Error,
    },
    /// No connection, a broken one, a failed TLS handshake, or an answer that isn't SMTP.
    #[error("the connection to the mail server failed")]
    Connection(#[source] lettre::transport::smtp::Error),
    /// The server took too long.
    #[error("the mail server did not answer in time")]
    Timeout,
    /// The settings ask for encryption, or hold a password, and the server offers no `STARTTLS`.
    #[error("the mail server offers no encryption")]
    NotEncrypted,
    /// The address has letters outside ASCII, and the server lacks `SMTPUTF8` (RFC 6531).
    #[error("the mail server can't take an address with letters outside ASCII")]
    AddressNotAscii,
    /// The mail could not be written.
    #[error("the mail could not be composed")]
    Compose(#[source] ComposeError),
    /// The folder for mails can't be used.
    #[error("the mail folder can't be written")]
    Folder(#[source] io::Error),
}

impl Cause {
    /// The SMTP reply code, if there was one.
    pub const fn code(&self) -> Option<u16> {
        match self {
            Self::Refused { code, .. } => Some(*code),
            Self::Connection(_)
            | Self::Timeout
            | Self::NotEncrypted
            | Self::AddressNotAscii
            | Self::Compose(_)
            | Self::Folder(_) => None,
        }
    }
}

impl From<lettre::transport::smtp::Error> for Cause {
    fn from(error: lettre::transport::smtp::Error) -> Self {
        match error.status() {
            Some(code) => Self::Refused {
                code: code.into(),
                reply: error,
            },
            None => Self::Connection(error),
        }
    }
}
