//! Mails to somebody who registers: proving the address, and that there is an account already.

use serde::{Deserialize, Serialize};
use tenantry_core::Timestamp;

use super::{Mail, template_pair};
use crate::frame::Context;
use crate::{Colour, Link, LinkError, MailTenant};

/// To an address that somebody registered with.
#[derive(Clone, Serialize, Deserialize)]
pub struct VerifyAddress {
    /// The tenant.
    pub tenant: MailTenant,
    /// The name it was registered under: whoever did not choose it knows that somebody else did.
    pub username: String,
    /// What proves the address and makes the account.
    pub link: Link,
    /// When the link runs out.
    pub expires_at: Timestamp,
}

template_pair!(
    VerifyAddress,
    "registration/verify.txt",
    "registration/verify.html"
);

impl VerifyAddress {
    /// How long the link works.
    fn until(&self, cx: &Context<'_>) -> String {
        (cx.t.common.until)(&cx.moment(self.expires_at))
    }

    /// Examples.
    pub fn samples() -> Result<Vec<Self>, LinkError> {
        Ok(vec![Self {
            tenant: MailTenant::new(
                "Acme",
                "#0f766e".parse::<Colour>().ok(),
                Link::parse("http://acme.localhost:8000/")?,
            ),
            username: "ada.lovelace".to_owned(),
            link: Link::parse(
                "http://acme.localhost:8000/verify-email/\
                 vXJ8o2mYb0n7cKfR5tLw1zHs9uEaDgPiTyB4xV6kMq3",
            )?,
            expires_at: Timestamp::from_micros(1_795_271_400_000_000),
        }])
    }
}

impl Mail for VerifyAddress {
    fn tenant(&self) -> Option<&MailTenant> {
        Some(&self.tenant)
    }

    fn subject(&self, cx: &Context<'_>) -> String {
        (cx.t.verify.subject)(self.tenant.name.as_str())
    }

    fn preheader(&self, cx: &Context<'_>) -> String {
        self.until(cx)
    }

    fn links(&self) -> Vec<&Link> {
        vec![&self.link]
    }
}

/// To a person who has an account and whose address somebody registered with.
#[derive(Clone, Serialize, Deserialize)]
pub struct AlreadyRegistered {
    /// The tenant.
    pub tenant: MailTenant,
    /// Where the person signs in.
    pub sign_in_url: Link,
    /// Where a forgotten password is replaced.
    pub forgot_url: Link,
}

template_pair!(
    AlreadyRegistered,
    "registration/already.txt",
    "registration/already.html"
);

impl AlreadyRegistered {
    /// Examples.
    pub fn samples() -> Result<Vec<Self>, LinkError> {
        Ok(vec![Self {
            tenant: MailTenant::new(
                "Globex Corporation",
                "#b91c1c".parse::<Colour>().ok(),
                Link::parse("http://globex.localhost:8000/")?,
            ),
            sign_in_url: Link::parse("http://globex.localhost:8000/login")?,
            forgot_url: Link::parse("http://globex.localhost:8000/forgot-password")?,
        }])
    }
}

impl Mail for AlreadyRegistered {
    fn tenant(&self) -> Option<&MailTenant> {
        Some(&self.tenant)
    }

    fn subject(&self, cx: &Context<'_>) -> String {
        (cx.t.already.subject)(self.tenant.name.as_str())
    }

    fn preheader(&self, cx: &Context<'_>) -> String {
        cx.t.already.not_you.to_owned()
    }

    fn links(&self) -> Vec<&Link> {
        vec![&self.sign_in_url, &self.forgot_url]
    }
}
