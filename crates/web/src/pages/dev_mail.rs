//! Mails of a development server, which keeps them instead of sending.

use askama::Template;
use tenantry_core::{Locale, OutboxId, Timestamp};

use super::Chrome;
use super::linked::{self, Part};
use super::samples::{self, Samples};
use crate::i18n::format;

/// The list of mails.
#[derive(Clone, Template)]
#[template(path = "dev_mail/list.html")]
pub struct DevMailListPage {
    /// What every page shows.
    pub chrome: Chrome,
    /// The mails, newest first.
    pub mails: Vec<MailHead>,
}

/// One mail. Its HTML part is shown in a frame without rights, from `/dev/mail/{id}/html`.
#[derive(Clone, Template)]
#[template(path = "dev_mail/one.html")]
pub struct DevMailPage {
    /// What every page shows.
    pub chrome: Chrome,
    /// Who, what and when.
    pub head: MailHead,
    /// The text part, if any.
    pub text: Option<String>,
    /// Whether there is an HTML part.
    pub has_html: bool,
}

/// Who a mail is from and to, what it is about and when it was made.
#[derive(Debug, Clone)]
pub struct MailHead {
    /// The id.
    pub id: OutboxId,
    /// When it was made.
    pub at: Timestamp,
    /// The sender, where it is known.
    pub from: Option<String>,
    /// The recipient.
    pub to: String,
    /// The subject; may be empty.
    pub subject: String,
}

impl DevMailListPage {
    fn time(&self, mail: &MailHead) -> String {
        format::date_time(self.chrome.locale, mail.at)
    }
}

impl DevMailPage {
    fn time(&self, mail: &MailHead) -> String {
        format::date_time(self.chrome.locale, mail.at)
    }

    /// The text part with its links found.
    fn parts(&self) -> Vec<Part<'_>> {
        linked::parts(self.text.as_deref().unwrap_or_default())
    }

    fn subject(&self) -> &str {
        if self.head.subject.is_empty() {
            self.chrome.t().dev_mail.no_subject
        } else {
            &self.head.subject
        }
    }
}

fn sample_mails() -> Vec<MailHead> {
    let mail = |number: u32, to: &str, subject: &str| MailHead {
        id: samples::outbox_id(number),
        at: samples::time() - std::time::Duration::from_mins(u64::from(number) * 37),
        from: Some("Tenantry <no-reply@localhost>".to_owned()),
        to: to.to_owned(),
        subject: subject.to_owned(),
    };
    vec![
        mail(1, "ada@example.com", "Choose a password for Acme"),
        mail(
            2,
            "grace.hopper.with.a.rather.long.address@mail.globex.example.com",
            "Reset your password at Globex Corporation: one link for each organisation you belong to",
        ),
        mail(
            3,
            "x@example.com",
            "<script>alert(\"subject\")</script> & more",
        ),
        mail(4, "nobody@example.com", ""),
    ]
}

impl Samples for DevMailListPage {
    fn samples(locale: Locale) -> Vec<(&'static str, Self)> {
        let page = |mails| Self {
            chrome: samples::platform(locale),
            mails,
        };
        vec![
            ("mail-list", page(sample_mails())),
            ("mail-empty", page(Vec::new())),
        ]
    }
}

impl Samples for DevMailPage {
    fn samples(locale: Locale) -> Vec<(&'static str, Self)> {
        let text = "Hello Ada,\n\nAcme has an account for you. Choose a password here:\n\n  \
                    http://acme.localhost:8000/setup/password/8Zr0c2VjcmV0LXRva2VuLXRoYXQtaXMtbG9uZw\n\n\
                    The link is good for 24 hours and works once.\n\nIf this mail surprises you, \
                    you can ignore it. <b>&amp;\n";
        let page = |head, text: Option<&str>, has_html| Self {
            chrome: samples::platform(locale),
            head,
            text: text.map(ToOwned::to_owned),
            has_html,
        };
        let mut mails = sample_mails().into_iter();
        mails
            .next()
            .map(|head| ("mail-one", page(head, Some(text), true)))
            .into_iter()
            .chain(
                mails
                    .nth(1)
                    .map(|head| ("mail-one-bare", page(head, None, false))),
            )
            .collect()
    }
}
