//! The mail with one-time codes.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::frame::Context;
use crate::message::{Mail, template_pair};
use crate::{Colour, Link, LinkError, MailTenant};

/// A tenant with the code that lets a new password be set there and nowhere else.
#[derive(Clone, Serialize, Deserialize)]
pub struct TenantCode {
    /// The tenant.
    pub tenant: MailTenant,
    /// Six digits.
    pub code: String,
}

/// To a person who wants to set a new password with a code: one mail that lists each tenant where
/// the address has an account, with a code of its own.
#[derive(Clone, Serialize, Deserialize)]
pub struct PasswordCode {
    /// The first tenant; codes for none are no mail.
    pub first: TenantCode,
    /// The other tenants.
    pub others: Vec<TenantCode>,
    /// Where a code is typed.
    pub enter: Link,
    /// How long the codes work, in whole seconds.
    #[serde(with = "super::seconds")]
    pub expires_in: Duration,
}

template_pair!(PasswordCode, "recovery/code.txt", "recovery/code.html");

impl PasswordCode {
    /// A mail with these codes; nothing for none.
    pub fn new(codes: Vec<TenantCode>, enter: Link, expires_in: Duration) -> Option<Self> {
        let mut codes = codes.into_iter();
        let first = codes.next()?;
        Some(Self {
            first,
            others: codes.collect(),
            enter,
            expires_in,
        })
    }

    /// All tenants with their codes.
    pub(in crate::message) fn all(&self) -> impl Iterator<Item = &TenantCode> {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// How long it works.
    fn valid(&self, cx: &Context<'_>) -> String {
        let code = &cx.t.code;
        let valid = if self.others.is_empty() {
            code.valid_one
        } else {
            code.valid_many
        };
        valid(&cx.span(self.expires_in))
    }

    /// Who asked for what.
    fn intro(&self, cx: &Context<'_>) -> String {
        match self.tenant() {
            Some(tenant) => (cx.t.code.intro_one)(tenant.name.as_str()),
            None => cx.t.code.intro_many.to_owned(),
        }
    }

    /// Examples: one tenant, and several.
    pub fn samples() -> Result<Vec<Self>, LinkError> {
        let tenant = |name: &str, colour: &str, host: &str, code: &str| {
            Ok::<_, LinkError>(TenantCode {
                tenant: MailTenant::new(
                    name,
                    colour.parse::<Colour>().ok(),
                    Link::parse(&format!("http://{host}/"))?,
                ),
                code: code.to_owned(),
            })
        };
        let acme = tenant("Acme", "#0f766e", "acme.localhost:8000", "041975")?;
        let bakery = tenant(
            "Bäckerei Müßig & Töchter",
            "",
            "muessig.example.org",
            "880213",
        )?;
        let here = Link::parse("http://acme.localhost:8000/reset-password/otp")?;
        let anywhere = Link::parse("http://localhost:8000/reset-password/otp")?;
        let ten = Duration::from_mins(10);
        Ok([
            Self::new(vec![acme.clone()], here, ten),
            Self::new(vec![acme, bakery], anywhere, ten),
        ]
        .into_iter()
        .flatten()
        .collect())
    }
}

impl Mail for PasswordCode {
    fn tenant(&self) -> Option<&MailTenant> {
        self.others.is_empty().then_some(&self.first.tenant)
    }

    fn subject(&self, cx: &Context<'_>) -> String {
        match self.tenant() {
            Some(tenant) => (cx.t.code.subject_one)(tenant.name.as_str()),
            None => (cx.t.code.subject_many)(cx.platform),
        }
    }

    fn preheader(&self, cx: &Context<'_>) -> String {
        self.valid(cx)
    }

    fn links(&self) -> Vec<&Link> {
        vec![&self.enter]
    }
}
