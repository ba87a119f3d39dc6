//! Messages, templates, transports: from "this person should get this mail" to a mail handed over.
//!
//! Owns what mails say and look like in every language, how they become MIME, and the two ways
//! they leave: SMTP, or one `.eml` file each for development. Tries once and says whether another
//! try makes sense; the outbox rows, the retry timing and the database belong to `store` and
//! `service`, which call it. It refuses to read a clock, to log (mails hold secrets) and to load
//! anything over the network into a mail.
//!
//! A new kind of mail is a struct in [`message`] with its two templates, a variant of [`Message`]
//! and its texts in every language; the compiler names what is still missing.

mod envelope;
mod error;
mod frame;
mod link;
mod name;
mod tenant;
mod texts;
mod transport;
mod when;

pub mod files;
pub mod message;
pub mod smtp;

pub use envelope::{ComposeError, Envelope, Rendered, Sender};
pub use error::{Cause, SendError};
pub use link::{Link, LinkError};
pub use message::Message;
pub use name::PlainName;
pub use tenant::MailTenant;
pub use tenantry_core::Colour;
pub use transport::Transport;
