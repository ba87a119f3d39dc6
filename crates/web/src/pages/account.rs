//! One's own account: names and address, and the sessions.

mod sessions;

use askama::Template;
use tenantry_core::{Locale, Role};

use super::Chrome;
use super::samples::{self, Samples};
use crate::i18n;

pub use sessions::{ReusedRow, SessionRow, SessionsNotice, SessionsPage};

/// One's own names and address. Its form sends `full_name`, `username` and `email` to the page's own
/// address.
#[derive(Clone, Template)]
#[template(path = "account/account.html")]
pub struct AccountPage {
    /// What every page shows.
    pub chrome: Chrome,
    /// The name to show, as it is or as it was typed.
    pub full_name: String,
    /// The name to sign in with, as it is or as it was typed; `None` where there can't be one.
    pub username: Option<String>,
    /// The address, as it is or as it was typed.
    pub email: String,
    /// What is wrong with fields, in words: the name and what.
    pub errors: Vec<(String, String)>,
    /// What happened just before.
    pub notice: Option<AccountNotice>,
}

/// What happened to an account just before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountNotice {
    /// Names were changed.
    Saved,
    /// A mail was sent to the address that is to be the person's.
    Pending(String),
    /// The address was changed.
    AddressChanged,
}

impl AccountNotice {
    /// The notice for `?done=` in the address.
    pub fn from_done(done: &str) -> Option<Self> {
        match done {
            "saved" => Some(Self::Saved),
            "address" => Some(Self::AddressChanged),
            _ => None,
        }
    }
}

impl AccountPage {
    fn error(&self, field: &str) -> &str {
        let found = self.errors.iter().find(|(name, _)| name == field);
        found.map_or("", |(_, text)| text)
    }

    fn email_hint(&self) -> &'static str {
        self.chrome.t().account.email_hint
    }

    fn notice_text(&self) -> Option<String> {
        let t = &self.chrome.t().account;
        Some(match self.notice.as_ref()? {
            AccountNotice::Saved => t.saved.to_owned(),
            AccountNotice::Pending(email) => i18n::fill(t.pending, "email", email),
            AccountNotice::AddressChanged => t.address_changed.to_owned(),
        })
    }

    fn notice_tone(&self) -> &'static str {
        match self.notice {
            Some(AccountNotice::Pending(_)) => "calm",
            Some(AccountNotice::Saved | AccountNotice::AddressChanged) | None => "good",
        }
    }
}

impl Samples for AccountPage {
    fn samples(locale: Locale) -> Vec<(&'static str, Self)> {
        let page = |chrome: Chrome, role| Self {
            chrome: Chrome {
                person: Some(samples::person(role)),
                ..chrome
            },
            full_name: "Ada Lovelace".to_owned(),
            username: Some("ada".to_owned()),
            email: "ada@example.com".to_owned(),
            errors: Vec::new(),
            notice: None,
        };
        let plain = page(samples::acme(locale), Role::Owner);
        let taken = i18n::of(locale).field.taken.to_owned();
        vec![
            ("account", plain.clone()),
            (
                "account-pending",
                Self {
                    notice: Some(AccountNotice::Pending("ada+new@example.org".to_owned())),
                    ..page(samples::globex(locale), Role::Member)
                },
            ),
            (
                "account-taken",
                Self {
                    username: Some("\"><script>alert(1)</script>".to_owned()),
                    errors: vec![("username".to_owned(), taken)],
                    ..plain.clone()
                },
            ),
            (
                "account-saved",
                Self {
                    notice: Some(AccountNotice::Saved),
                    ..page(samples::hostile(locale), Role::Admin)
                },
            ),
            (
                "account-platform",
                Self {
                    username: None,
                    ..page(samples::platform(locale), Role::PlatformAdmin)
                },
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_done_is_told_by_a_word() {
        assert_eq!(
            AccountNotice::from_done("saved"),
            Some(AccountNotice::Saved)
        );
        assert_eq!(AccountNotice::from_done("<b>"), None);
    }
}
