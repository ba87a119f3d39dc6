//! The front page of the platform's own host: what this host is, and where to sign in. It names no
//! tenant.

use askama::Template;
use tenantry_core::Locale;

use super::Chrome;
use super::samples::{self, Samples};
use crate::i18n;

/// The platform's front page.
#[derive(Clone, Template)]
#[template(path = "home/home.html")]
pub struct HomePage {
    /// What every page shows. The brand is the platform's.
    pub chrome: Chrome,
    /// Whether people can ask for a tenant.
    pub signup: bool,
}

impl HomePage {
    /// Whether the console is open to whoever is signed in.
    fn has_console(&self) -> bool {
        self.chrome
            .person
            .as_ref()
            .is_some_and(super::Person::is_platform_admin)
    }

    fn lead(&self) -> String {
        let text = i18n::fill(self.chrome.t().home.lead, "product", &self.chrome.product);
        i18n::fill(&text, "host", &self.chrome.brand.host)
    }
}

impl Samples for HomePage {
    fn samples(locale: Locale) -> Vec<(&'static str, Self)> {
        let chrome = samples::platform(locale);
        vec![
            (
                "home",
                Self {
                    chrome: chrome.clone(),
                    signup: true,
                },
            ),
            (
                "home-signed-in",
                Self {
                    chrome: samples::signed_in_admin(chrome),
                    signup: false,
                },
            ),
        ]
    }
}
