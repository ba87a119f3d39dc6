//! Adding somebody to a tenant.

use askama::Template;
use tenantry_core::{Locale, Role};

use super::{RoleChoice, choices};
use crate::i18n;
use crate::pages::Chrome;
use crate::pages::samples::{self, Samples};

/// The form for somebody to add. It sends `email`, `full_name`, `username`, `role` and
/// `generate_password`, which is `true` or `false`, to the page's own address.
#[derive(Clone, Template)]
#[template(path = "staff/new.html")]
pub struct StaffNewPage {
    /// What every page shows.
    pub chrome: Chrome,
    /// What was typed as address.
    pub email: String,
    /// What was typed as name.
    pub full_name: String,
    /// What was typed as username.
    pub username: String,
    /// What was chosen as role.
    pub role: Role,
    /// Whether a password is to be shown.
    pub generate: bool,
    /// The roles that may be given.
    pub roles: Vec<Role>,
    /// What is wrong with fields, in words: the name and what.
    pub errors: Vec<(String, String)>,
}

impl StaffNewPage {
    fn lead(&self) -> String {
        let name = &self.chrome.brand.name;
        i18n::fill(self.chrome.t().staff.new_lead, "tenant", name)
    }

    fn error(&self, field: &str) -> &str {
        let found = self.errors.iter().find(|(name, _)| name == field);
        found.map_or("", |(_, text)| text)
    }

    fn choices(&self) -> Vec<RoleChoice> {
        choices(&self.chrome, &self.roles, self.role)
    }
}

impl Samples for StaffNewPage {
    fn samples(locale: Locale) -> Vec<(&'static str, Self)> {
        let plain = Self {
            chrome: samples::signed_in(samples::acme(locale)),
            email: String::new(),
            full_name: String::new(),
            username: String::new(),
            role: Role::Member,
            generate: false,
            roles: vec![Role::Member, Role::Admin, Role::Owner],
            errors: Vec::new(),
        };
        let t = &i18n::of(locale).field;
        let wrong = vec![
            ("email".to_owned(), t.taken.to_owned()),
            ("username".to_owned(), t.invalid_username.to_owned()),
        ];
        vec![
            ("staff-new", plain.clone()),
            (
                "staff-new-wrong",
                Self {
                    chrome: samples::signed_in(samples::globex(locale)),
                    email: "\"><script>alert(1)</script>".to_owned(),
                    username: "-".to_owned(),
                    role: Role::Admin,
                    generate: true,
                    errors: wrong,
                    ..plain
                },
            ),
        ]
    }
}
