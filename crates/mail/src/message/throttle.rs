//! The mail about too many failed attempts.

use serde::{Deserialize, Serialize};
use tenantry_core::Timestamp;

use super::{Mail, template_pair};
use crate::frame::Context;
use crate::{Colour, Link, LinkError, MailTenant};

/// To a person whose account was locked after too many failed attempts to sign in.
#[derive(Clone, Serialize, Deserialize)]
pub struct AccountLocked {
    /// The tenant.
    pub tenant: MailTenant,
    /// When it was locked.
    pub at: Timestamp,
}

template_pair!(AccountLocked, "throttle/locked.txt", "throttle/locked.html");

impl AccountLocked {
    /// What happened.
    fn intro(&self, cx: &Context<'_>) -> String {
        (cx.t.locked.intro)(self.tenant.name.as_str(), &cx.moment(self.at))
    }

    /// Examples.
    pub fn samples() -> Result<Vec<Self>, LinkError> {
        Ok(vec![Self {
            tenant: MailTenant::new(
                "Globex Corporation",
                "#b91c1c".parse::<Colour>().ok(),
                Link::parse("http://globex.localhost:8000/login")?,
            ),
            at: Timestamp::from_micros(1_795_271_400_000_000),
        }])
    }
}

impl Mail for AccountLocked {
    fn tenant(&self) -> Option<&MailTenant> {
        Some(&self.tenant)
    }

    fn subject(&self, cx: &Context<'_>) -> String {
        (cx.t.locked.subject)(self.tenant.name.as_str())
    }

    fn preheader(&self, cx: &Context<'_>) -> String {
        cx.t.locked.not_you.to_owned()
    }

    fn links(&self) -> Vec<&Link> {
        vec![&self.tenant.url]
    }
}
