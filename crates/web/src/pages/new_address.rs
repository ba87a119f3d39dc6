//! The page behind a link that proves an address to change to.

use askama::Template;
use tenantry_core::Locale;

use super::Chrome;
use super::samples::{self, Samples};
use crate::i18n;

/// What following the link changes. Its form has nothing to fill in and is sent to the page's own
/// address.
#[derive(Clone, Template)]
#[template(path = "new_address/confirm.html")]
pub struct NewAddressPage {
    /// What every page shows.
    pub chrome: Chrome,
    /// The address until now.
    pub from: String,
    /// The address from then on.
    pub to: String,
    /// Whether somebody else has it.
    pub taken: bool,
}

impl NewAddressPage {
    fn lead(&self) -> String {
        let name = &self.chrome.brand.name;
        i18n::fill(self.chrome.t().account.new_lead, "tenant", name)
    }
}

impl Samples for NewAddressPage {
    fn samples(locale: Locale) -> Vec<(&'static str, Self)> {
        let page = |chrome, taken| Self {
            chrome,
            from: "ada@example.com".to_owned(),
            to: "ada.lovelace+new@analytical-engines.example.org".to_owned(),
            taken,
        };
        vec![
            ("new-address", page(samples::acme(locale), false)),
            ("new-address-taken", page(samples::hostile(locale), true)),
        ]
    }
}
