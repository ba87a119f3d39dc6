//! Mails about a changed address: proving the new one, and the notice to the old one.

use serde::{Deserialize, Serialize};
use tenantry_core::Timestamp;

use super::{Mail, template_pair};
use crate::frame::Context;
use crate::{Colour, Link, LinkError, MailTenant, PlainName};

/// To the address that a person wants to have from now on.
#[derive(Clone, Serialize, Deserialize)]
pub struct NewAddress {
    /// The tenant.
    pub tenant: MailTenant,
    /// The person's name, where one is known. One that reads like a link is not shown.
    pub person: Option<PlainName>,
    /// Where the address is changed.
    pub link: Link,
    /// When the link runs out.
    pub expires_at: Timestamp,
}

template_pair!(
    NewAddress,
    "new_address/confirm.txt",
    "new_address/confirm.html"
);

impl NewAddress {
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

    /// Examples: an ordinary one, and one without a name.
    pub fn samples() -> Result<Vec<Self>, LinkError> {
        let named = Self {
            tenant: MailTenant::new(
                "Acme",
                "#0f766e".parse::<Colour>().ok(),
                Link::parse("http://acme.localhost:8000/")?,
            ),
            person: PlainName::clean("Ada"),
            link: Link::parse(
                "http://acme.localhost:8000/verify-email/\
                 Hs9uEaDgPiTyB4xV6kMq3vXJ8o2mYb0n7cKfR5tLw1z",
            )?,
            expires_at: Timestamp::from_micros(1_795_271_400_000_000),
        };
        let nameless = Self {
            tenant: MailTenant::new(
                "Bäckerei Müßig & Töchter",
                "#fde047".parse::<Colour>().ok(),
                Link::parse("https://muessig.example.org/")?,
            ),
            person: None,
            ..named.clone()
        };
        Ok(vec![named, nameless])
    }
}

impl Mail for NewAddress {
    fn tenant(&self) -> Option<&MailTenant> {
        Some(&self.tenant)
    }

    fn subject(&self, cx: &Context<'_>) -> String {
        (cx.t.new_address.subject)(self.tenant.name.as_str())
    }

    fn preheader(&self, cx: &Context<'_>) -> String {
        self.until(cx)
    }

    fn links(&self) -> Vec<&Link> {
        vec![&self.link]
    }
}

/// To the address that a person had until now. It does not hold the new one: whoever reads this
/// mailbox need not be the person.
#[derive(Clone, Serialize, Deserialize)]
pub struct AddressChanged {
    /// The tenant.
    pub tenant: MailTenant,
    /// When it was changed.
    pub at: Timestamp,
}

template_pair!(
    AddressChanged,
    "new_address/changed.txt",
    "new_address/changed.html"
);

impl AddressChanged {
    /// What happened.
    fn intro(&self, cx: &Context<'_>) -> String {
        (cx.t.address_changed.intro)(self.tenant.name.as_str(), &cx.moment(self.at))
    }

    /// Examples.
    pub fn samples() -> Result<Vec<Self>, LinkError> {
        Ok(vec![Self {
            tenant: MailTenant::new(
                "Acme",
                "#0f766e".parse::<Colour>().ok(),
                Link::parse("http://acme.localhost:8000/")?,
            ),
            at: Timestamp::from_micros(1_795_271_400_000_000),
        }])
    }
}

impl Mail for AddressChanged {
    fn tenant(&self) -> Option<&MailTenant> {
        Some(&self.tenant)
    }

    fn subject(&self, cx: &Context<'_>) -> String {
        (cx.t.address_changed.subject)(self.tenant.name.as_str())
    }

    fn preheader(&self, cx: &Context<'_>) -> String {
        cx.t.address_changed.was_you.to_owned()
    }

    fn links(&self) -> Vec<&Link> {
        vec![&self.tenant.url]
    }
}
