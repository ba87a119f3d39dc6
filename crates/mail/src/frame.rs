//! What every template is given besides its own mail: the language and the look.

use std::time::Duration;

use tenantry_core::{Colour, Email, Locale, Timestamp};

use crate::Sender;
use crate::message::Mail;
use crate::texts::Texts;

/// For whom and in whose name a mail is written.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    /// The texts in the recipient's language.
    pub(crate) t: &'static Texts,
    /// The language's tag (RFC 5646).
    pub(crate) lang: &'static str,
    /// The recipient's address.
    pub(crate) to: &'a str,
    /// The platform's name, as the sender's name shows it.
    pub(crate) platform: &'a str,
}

impl<'a> Context<'a> {
    /// A mail in `locale` from `from` to `to`.
    pub(crate) fn new(locale: Locale, from: &'a Sender, to: &'a Email) -> Self {
        Self {
            t: Texts::of(locale),
            lang: locale.as_str(),
            to: to.as_str(),
            platform: from.display_name(),
        }
    }

    /// `time` in words.
    pub(crate) fn moment(&self, time: Timestamp) -> String {
        (self.t.moment)(time.into())
    }

    /// `span` in words.
    pub(crate) fn span(&self, span: Duration) -> String {
        (self.t.span)(span.into())
    }

    /// The last line.
    pub(crate) fn sent_to(&self) -> String {
        (self.t.common.sent_to)(self.platform, self.to)
    }
}

/// The look of one HTML mail.
pub(crate) struct Frame<'a> {
    /// Language and people.
    pub(crate) cx: Context<'a>,
    /// The subject, here as the document's title.
    pub(crate) subject: String,
    /// What mail programs show behind the subject in a list.
    pub(crate) preheader: String,
    /// The name in the bar.
    pub(crate) brand: &'a str,
    /// Bar and button.
    pub(crate) paint: Paint,
}

impl<'a> Frame<'a> {
    /// The frame of `mail`: its tenant's look, or the platform's.
    pub(crate) fn of(mail: &'a dyn Mail, cx: Context<'a>) -> Self {
        let tenant = mail.tenant();
        Self {
            cx,
            subject: mail.subject(&cx),
            preheader: mail.preheader(&cx),
            brand: tenant.map_or(cx.platform, |tenant| tenant.name.as_str()),
            paint: Paint::of(tenant.and_then(|tenant| tenant.colour)),
        }
    }
}

/// A colour with what goes on and around it.
pub(crate) struct Paint {
    /// The surface.
    pub(crate) fill: Colour,
    /// Text on it.
    pub(crate) ink: Colour,
    /// The line around it.
    pub(crate) edge: Colour,
}

impl Paint {
    /// A tenant's paint, or the platform's for one without a colour.
    pub(crate) fn of(colour: Option<Colour>) -> Self {
        let fill = colour.unwrap_or(Colour::PLATFORM);
        Self {
            fill,
            ink: fill.ink(),
            edge: edge_of(fill),
        }
    }
}

/// A line around things in this colour, which shows where the colour itself would vanish on white
/// or on the near-black of a dark screen.
fn edge_of(fill: Colour) -> Colour {
    let luminance = fill.luminance();
    if luminance > 0.8 {
        Colour::new(0xd1, 0xd5, 0xdb)
    } else if luminance < 0.03 {
        Colour::new(0x4b, 0x55, 0x63)
    } else {
        fill
    }
}
