//! The mail with which an owner changes an application's database credentials.

use serde::{Deserialize, Serialize};
use tenantry_core::Timestamp;

use super::{Mail, template_pair};
use crate::frame::Context;
use crate::{Colour, Link, LinkError, MailTenant, PlainName};

/// To an owner, who may change the database credentials of the tenant's applications and see the
/// new ones.
#[derive(Clone, Serialize, Deserialize)]
pub struct CredentialsLink {
    /// The tenant.
    pub tenant: MailTenant,
    /// The owner's name, where one is known. One that reads like a link is not shown.
    pub person: Option<PlainName>,
    /// Where they are changed and shown.
    pub link: Link,
    /// When the link runs out.
    pub expires_at: Timestamp,
}

template_pair!(
    CredentialsLink,
    "credentials/link.txt",
    "credentials/link.html"
);

impl CredentialsLink {
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

    /// Examples: with a name and without one.
    pub fn samples() -> Result<Vec<Self>, LinkError> {
        let plain = Self {
            tenant: MailTenant::new(
                "Acme",
                "#0f766e".parse::<Colour>().ok(),
                Link::parse("http://acme.localhost:8000/login")?,
            ),
            person: PlainName::clean("Ada Lovelace"),
            link: Link::parse(
                "http://acme.localhost:8000/setup/credentials/\
                 Wm4tY9oQ1zKc7vNb3xGhR8sLp0uEaDfJiTyB6eV2kX5",
            )?,
            expires_at: Timestamp::from_micros(1_795_271_400_000_000),
        };
        let nameless = Self {
            person: None,
            tenant: MailTenant::new(
                "Bäckerei Müßig & Töchter",
                None,
                Link::parse("https://muessig.example.org/login")?,
            ),
            ..plain.clone()
        };
        Ok(vec![plain, nameless])
    }
}

impl Mail for CredentialsLink {
    fn tenant(&self) -> Option<&MailTenant> {
        Some(&self.tenant)
    }

    fn subject(&self, cx: &Context<'_>) -> String {
        (cx.t.credentials.subject)(self.tenant.name.as_str())
    }

    fn preheader(&self, cx: &Context<'_>) -> String {
        self.until(cx)
    }

    fn links(&self) -> Vec<&Link> {
        vec![&self.link]
    }
}
