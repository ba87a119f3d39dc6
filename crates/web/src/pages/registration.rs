//! Registering, and proving the address.

use askama::Template;
use tenantry_core::Locale;
use tenantry_core::password::PasswordPolicy;

use super::samples::{self, Samples};
use super::{Chrome, field};
use crate::i18n;

/// The page where somebody makes an account. Its form sends the fields of the API, `full_name`,
/// `username`, `email` and `password`, to the page's own address.
#[derive(Clone, Template)]
#[template(path = "registration/register.html")]
pub struct RegisterPage {
    /// What every page shows.
    pub chrome: Chrome,
    /// What was typed as name.
    pub full_name: String,
    /// What was typed as username.
    pub username: String,
    /// What was typed as address.
    pub email: String,
    /// What a password must be.
    pub policy: PasswordPolicy,
    /// What is wrong, by field and code of the API.
    pub errors: Vec<(String, String)>,
}

/// Where nobody makes an account alone.
#[derive(Clone, Template)]
#[template(path = "registration/closed.html")]
pub struct RegistrationClosedPage {
    /// What every page shows.
    pub chrome: Chrome,
}

/// A mail is on its way to the address; the same whether or not it is known.
#[derive(Clone, Template)]
#[template(path = "registration/sent.html")]
pub struct RegistrationSentPage {
    /// What every page shows.
    pub chrome: Chrome,
    /// The address.
    pub email: String,
}

/// The address that a link proved has an account by now. Which tenant's is not said; signing in where
/// no tenant is named leads there.
#[derive(Clone, Template)]
#[template(path = "registration/taken.html")]
pub struct RegistrationTakenPage {
    /// What every page shows.
    pub chrome: Chrome,
    /// Where somebody signs in without naming a tenant.
    pub sign_in: String,
}

/// The page behind the link in that mail. Its form sends nothing, or another `username` where
/// somebody was faster, to the page's own address.
#[derive(Clone, Template)]
#[template(path = "registration/verify.html")]
pub struct VerifyRegistrationPage {
    /// What every page shows.
    pub chrome: Chrome,
    /// The address that is proven.
    pub email: String,
    /// The name it was registered under.
    pub registered_as: String,
    /// The name to sign in with.
    pub username: String,
    /// What is wrong with it, in words, where another one must be chosen.
    pub username_error: Option<String>,
}

impl RegisterPage {
    fn lead(&self) -> String {
        i18n::fill(
            self.chrome.t().registration.lead,
            "brand",
            &self.chrome.brand.name,
        )
    }

    fn error(&self, name: &str) -> String {
        let code = self.errors.iter().find(|(field, _)| field == name);
        code.map(|(field, code)| field::words(self.chrome.locale, field, code, self.policy))
            .unwrap_or_default()
    }

    fn rules(&self) -> String {
        super::password::rules(self.chrome.locale, self.policy)
    }
}

impl RegistrationClosedPage {
    fn lead(&self) -> String {
        let t = &self.chrome.t().registration;
        i18n::fill(t.closed_lead, "brand", &self.chrome.brand.name)
    }
}

impl RegistrationSentPage {
    fn lead(&self) -> String {
        i18n::fill(self.chrome.t().registration.sent_lead, "email", &self.email)
    }
}

impl VerifyRegistrationPage {
    fn lead(&self) -> String {
        let t = &self.chrome.t().registration;
        let text = i18n::fill(t.verify_lead, "brand", &self.chrome.brand.name);
        let text = i18n::fill(&text, "username", &self.registered_as);
        i18n::fill(&text, "email", &self.email)
    }
}

impl Samples for RegisterPage {
    fn samples(locale: Locale) -> Vec<(&'static str, Self)> {
        let plain = Self {
            chrome: samples::acme(locale),
            full_name: String::new(),
            username: String::new(),
            email: String::new(),
            policy: PasswordPolicy::default(),
            errors: Vec::new(),
        };
        let wrong = |fields: &[(&str, &str)]| {
            fields
                .iter()
                .map(|(field, code)| ((*field).to_owned(), (*code).to_owned()))
                .collect()
        };
        vec![
            ("register", plain.clone()),
            (
                "register-wrong",
                Self {
                    chrome: samples::globex(locale),
                    full_name: "Ada Lovelace".to_owned(),
                    username: "a b".to_owned(),
                    email: "ada@".to_owned(),
                    errors: wrong(&[
                        ("username", "invalid"),
                        ("email", "invalid"),
                        ("password", "too_short"),
                    ]),
                    ..plain.clone()
                },
            ),
            (
                "register-taken",
                Self {
                    chrome: samples::hostile(locale),
                    username: "\"><script>alert(1)</script>".to_owned(),
                    errors: wrong(&[("username", "taken")]),
                    ..plain
                },
            ),
        ]
    }
}

impl Samples for RegistrationClosedPage {
    fn samples(locale: Locale) -> Vec<(&'static str, Self)> {
        let chrome = samples::globex(locale);
        vec![("register-closed", Self { chrome })]
    }
}

impl Samples for RegistrationSentPage {
    fn samples(locale: Locale) -> Vec<(&'static str, Self)> {
        let email = "ada@example.com".to_owned();
        let chrome = samples::acme(locale);
        vec![("register-sent", Self { chrome, email })]
    }
}

impl Samples for RegistrationTakenPage {
    fn samples(locale: Locale) -> Vec<(&'static str, Self)> {
        let sign_in = "https://tenantry.example/login".to_owned();
        let chrome = samples::acme(locale);
        vec![("register-address-taken", Self { chrome, sign_in })]
    }
}

impl Samples for VerifyRegistrationPage {
    fn samples(locale: Locale) -> Vec<(&'static str, Self)> {
        let plain = Self {
            chrome: samples::acme(locale),
            email: "ada@example.com".to_owned(),
            registered_as: "ada".to_owned(),
            username: "ada".to_owned(),
            username_error: None,
        };
        let taken = Some(i18n::of(locale).registration.verify_taken.to_owned());
        vec![
            ("register-verify", plain.clone()),
            (
                "register-verify-taken",
                Self {
                    username_error: taken,
                    ..plain
                },
            ),
        ]
    }
}
