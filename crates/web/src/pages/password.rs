//! Setting the first password by a link, and changing one.

use askama::Template;
use tenantry_core::Locale;
use tenantry_core::password::PasswordPolicy;

use super::Chrome;
use super::samples::{self, Samples};
use crate::i18n;

/// What a link to set a password is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkKind {
    /// The first password.
    Setup,
    /// A new one in place of one that was forgotten.
    Reset,
    /// An account, once the address is proven.
    Registration,
    /// Another address, once it is proven.
    NewAddress,
}

/// The page behind a link to set a password. Its form sends `password` to the page's own address.
#[derive(Clone, Template)]
#[template(path = "password/setup.html")]
pub struct SetupPasswordPage {
    /// What every page shows.
    pub chrome: Chrome,
    /// What the link is for.
    pub kind: LinkKind,
    /// Whose password it will be.
    pub email: String,
    /// What a password must be.
    pub policy: PasswordPolicy,
    /// What is wrong with the one that was sent.
    pub error: Option<PasswordIssue>,
}

/// The page behind a link that is unknown, used or expired; which one is not told.
#[derive(Clone, Template)]
#[template(path = "password/link_gone.html")]
pub struct LinkGonePage {
    /// What every page shows.
    pub chrome: Chrome,
    /// What the link was for.
    pub kind: LinkKind,
}

/// The page where a password is changed. Its form sends `current_password` and `new_password` to
/// the page's own address.
#[derive(Clone, Template)]
#[template(path = "password/change.html")]
pub struct ChangePasswordPage {
    /// What every page shows.
    pub chrome: Chrome,
    /// Whose password it is.
    pub email: String,
    /// Whether nothing else is allowed before.
    pub forced: bool,
    /// What a password must be.
    pub policy: PasswordPolicy,
    /// What is wrong with the current password.
    pub current_error: Option<PasswordIssue>,
    /// What is wrong with the new one.
    pub new_error: Option<PasswordIssue>,
}

/// What is wrong with a password in a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordIssue {
    /// It is missing.
    Required,
    /// It has too few characters.
    TooShort,
    /// It has too many characters.
    TooLong,
    /// It is on the list of common passwords.
    Common,
    /// It is made of the names around it.
    Close,
    /// It is known from a breach.
    Breached,
    /// It is not the current one.
    Wrong,
    /// It is the current one.
    Same,
    /// Something else.
    Invalid,
}

impl PasswordIssue {
    /// The issue for the code of a wrong field.
    pub fn from_code(code: &str) -> Self {
        match code {
            "required" | "missing" => Self::Required,
            "too_short" => Self::TooShort,
            "too_long" => Self::TooLong,
            "too_common" => Self::Common,
            "too_close" => Self::Close,
            "breached" => Self::Breached,
            "wrong" => Self::Wrong,
            "same" => Self::Same,
            _ => Self::Invalid,
        }
    }

    /// The issue in words.
    pub fn text(self, locale: Locale, policy: PasswordPolicy) -> String {
        let t = &i18n::of(locale).field;
        let text = match self {
            Self::Required => t.required,
            Self::TooShort => t.password_too_short,
            Self::TooLong => t.password_too_long,
            Self::Common => t.password_common,
            Self::Close => t.password_close,
            Self::Breached => t.password_breached,
            Self::Wrong => t.password_wrong,
            Self::Same => t.password_same,
            Self::Invalid => t.invalid,
        };
        bounds(text, policy)
    }
}

fn bounds(text: &str, policy: PasswordPolicy) -> String {
    let text = i18n::fill(text, "min", &policy.min.to_string());
    i18n::fill(&text, "max", &policy.max.to_string())
}

/// What a password must be, in words.
pub(super) fn rules(locale: Locale, policy: PasswordPolicy) -> String {
    bounds(i18n::of(locale).password.rules, policy)
}

/// An issue in words, empty where there is none, as the templates of fields take it.
fn issue_text(issue: Option<PasswordIssue>, chrome: &Chrome, policy: PasswordPolicy) -> String {
    issue
        .map(|issue| issue.text(chrome.locale, policy))
        .unwrap_or_default()
}

impl SetupPasswordPage {
    fn rules(&self) -> String {
        rules(self.chrome.locale, self.policy)
    }

    fn title(&self) -> &'static str {
        let t = self.chrome.t();
        match self.kind {
            LinkKind::Setup | LinkKind::Registration | LinkKind::NewAddress => {
                t.password.setup_title
            }
            LinkKind::Reset => t.recovery.reset_title,
        }
    }

    fn lead(&self) -> String {
        let t = self.chrome.t();
        let text = match self.kind {
            LinkKind::Setup | LinkKind::Registration | LinkKind::NewAddress => {
                t.password.setup_lead
            }
            LinkKind::Reset => t.recovery.reset_lead,
        };
        i18n::fill(text, "tenant", &self.chrome.brand.name)
    }

    fn submit(&self) -> &'static str {
        let t = self.chrome.t();
        match self.kind {
            LinkKind::Setup | LinkKind::Registration | LinkKind::NewAddress => {
                t.password.setup_submit
            }
            LinkKind::Reset => t.recovery.reset_submit,
        }
    }

    fn error_text(&self) -> String {
        issue_text(self.error, &self.chrome, self.policy)
    }
}

impl LinkGonePage {
    /// What somebody does who still wants what the link was for, and where.
    fn ask(&self) -> (&'static str, Option<&'static str>) {
        let t = self.chrome.t();
        match self.kind {
            LinkKind::Setup => (t.password.gone_ask, None),
            LinkKind::Reset => (t.recovery.gone_ask, Some(super::paths::FORGOT_PASSWORD)),
            LinkKind::Registration => (t.registration.gone_ask, Some(super::paths::REGISTER)),
            LinkKind::NewAddress => (t.account.gone_ask, Some(super::paths::ACCOUNT)),
        }
    }
}

impl ChangePasswordPage {
    fn rules(&self) -> String {
        rules(self.chrome.locale, self.policy)
    }

    fn title(&self) -> &'static str {
        let t = &self.chrome.t().password;
        if self.forced {
            t.change_title
        } else {
            t.change_title_own
        }
    }

    fn lead(&self) -> &'static str {
        let t = &self.chrome.t().password;
        if self.forced {
            t.change_lead
        } else {
            t.change_lead_own
        }
    }

    fn current_text(&self) -> String {
        issue_text(self.current_error, &self.chrome, self.policy)
    }

    fn new_text(&self) -> String {
        issue_text(self.new_error, &self.chrome, self.policy)
    }
}

impl Samples for SetupPasswordPage {
    fn samples(locale: Locale) -> Vec<(&'static str, Self)> {
        let page = |chrome, error| Self {
            chrome,
            kind: LinkKind::Setup,
            email: "owner+setup@example.com".to_owned(),
            policy: PasswordPolicy::default(),
            error,
        };
        vec![
            ("setup", page(samples::acme(locale), None)),
            (
                "setup-too-short",
                page(samples::globex(locale), Some(PasswordIssue::TooShort)),
            ),
            (
                "reset",
                Self {
                    kind: LinkKind::Reset,
                    ..page(samples::globex(locale), None)
                },
            ),
            (
                "setup-common",
                page(samples::hostile(locale), Some(PasswordIssue::Common)),
            ),
        ]
    }
}

impl Samples for LinkGonePage {
    fn samples(locale: Locale) -> Vec<(&'static str, Self)> {
        vec![
            (
                "setup-gone",
                Self {
                    chrome: samples::acme(locale),
                    kind: LinkKind::Setup,
                },
            ),
            (
                "reset-gone",
                Self {
                    chrome: samples::globex(locale),
                    kind: LinkKind::Reset,
                },
            ),
            (
                "setup-gone-platform",
                Self {
                    chrome: samples::platform(locale),
                    kind: LinkKind::Setup,
                },
            ),
        ]
    }
}

impl Samples for ChangePasswordPage {
    fn samples(locale: Locale) -> Vec<(&'static str, Self)> {
        let forced = Self {
            chrome: samples::signed_in(samples::acme(locale)),
            email: "ada@example.com".to_owned(),
            forced: true,
            policy: PasswordPolicy::default(),
            current_error: None,
            new_error: None,
        };
        vec![
            (
                "change-password",
                Self {
                    forced: false,
                    ..forced.clone()
                },
            ),
            (
                "change-password-errors",
                Self {
                    current_error: Some(PasswordIssue::Wrong),
                    new_error: Some(PasswordIssue::Same),
                    ..forced.clone()
                },
            ),
            ("change-password-forced", forced),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issue_names_the_number_that_counts() {
        let policy = PasswordPolicy { min: 12, max: 99 };
        assert!(
            PasswordIssue::TooShort
                .text(Locale::En, policy)
                .contains("12")
        );
        assert!(
            PasswordIssue::TooLong
                .text(Locale::De, policy)
                .contains("99")
        );
        assert_eq!(
            PasswordIssue::from_code("too_short"),
            PasswordIssue::TooShort
        );
        assert_eq!(PasswordIssue::from_code("whatever"), PasswordIssue::Invalid);
    }
}
