//! Signing in.

use std::time::Duration;

use askama::Template;
use tenantry_core::session::EndReason;

use super::Chrome;
use super::samples::{self, Samples};
use crate::i18n::{self, format};

/// The sign-in page. Its form sends `email` (an address or a username), `password` and, if there is
/// one, `return_to`.
#[derive(Clone, Template)]
#[template(path = "login/login.html")]
pub struct LoginPage {
    /// What every page shows.
    pub chrome: Chrome,
    /// What was typed as address or username.
    pub login: String,
    /// The path to go to afterwards.
    pub return_to: Option<String>,
    /// What happened before.
    pub notice: Option<LoginNotice>,
    /// Why the session ended, where one did and that is known.
    pub ended: Option<EndReason>,
    /// Why signing in did not work.
    pub error: Option<LoginError>,
    /// Whether an account can be made here.
    pub register: bool,
}

/// What happened before somebody came to sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoginNotice {
    /// A session ended.
    SessionEnded,
    /// The person signed out.
    SignedOut,
    /// A password was set by a link.
    PasswordSet,
    /// An account was made.
    Registered,
    /// The address was changed.
    AddressChanged,
}

impl LoginNotice {
    /// The notice for `?reason=` in the address.
    pub fn from_reason(reason: &str) -> Option<Self> {
        [
            Self::SessionEnded,
            Self::SignedOut,
            Self::PasswordSet,
            Self::Registered,
            Self::AddressChanged,
        ]
        .into_iter()
        .find(|notice| notice.reason() == reason)
    }

    /// The word for `?reason=` in the address.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::SessionEnded => "session_ended",
            Self::SignedOut => "signed_out",
            Self::PasswordSet => "password_set",
            Self::Registered => "registered",
            Self::AddressChanged => "address_changed",
        }
    }
}

/// Why signing in did not work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoginError {
    /// Address, username or password do not fit. Which one is not told.
    Wrong,
    /// Too many tries; so long to wait.
    TooMany(Duration),
}

impl LoginPage {
    /// The notice in words.
    fn notice_text(&self) -> Option<&'static str> {
        let t = &self.chrome.t().login;
        Some(match self.notice? {
            LoginNotice::SessionEnded => t.ended(self.ended),
            LoginNotice::SignedOut => t.signed_out,
            LoginNotice::PasswordSet => t.password_set,
            LoginNotice::Registered => t.registered,
            LoginNotice::AddressChanged => t.address_changed,
        })
    }

    /// The tone of the notice, a class of the style sheet.
    fn notice_tone(&self) -> &'static str {
        match self.notice {
            Some(
                LoginNotice::PasswordSet | LoginNotice::Registered | LoginNotice::AddressChanged,
            ) => "good",
            Some(LoginNotice::SessionEnded | LoginNotice::SignedOut) | None => "calm",
        }
    }

    /// The error in words.
    fn error_text(&self) -> Option<String> {
        let t = &self.chrome.t().login;
        Some(match self.error? {
            LoginError::Wrong => t.wrong.to_owned(),
            LoginError::TooMany(wait) => {
                i18n::fill(t.too_many, "wait", &format::wait(self.chrome.locale, wait))
            }
        })
    }

    /// The window's title.
    fn window(&self) -> String {
        i18n::fill(self.chrome.t().login.page, "brand", &self.chrome.brand.name)
    }

    /// What stands below the heading.
    fn lead(&self) -> String {
        let t = &self.chrome.t().login;
        let text = if self.chrome.brand.is_platform {
            t.lead_platform
        } else {
            t.lead
        };
        i18n::fill(text, "brand", &self.chrome.brand.name)
    }
}

impl Samples for LoginPage {
    fn samples(locale: tenantry_core::Locale) -> Vec<(&'static str, Self)> {
        let plain = Self {
            chrome: samples::acme(locale),
            login: String::new(),
            return_to: None,
            notice: None,
            ended: None,
            error: None,
            register: true,
        };
        let typed = Self {
            login: "ada.lovelace@example.com".to_owned(),
            return_to: Some("/reports?from=\"2026\"&to=<now>".to_owned()),
            ..plain.clone()
        };
        vec![
            ("login", plain.clone()),
            (
                "login-session-ended",
                Self {
                    chrome: samples::globex(locale),
                    notice: Some(LoginNotice::SessionEnded),
                    ..plain.clone()
                },
            ),
            (
                "login-ended-reuse",
                Self {
                    notice: Some(LoginNotice::SessionEnded),
                    ended: Some(EndReason::Reuse),
                    ..plain.clone()
                },
            ),
            (
                "login-signed-out",
                Self {
                    chrome: samples::yellow(locale),
                    notice: Some(LoginNotice::SignedOut),
                    ..plain.clone()
                },
            ),
            (
                "login-password-set",
                Self {
                    notice: Some(LoginNotice::PasswordSet),
                    ..plain.clone()
                },
            ),
            (
                "login-wrong",
                Self {
                    error: Some(LoginError::Wrong),
                    ..typed.clone()
                },
            ),
            (
                "login-too-many",
                Self {
                    error: Some(LoginError::TooMany(Duration::from_mins(4))),
                    ..typed
                },
            ),
            (
                "login-hostile",
                Self {
                    chrome: samples::hostile(locale),
                    login: "\"><script>alert(1)</script>".to_owned(),
                    ..plain.clone()
                },
            ),
            (
                "login-platform",
                Self {
                    chrome: samples::platform(locale),
                    register: false,
                    ..plain
                },
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_go_there_and_back() {
        for notice in [
            LoginNotice::SessionEnded,
            LoginNotice::SignedOut,
            LoginNotice::PasswordSet,
            LoginNotice::Registered,
            LoginNotice::AddressChanged,
        ] {
            assert_eq!(LoginNotice::from_reason(notice.reason()), Some(notice));
        }
        assert_eq!(LoginNotice::from_reason("<b>"), None);
    }
}
