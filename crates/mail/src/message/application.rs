//! Mails to whoever asks for a tenant.

use serde::{Deserialize, Serialize};
use tenantry_core::Timestamp;

use super::{Mail, template_pair};
use crate::frame::Context;
use crate::{Link, LinkError, MailTenant, PlainName};

/// The first line of a mail to somebody of whom a name may be known. One that reads like a link is
/// not shown: anybody can ask in anybody's name.
fn hello(person: Option<&PlainName>, cx: &Context<'_>) -> String {
    let name = person.filter(|name| !name.looks_like_a_link());
    (cx.t.common.hello)(name.map(PlainName::as_str))
}

/// To whoever asked for a tenant, who proves the address with it.
#[derive(Clone, Serialize, Deserialize)]
pub struct ConfirmApplication {
    /// The address that is asked for, below which the tenant's pages would be.
    pub wished: Link,
    /// The person's name, where one was given. One that reads like a link is not shown.
    pub person: Option<PlainName>,
    /// Where the address is proven.
    pub link: Link,
    /// When the link runs out.
    pub expires_at: Timestamp,
}

template_pair!(
    ConfirmApplication,
    "application/confirm.txt",
    "application/confirm.html"
);

impl ConfirmApplication {
    fn hello(&self, cx: &Context<'_>) -> String {
        hello(self.person.as_ref(), cx)
    }

    /// How long the link works.
    fn until(&self, cx: &Context<'_>) -> String {
        (cx.t.common.until)(&cx.moment(self.expires_at))
    }

    /// Examples: with a name, without one, and with one that advertises.
    pub fn samples() -> Result<Vec<Self>, LinkError> {
        let plain = Self {
            wished: Link::parse("http://acme.localhost:8000/")?,
            person: PlainName::clean("Ada Lovelace"),
            link: Link::parse(
                "http://localhost:8000/signup/\
                 Rk2sV7bQ9xTn4wYcJ1mLz6pHe8uAoDgFiKyB3dX5vNM",
            )?,
            expires_at: Timestamp::from_micros(1_795_271_400_000_000),
        };
        let nameless = Self {
            person: None,
            ..plain.clone()
        };
        let advertising = Self {
            person: PlainName::clean("Win at evil.example now"),
            ..plain.clone()
        };
        Ok(vec![plain, nameless, advertising])
    }
}

impl Mail for ConfirmApplication {
    fn tenant(&self) -> Option<&MailTenant> {
        None
    }

    fn subject(&self, cx: &Context<'_>) -> String {
        (cx.t.application.confirm_subject)(cx.platform)
    }

    fn preheader(&self, cx: &Context<'_>) -> String {
        self.until(cx)
    }

    fn links(&self) -> Vec<&Link> {
        vec![&self.link, &self.wished]
    }
}

/// Notice to whoever asked for a tenant: there will be none.
#[derive(Clone, Serialize, Deserialize)]
pub struct ApplicationRejected {
    /// The address that was asked for.
    pub wished: Link,
    /// The person's name, where one was given. One that reads like a link is not shown.
    pub person: Option<PlainName>,
    /// Why, in the words of whoever decided.
    pub reason: Option<String>,
}

template_pair!(
    ApplicationRejected,
    "application/rejected.txt",
    "application/rejected.html"
);

impl ApplicationRejected {
    fn hello(&self, cx: &Context<'_>) -> String {
        hello(self.person.as_ref(), cx)
    }

    /// Examples: with a reason and without one.
    pub fn samples() -> Result<Vec<Self>, LinkError> {
        let plain = Self {
            wished: Link::parse("http://acme.localhost:8000/")?,
            person: PlainName::clean("Ada Lovelace"),
            reason: None,
        };
        let explained = Self {
            reason: Some("ACME-2026/7".to_owned()),
            ..plain.clone()
        };
        Ok(vec![plain, explained])
    }
}

impl Mail for ApplicationRejected {
    fn tenant(&self) -> Option<&MailTenant> {
        None
    }

    fn subject(&self, cx: &Context<'_>) -> String {
        (cx.t.application.rejected_subject)(cx.platform)
    }

    fn preheader(&self, cx: &Context<'_>) -> String {
        (cx.t.application.rejected_intro)(cx.platform)
    }

    fn links(&self) -> Vec<&Link> {
        vec![&self.wished]
    }
}
