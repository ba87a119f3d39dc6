//! Mails with which a new person chooses the first password.

use serde::{Deserialize, Serialize};
use tenantry_core::Timestamp;

use super::{Mail, template_pair};
use crate::frame::Context;
use crate::{Colour, Link, LinkError, MailTenant, PlainName};

/// To a person who was given an account at a tenant.
#[derive(Clone, Serialize, Deserialize)]
pub struct SetupLink {
    /// The tenant.
    pub tenant: MailTenant,
    /// The person's name, where one is known. One that reads like a link is not shown.
    pub person: Option<PlainName>,
    /// Where the password is chosen.
    pub link: Link,
    /// When the link runs out.
    pub expires_at: Timestamp,
    /// Where the person signs in from then on.
    pub sign_in_url: Link,
}

template_pair!(SetupLink, "setup/link.txt", "setup/link.html");

impl SetupLink {
    /// The first line.
    fn hello(&self, cx: &Context<'_>) -> String {
        let name = self
            .person
            .as_ref()
            .filter(|name| !name.looks_like_a_link());
        (cx.t.common.hello)(name.map(PlainName::as_str))
    }

    /// How long the link works.
    fn until(&self, cx: &Context<'_>) -> String {
        (cx.t.common.until)(&cx.moment(self.expires_at))
    }

    /// Examples: an ordinary one, one without a name in a bright colour, and one with names that
    /// end nowhere in a dark colour.
    pub fn samples() -> Result<Vec<Self>, LinkError> {
        let plain = Self {
            tenant: MailTenant::new(
                "Acme",
                "#0f766e".parse::<Colour>().ok(),
                Link::parse("http://acme.localhost:8000/login")?,
            ),
            person: PlainName::clean("Ada Lovelace"),
            link: Link::parse(
                "http://acme.localhost:8000/setup/password/\
                 q3vXJ8o2mYb0n7cKfR5tLw1zHs9uEaDgPiTyB4xV6kM",
            )?,
            expires_at: Timestamp::from_micros(1_795_271_400_000_000),
            sign_in_url: Link::parse("http://acme.localhost:8000/login")?,
        };
        let nameless = Self {
            person: None,
            tenant: MailTenant::new(
                "Bäckerei Müßig & Töchter",
                "#fde047".parse::<Colour>().ok(),
                Link::parse("https://muessig.example.org/login")?,
            ),
            ..plain.clone()
        };
        let endless = Self {
            person: PlainName::clean(&"Wolfeschlegelsteinhausenbergerdorff".repeat(9)),
            tenant: MailTenant::new(
                &"Donaudampfschifffahrtsgesellschaft".repeat(9),
                "#0b0b0f".parse::<Colour>().ok(),
                Link::parse("https://donau.example.org/login")?,
            ),
            ..plain.clone()
        };
        Ok(vec![plain, nameless, endless])
    }
}

impl Mail for SetupLink {
    fn tenant(&self) -> Option<&MailTenant> {
        Some(&self.tenant)
    }

    fn subject(&self, cx: &Context<'_>) -> String {
        (cx.t.setup.subject)(self.tenant.name.as_str())
    }

    fn preheader(&self, cx: &Context<'_>) -> String {
        self.until(cx)
    }

    fn links(&self) -> Vec<&Link> {
        vec![&self.link, &self.sign_in_url]
    }
}

/// To a person who was made a platform admin.
#[derive(Clone, Serialize, Deserialize)]
pub struct AdminSetupLink {
    /// Where the password is chosen.
    pub link: Link,
    /// When the link runs out.
    pub expires_at: Timestamp,
}

template_pair!(
    AdminSetupLink,
    "setup/admin_link.txt",
    "setup/admin_link.html"
);

impl AdminSetupLink {
    /// How long the link works.
    fn until(&self, cx: &Context<'_>) -> String {
        (cx.t.common.until)(&cx.moment(self.expires_at))
    }

    /// Examples.
    pub fn samples() -> Result<Vec<Self>, LinkError> {
        Ok(vec![Self {
            link: Link::parse(
                "http://localhost:8000/setup/password/\
                 Zt7bQ2xN9vKe4RmUa0HcYs6WjL1pDgFoI3yXBn8TqVE",
            )?,
            expires_at: Timestamp::from_micros(1_795_271_400_000_000),
        }])
    }
}

impl Mail for AdminSetupLink {
    fn tenant(&self) -> Option<&MailTenant> {
        None
    }

    fn subject(&self, cx: &Context<'_>) -> String {
        (cx.t.admin_setup.subject)(cx.platform)
    }

    fn preheader(&self, cx: &Context<'_>) -> String {
        self.until(cx)
    }

    fn links(&self) -> Vec<&Link> {
        vec![&self.link]
    }
}
