//! Asking for a tenant, on the platform's own host.

use askama::Template;
use tenantry_core::Locale;
use tenantry_core::password::PasswordPolicy;

use super::samples::{self, Samples};
use super::{Chrome, field};
use crate::i18n;

/// The page where somebody asks for a tenant. Its form sends the fields of the API, `name`, `slug`,
/// `email` and `full_name`, to the page's own address.
#[derive(Clone, Template)]
#[template(path = "signup/ask.html")]
pub struct SignupPage {
    /// What every page shows. The brand is the platform's.
    pub chrome: Chrome,
    /// What tenants' slugs are put before.
    pub base_host: String,
    /// What was typed as the tenant's name.
    pub tenant_name: String,
    /// What was typed as slug.
    pub slug: String,
    /// What was typed as address.
    pub email: String,
    /// What was typed as the person's name.
    pub full_name: String,
    /// What is wrong, by field and code of the API.
    pub errors: Vec<(String, String)>,
}

/// A mail is on its way to the address; the same whatever is known of it.
#[derive(Clone, Template)]
#[template(path = "signup/sent.html")]
pub struct SignupSentPage {
    /// What every page shows.
    pub chrome: Chrome,
    /// The address.
    pub email: String,
}

/// The page behind the link in that mail. Its form sends nothing, to the page's own address.
#[derive(Clone, Template)]
#[template(path = "signup/confirm.html")]
pub struct SignupConfirmPage {
    /// What every page shows.
    pub chrome: Chrome,
    /// The tenant's name.
    pub name: String,
    /// Where its pages would be.
    pub host: String,
    /// The address that is proven.
    pub email: String,
}

/// What came of it.
#[derive(Clone, Template)]
#[template(path = "signup/done.html")]
pub struct SignupDonePage {
    /// What every page shows.
    pub chrome: Chrome,
    /// Where the tenant's pages are; `None` where somebody still has to decide.
    pub url: Option<String>,
}

impl SignupPage {
    fn lead(&self) -> String {
        let t = &self.chrome.t().applications;
        i18n::fill(t.lead, "brand", &self.chrome.brand.name)
    }

    fn slug_hint(&self) -> String {
        i18n::fill(
            self.chrome.t().applications.slug_hint,
            "host",
            &self.base_host,
        )
    }

    fn error(&self, name: &str) -> String {
        let code = self.errors.iter().find(|(field, _)| field == name);
        // There is no password here to have a policy.
        let policy = PasswordPolicy::default();
        code.map(|(field, code)| field::words(self.chrome.locale, field, code, policy))
            .unwrap_or_default()
    }
}

impl SignupSentPage {
    fn lead(&self) -> String {
        i18n::fill(self.chrome.t().applications.sent_lead, "email", &self.email)
    }
}

impl SignupConfirmPage {
    fn lead(&self) -> String {
        // The name last: it may look like a place to fill.
        let text = i18n::fill(
            self.chrome.t().applications.confirm_lead,
            "host",
            &self.host,
        );
        let text = i18n::fill(&text, "email", &self.email);
        i18n::fill(&text, "name", &self.name)
    }
}

impl SignupDonePage {
    fn title(&self) -> &'static str {
        let t = &self.chrome.t().applications;
        match self.url {
            Some(_) => t.made_title,
            None => t.waiting_title,
        }
    }

    fn lead(&self) -> String {
        let t = &self.chrome.t().applications;
        match self.url {
            Some(_) => t.made_lead.to_owned(),
            None => i18n::fill(t.waiting_lead, "brand", &self.chrome.brand.name),
        }
    }
}

impl Samples for SignupPage {
    fn samples(locale: Locale) -> Vec<(&'static str, Self)> {
        let plain = Self {
            chrome: samples::platform(locale),
            base_host: "localhost:8000".to_owned(),
            tenant_name: String::new(),
            slug: String::new(),
            email: String::new(),
            full_name: String::new(),
            errors: Vec::new(),
        };
        let wrong = |field: &str, code: &str| (field.to_owned(), code.to_owned());
        vec![
            ("signup", plain.clone()),
            (
                "signup-wrong",
                Self {
                    tenant_name: samples::HOSTILE_NAME.to_owned(),
                    slug: "Acme!".to_owned(),
                    email: "ada@".to_owned(),
                    errors: vec![
                        wrong("name", "required"),
                        wrong("slug", "invalid"),
                        wrong("email", "invalid"),
                    ],
                    ..plain.clone()
                },
            ),
            (
                "signup-taken",
                Self {
                    slug: "acme".to_owned(),
                    errors: vec![wrong("slug", "taken")],
                    ..plain
                },
            ),
        ]
    }
}

impl Samples for SignupSentPage {
    fn samples(locale: Locale) -> Vec<(&'static str, Self)> {
        let email = "ada@example.com".to_owned();
        let chrome = samples::platform(locale);
        vec![("signup-sent", Self { chrome, email })]
    }
}

impl Samples for SignupConfirmPage {
    fn samples(locale: Locale) -> Vec<(&'static str, Self)> {
        let plain = Self {
            chrome: samples::platform(locale),
            name: "Acme".to_owned(),
            host: "acme.localhost:8000".to_owned(),
            email: "ada@example.com".to_owned(),
        };
        let hostile = Self {
            name: samples::HOSTILE_NAME.to_owned(),
            ..plain.clone()
        };
        vec![
            ("signup-confirm", plain),
            ("signup-confirm-hostile", hostile),
        ]
    }
}

impl Samples for SignupDonePage {
    fn samples(locale: Locale) -> Vec<(&'static str, Self)> {
        let page = |url: Option<&str>| Self {
            chrome: samples::platform(locale),
            url: url.map(str::to_owned),
        };
        vec![
            ("signup-waiting", page(None)),
            ("signup-made", page(Some("http://acme.localhost:8000/"))),
        ]
    }
}
