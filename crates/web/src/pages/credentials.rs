//! Changing the user of a tenant's database by a link: what will happen, and the new access, which
//! is shown once.

mod clients;
mod shown;

use std::time::Duration;

use askama::Template;
use tenantry_core::Locale;

pub use self::shown::{Access, CredentialsShownPage, OldUser};
use super::Chrome;
use super::samples::{self, Samples};
use crate::i18n::{self, format};

/// The page behind a link to new database access. Its form sends nothing but its token, to the
/// page's own address.
#[derive(Clone, Template)]
#[template(path = "credentials/setup.html")]
pub struct SetupCredentialsPage {
    /// What every page shows.
    pub chrome: Chrome,
    /// Whether there is a user that works now and will be replaced.
    pub replaces: bool,
    /// How long it goes on working after the change.
    pub grace: Duration,
    /// How long to wait where an earlier change is still under way.
    pub busy: Option<Duration>,
}

/// The page behind such a link that is unknown, used or expired; which one is not told.
#[derive(Clone, Template)]
#[template(path = "credentials/gone.html")]
pub struct CredentialsGonePage {
    /// What every page shows.
    pub chrome: Chrome,
}

impl SetupCredentialsPage {
    fn lead(&self) -> String {
        let t = &self.chrome.t().credentials;
        i18n::fill(t.setup_lead, "tenant", &self.chrome.brand.name)
    }

    /// What happens, in order.
    fn steps(&self) -> Vec<String> {
        let t = &self.chrome.t().credentials;
        let mut steps = vec![t.step_now.to_owned(), t.step_new.to_owned()];
        if self.replaces {
            let grace = format::wait(self.chrome.locale, self.grace);
            steps.push(i18n::fill(t.step_old, "time", &grace));
            steps.push(t.step_end.to_owned());
        }
        steps
    }

    fn busy_text(&self) -> Option<String> {
        let wait = format::wait(self.chrome.locale, self.busy?);
        Some(i18n::fill(self.chrome.t().credentials.busy, "wait", &wait))
    }
}

impl Samples for SetupCredentialsPage {
    fn samples(locale: Locale) -> Vec<(&'static str, Self)> {
        let page = |chrome, replaces, busy| Self {
            chrome,
            replaces,
            grace: Duration::from_hours(24),
            busy,
        };
        let wait = Some(Duration::from_mins(20));
        vec![
            ("credentials", page(samples::acme(locale), true, None)),
            (
                "credentials-first",
                page(samples::globex(locale), false, None),
            ),
            ("credentials-busy", page(samples::acme(locale), true, wait)),
            (
                "credentials-hostile",
                page(samples::hostile(locale), true, None),
            ),
        ]
    }
}

impl Samples for CredentialsGonePage {
    fn samples(locale: Locale) -> Vec<(&'static str, Self)> {
        let chrome = samples::acme(locale);
        vec![("credentials-gone", Self { chrome })]
    }
}
