//! Mails about a forgotten and about a changed password.

mod code;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tenantry_core::Timestamp;

pub use code::{PasswordCode, TenantCode};

use super::{Mail, template_pair};
use crate::frame::{Context, Paint};
use crate::{Colour, Link, LinkError, MailTenant};

/// A tenant with the link that resets the password there and nowhere else.
#[derive(Clone, Serialize, Deserialize)]
pub struct ResetLink {
    /// The tenant.
    pub tenant: MailTenant,
    /// Where a new password for it is chosen.
    pub link: Link,
}

impl ResetLink {
    /// The tenant's colours, for its button.
    fn paint(&self) -> Paint {
        Paint::of(self.tenant.colour)
    }
}

/// To a person who forgot a password: one mail that lists each tenant where the address has an
/// account, with a link of its own.
#[derive(Clone, Serialize, Deserialize)]
pub struct PasswordReset {
    /// The first tenant; a reset for none is no mail.
    pub first: ResetLink,
    /// The other tenants.
    pub others: Vec<ResetLink>,
    /// How long the links work, in whole seconds.
    #[serde(with = "seconds")]
    pub expires_in: Duration,
}

/// Spans as a number of seconds.
pub(super) mod seconds {
    use std::time::Duration;

    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(in crate::message) fn serialize<S: Serializer>(
        span: &Duration,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.serialize_u64(span.as_secs())
    }

    pub(in crate::message) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Duration, D::Error> {
        u64::deserialize(from).map(Duration::from_secs)
    }
}

template_pair!(PasswordReset, "recovery/reset.txt", "recovery/reset.html");

impl PasswordReset {
    /// A mail with these links; nothing for none.
    pub fn new(links: Vec<ResetLink>, expires_in: Duration) -> Option<Self> {
        let mut links = links.into_iter();
        let first = links.next()?;
        Some(Self {
            first,
            others: links.collect(),
            expires_in,
        })
    }

    /// All tenants with their links.
    pub(super) fn all(&self) -> impl Iterator<Item = &ResetLink> {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// How long it works.
    fn valid(&self, cx: &Context<'_>) -> String {
        let reset = &cx.t.reset;
        let valid = if self.others.is_empty() {
            reset.valid_one
        } else {
            reset.valid_many
        };
        valid(&cx.span(self.expires_in))
    }

    /// Who asked for what.
    fn intro(&self, cx: &Context<'_>) -> String {
        match self.tenant() {
            Some(tenant) => (cx.t.reset.intro_one)(tenant.name.as_str()),
            None => cx.t.reset.intro_many.to_owned(),
        }
    }

    /// Examples: one tenant, and several.
    pub fn samples() -> Result<Vec<Self>, LinkError> {
        let tenant = |name: &str, colour: &str, host: &str, token: &str| {
            Ok::<_, LinkError>(ResetLink {
                tenant: MailTenant::new(
                    name,
                    colour.parse::<Colour>().ok(),
                    Link::parse(&format!("http://{host}/login"))?,
                ),
                link: Link::parse(&format!("http://{host}/reset-password/{token}"))?,
            })
        };
        let acme = tenant(
            "Acme",
            "#0f766e",
            "acme.localhost:8000",
            "m0Yb7cKfq3vXJ8o2R5tLw1zHs9uEaDgPiTyB4xV6kMn",
        )?;
        let globex = tenant(
            "Globex Corporation",
            "#b91c1c",
            "globex.localhost:8000",
            "Lw1zHs9uEaDgPiTyB4xV6kMnm0Yb7cKfq3vXJ8o2R5t",
        )?;
        let bakery = tenant(
            "Bäckerei Müßig & Töchter",
            "",
            "muessig.example.org",
            "TyB4xV6kMnm0Yb7cKfq3vXJ8o2R5tLw1zHs9uEaDgPi",
        )?;
        let hour = Duration::from_hours(1);
        Ok([vec![acme.clone()], vec![acme, globex, bakery]]
            .into_iter()
            .filter_map(|links| Self::new(links, hour))
            .collect())
    }
}

impl Mail for PasswordReset {
    fn tenant(&self) -> Option<&MailTenant> {
        self.others.is_empty().then_some(&self.first.tenant)
    }

    fn subject(&self, cx: &Context<'_>) -> String {
        match self.tenant() {
            Some(tenant) => (cx.t.reset.subject_one)(tenant.name.as_str()),
            None => (cx.t.reset.subject_many)(cx.platform),
        }
    }

    fn preheader(&self, cx: &Context<'_>) -> String {
        self.valid(cx)
    }

    fn links(&self) -> Vec<&Link> {
        self.all().map(|reset| &reset.link).collect()
    }
}

/// To a person whose password was changed, by a link or in the account's settings.
#[derive(Clone, Serialize, Deserialize)]
pub struct PasswordChanged {
    /// The tenant.
    pub tenant: MailTenant,
    /// When it was changed.
    pub at: Timestamp,
}

template_pair!(
    PasswordChanged,
    "recovery/changed.txt",
    "recovery/changed.html"
);

impl PasswordChanged {
    /// What happened.
    fn intro(&self, cx: &Context<'_>) -> String {
        (cx.t.changed.intro)(self.tenant.name.as_str(), &cx.moment(self.at))
    }

    /// Examples.
    pub fn samples() -> Result<Vec<Self>, LinkError> {
        Ok(vec![Self {
            tenant: MailTenant::new(
                "Acme",
                "#0f766e".parse::<Colour>().ok(),
                Link::parse("http://acme.localhost:8000/login")?,
            ),
            at: Timestamp::from_micros(1_795_271_400_000_000),
        }])
    }
}

impl Mail for PasswordChanged {
    fn tenant(&self) -> Option<&MailTenant> {
        Some(&self.tenant)
    }

    fn subject(&self, cx: &Context<'_>) -> String {
        (cx.t.changed.subject)(self.tenant.name.as_str())
    }

    fn preheader(&self, cx: &Context<'_>) -> String {
        cx.t.changed.was_you.to_owned()
    }

    fn links(&self) -> Vec<&Link> {
        vec![&self.tenant.url]
    }
}
