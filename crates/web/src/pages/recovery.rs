//! Asking for a new password, and entering a one-time code.

use std::time::Duration;

use askama::Template;
use tenantry_core::Locale;

use super::Chrome;
use super::samples::{self, Samples};
use crate::i18n::{self, format};

/// The page where a new password is asked for. Its form sends `email` and `way`, which is `link` or
/// `code`, to the page's own address.
#[derive(Clone, Template)]
#[template(path = "recovery/forgot.html")]
pub struct ForgotPage {
    /// What every page shows.
    pub chrome: Chrome,
    /// What was typed as address.
    pub email: String,
    /// What is wrong with it, in words; empty where nothing is.
    pub email_error: String,
}

/// The page after that, the same whether or not anybody has the address.
#[derive(Clone, Template)]
#[template(path = "recovery/asked.html")]
pub struct AskedPage {
    /// What every page shows.
    pub chrome: Chrome,
    /// The address.
    pub email: String,
}

/// The page where a one-time code is entered. Its form sends `email` and `otp` to the page's own
/// address.
#[derive(Clone, Template)]
#[template(path = "recovery/code.html")]
pub struct CodePage {
    /// What every page shows.
    pub chrome: Chrome,
    /// The address the code was sent to.
    pub email: String,
    /// Whether a code was just asked for.
    pub asked: bool,
    /// What is wrong with the address, in words; empty where nothing is.
    pub email_error: String,
    /// Why the code is not taken.
    pub error: Option<CodeError>,
}

/// Why a code is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeError {
    /// It does not fit, was used, has run out, or was never there. Which one is not told.
    Wrong,
    /// Too many tries; so long to wait.
    TooMany(Duration),
}

impl ForgotPage {
    fn lead(&self) -> String {
        let t = &self.chrome.t().recovery;
        let text = if self.chrome.brand.is_platform {
            t.lead_platform
        } else {
            t.lead
        };
        i18n::fill(text, "brand", &self.chrome.brand.name)
    }
}

impl AskedPage {
    fn lead(&self) -> String {
        i18n::fill(self.chrome.t().recovery.asked_lead, "email", &self.email)
    }
}

impl CodePage {
    fn asked_text(&self) -> String {
        i18n::fill(self.chrome.t().recovery.asked_lead, "email", &self.email)
    }

    fn error_text(&self) -> String {
        let t = &self.chrome.t().recovery;
        match self.error {
            None => String::new(),
            Some(CodeError::Wrong) => t.code_wrong.to_owned(),
            Some(CodeError::TooMany(wait)) => {
                i18n::fill(t.too_many, "wait", &format::wait(self.chrome.locale, wait))
            }
        }
    }
}

impl Samples for ForgotPage {
    fn samples(locale: Locale) -> Vec<(&'static str, Self)> {
        let plain = Self {
            chrome: samples::acme(locale),
            email: String::new(),
            email_error: String::new(),
        };
        let wrong = i18n::of(locale).field.invalid_email.to_owned();
        vec![
            ("forgot", plain.clone()),
            (
                "forgot-platform",
                Self {
                    chrome: samples::platform(locale),
                    ..plain.clone()
                },
            ),
            (
                "forgot-wrong",
                Self {
                    chrome: samples::hostile(locale),
                    email: "\"><script>alert(1)</script>".to_owned(),
                    email_error: wrong,
                },
            ),
        ]
    }
}

impl Samples for AskedPage {
    fn samples(locale: Locale) -> Vec<(&'static str, Self)> {
        vec![
            (
                "forgot-asked",
                Self {
                    chrome: samples::globex(locale),
                    email: "ada.lovelace@example.com".to_owned(),
                },
            ),
            (
                "forgot-asked-long",
                Self {
                    chrome: samples::long_name(locale),
                    email: format!("{}@example.com", "countess".repeat(7)),
                },
            ),
        ]
    }
}

impl Samples for CodePage {
    fn samples(locale: Locale) -> Vec<(&'static str, Self)> {
        let plain = Self {
            chrome: samples::acme(locale),
            email: "ada@example.com".to_owned(),
            asked: true,
            email_error: String::new(),
            error: None,
        };
        let late = Some(CodeError::TooMany(Duration::from_mins(55)));
        vec![
            ("code", plain.clone()),
            (
                "code-wrong",
                Self {
                    chrome: samples::yellow(locale),
                    asked: false,
                    error: Some(CodeError::Wrong),
                    ..plain.clone()
                },
            ),
            (
                "code-too-many",
                Self {
                    chrome: samples::platform(locale),
                    asked: false,
                    error: late,
                    ..plain
                },
            ),
        ]
    }
}
