//! Why a notice did not arrive.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use crate::Unsuitable;

/// Why a notice did not arrive, or is not known to have. No text repeats the receiver's URL, which
/// may hold what proves who calls.
#[derive(Debug, thiserror::Error)]
pub enum PostError {
    /// Its URL may not be written to, as the settings are now.
    #[error("the receiver's URL can't be used: {0}")]
    Unsuitable(#[from] Unsuitable),
    /// Its name leads inside.
    #[error(
        "the receiver's name leads to {0}, which is this machine or a private network; the setting webhooks.allow_private allows that"
    )]
    Private(IpAddr),
    /// Its name leads nowhere.
    #[error("the receiver's name leads to no address")]
    Resolve(#[source] Option<io::Error>),
    /// It does not answer at all.
    #[error("no connection to the receiver could be made")]
    Connect(#[source] io::Error),
    /// It does not prove who it is, or does not speak TLS.
    #[error("the receiver can't be reached over TLS")]
    Tls(#[source] io::Error),
    /// It does not speak HTTP.
    #[error("the receiver's answer could not be read")]
    Http(#[source] hyper::Error),
    /// It takes too long.
    #[error("the receiver did not answer within {0:?}")]
    Late(Duration),
    /// It sent us elsewhere.
    #[error("the receiver answered {0}; redirects are not followed, so set the URL it leads to")]
    Redirect(u16),
    /// It did not take the notice.
    #[error("the receiver answered {0}")]
    Status(u16),
    /// Its answer is cut short, too long, or no text.
    #[error("the answer is cut short, too long, or no text")]
    Unread,
    /// The request could not be written.
    #[error("the request could not be written")]
    Request(#[source] hyper::http::Error),
}

impl PostError {
    /// Whether another try makes no sense: the receiver says that it is gone for good
    /// (Standard Webhooks: 410).
    pub const fn is_final(&self) -> bool {
        matches!(self, Self::Status(410))
    }

    /// The status the receiver answered with, if it did.
    pub const fn status(&self) -> Option<u16> {
        match self {
            Self::Redirect(status) | Self::Status(status) => Some(*status),
            _ => None,
        }
    }
}
