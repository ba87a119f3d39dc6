//! A message with its address, and how both become MIME.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Body, Mailbox, MultiPart, SinglePart};
use tenantry_core::{Email, Locale, OutboxId, Timestamp};

use crate::frame::{Context, Frame};
use crate::{Link, MailTenant, Message, PlainName};

/// Who mails come from.
#[derive(Clone)]
pub struct Sender {
    /// The platform's name, shown beside the address and in mails of no single tenant; without
    /// one the address's domain.
    pub name: Option<PlainName>,
    /// The address. Its domain also stands in each `Message-ID`.
    pub address: Email,
}

impl Sender {
    /// A sender with this name, cleaned.
    pub fn new(name: &str, address: Email) -> Self {
        Self {
            name: PlainName::clean(name),
            address,
        }
    }

    /// The platform as mails show it that are about no single tenant; `url` is where it is.
    pub fn platform(&self, url: Link) -> MailTenant {
        MailTenant::new(self.display_name(), None, url)
    }

    pub(crate) fn display_name(&self) -> &str {
        self.name.as_ref().map_or_else(
            || self.address.as_str().rsplit('@').next().unwrap_or_default(),
            PlainName::as_str,
        )
    }
}

/// A mail that is ready to be written and sent.
#[derive(Clone)]
pub struct Envelope {
    /// The outbox row. Two tries of one row are one mail: `Message-ID`, file name and MIME
    /// boundary come from it.
    pub id: OutboxId,
    /// The one recipient.
    pub to: Email,
    /// The sender.
    pub from: Sender,
    /// The recipient's language.
    pub locale: Locale,
    /// The time in `Date`: when the mail was put into the outbox, the same for each try.
    pub at: Timestamp,
    /// What it says.
    pub message: Message,
}

/// A mail's words.
pub struct Rendered {
    /// The subject line, without control characters.
    pub subject: String,
    /// The plain-text part.
    pub text: String,
    /// The HTML part.
    pub html: String,
}

/// A mail that can't be written.
#[derive(Debug, thiserror::Error)]
pub enum ComposeError {
    /// Sender or recipient is no address that can stand in a mail.
    #[error("the address can't be used in a mail")]
    Address(#[source] lettre::address::AddressError),
    /// A template failed.
    #[error("the template can't be rendered")]
    Template(#[source] askama::Error),
    /// The parts don't make a mail.
    #[error("the mail can't be built")]
    Build(#[source] lettre::error::Error),
}

/// How the parts are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// Everything in ASCII, for a server that may not take more.
    Ascii,
    /// UTF-8 as it is where lines are short enough, so that a person can read the file.
    Readable,
}

impl Envelope {
    /// `<outbox-id@sender's-domain>`, the same for each try, so that a receiver that got the mail
    /// twice can tell (RFC 5322, section 3.6.4).
    pub fn message_id(&self) -> String {
        format!("<{}@{}>", self.id, self.from.address.domain())
    }

    /// Subject and both parts in the recipient's language.
    pub fn render(&self) -> Result<Rendered, ComposeError> {
        let cx = Context::new(self.locale, &self.from, &self.to);
        let mail = self.message.mail();
        Ok(Rendered {
            subject: mail.subject(&cx),
            text: mail.text(cx).map_err(ComposeError::Template)?,
            html: mail
                .html(Frame::of(mail, cx))
                .map_err(ComposeError::Template)?,
        })
    }

    /// The mail as `multipart/alternative`, wholly in ASCII but for an address that is not.
    pub fn to_mime(&self) -> Result<lettre::Message, ComposeError> {
        self.compose(Encoding::Ascii)
    }

    pub(crate) fn compose(&self, encoding: Encoding) -> Result<lettre::Message, ComposeError> {
        let Rendered {
            subject,
            text,
            html,
        } = self.render()?;
        let name = self.from.name.as_ref().map(ToString::to_string);
        let parts = MultiPart::alternative()
            .boundary(format!("tenantry-{}", self.id))
            .singlepart(part(ContentType::TEXT_PLAIN, text, encoding))
            .singlepart(part(ContentType::TEXT_HTML, html, encoding));
        lettre::Message::builder()
            .message_id(Some(self.message_id()))
            .date(date(self.at))
            .from(Mailbox::new(name, address(&self.from.address)?))
            .to(Mailbox::new(None, address(&self.to)?))
            .subject(subject)
            .raw_header(header("Content-Language", self.locale.as_str()))
            // RFC 3834, section 5: no automatic answers to a machine's mail. Exchange asks for a
            // header of its own (MS-OXCMAIL, section 2.2.3.2.14).
            .raw_header(header("Auto-Submitted", "auto-generated"))
            .raw_header(header("X-Auto-Response-Suppress", "All"))
            .multipart(parts)
            .map_err(ComposeError::Build)
    }
}

fn header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

/// One part. Words that may stand as they are do, so that links stay in one piece even for a
/// program that does not decode; lettre would encode whatever has a line past 76 characters.
fn part(kind: ContentType, words: String, encoding: Encoding) -> SinglePart {
    let plain = match (words.is_ascii(), encoding) {
        (true, _) => Some(ContentTransferEncoding::SevenBit),
        (false, Encoding::Readable) => Some(ContentTransferEncoding::EightBit),
        (false, Encoding::Ascii) => None,
    };
    // RFC 5322, section 2.1.1: 998 characters and the line's end.
    let fits = words.lines().all(|line| line.len() <= 998) && !words.contains(['\0', '\r']);
    let body = match plain {
        Some(plain) if fits => {
            Body::dangerous_pre_encoded(words.replace('\n', "\r\n").into_bytes(), plain)
        }
        _ => Body::new(words),
    };
    SinglePart::builder().header(kind).body(body)
}

fn address(email: &Email) -> Result<lettre::Address, ComposeError> {
    email.as_str().parse().map_err(ComposeError::Address)
}

/// The time for `Date`, kept within what its format can say: 1970 to 9999.
fn date(at: Timestamp) -> SystemTime {
    let seconds = at.seconds().clamp(0, 253_402_300_799);
    UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
}

#[cfg(test)]
mod tests;
