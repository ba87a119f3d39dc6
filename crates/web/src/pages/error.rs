//! A problem, as a page.

use std::time::Duration;

use askama::Template;
use tenantry_core::Locale;

use super::samples::{self, Samples};
use super::{Chrome, paths};
use crate::i18n::problem::{ProblemCode, ProblemText};
use crate::i18n::{self, format};

/// The page for a problem: what it is, what to do next, and the number to tell an operator.
#[derive(Clone, Template)]
#[template(path = "error/error.html")]
pub struct ErrorPage {
    /// What every page shows.
    pub chrome: Chrome,
    /// The kind of problem.
    pub code: ProblemCode,
    /// Whether the visitor came with a session that has ended.
    pub signed_out: bool,
    /// How long to wait before trying again, where that is known.
    pub wait: Option<Duration>,
    /// What the answer's `X-Request-Id` says; nothing is shown where it is empty.
    pub request_id: String,
}

/// Where a problem's page leads.
struct Onward {
    href: &'static str,
    label: &'static str,
}

impl ErrorPage {
    fn text(&self) -> ProblemText {
        self.code.text(self.chrome.locale)
    }

    fn wait_text(&self) -> Option<String> {
        let wait = format::wait(self.chrome.locale, self.wait?);
        Some(i18n::fill(self.chrome.t().common.wait_until, "wait", &wait))
    }

    /// That somebody who was signed in is so no more, where nobody gets in by now: whoever comes back has
    /// to sign in again, and learns it here. Elsewhere the sign-in page says it.
    fn signed_out_text(&self) -> Option<&'static str> {
        let is_closed = self.code == ProblemCode::TenantUnavailable;
        (self.signed_out && is_closed).then_some(self.chrome.t().login.ended_closed)
    }

    /// Nobody can get in, so no window is lit.
    fn house(&self) -> String {
        match self.code {
            ProblemCode::TenantUnavailable | ProblemCode::TenantNotFound => {
                self.chrome.brand.dark_house()
            }
            _ => self.chrome.brand.house(),
        }
    }

    /// The one way on that makes sense; none where waiting or going back is what helps.
    fn onward(&self) -> Option<Onward> {
        let t = self.chrome.t();
        let sign_in = Onward {
            href: paths::LOGIN,
            label: t.common.sign_in,
        };
        match self.code {
            ProblemCode::InvalidCredentials
            | ProblemCode::AuthenticationRequired
            | ProblemCode::SessionStale
            | ProblemCode::TokenInvalid
            | ProblemCode::TenantSelectionRequired => Some(sign_in),
            ProblemCode::PasswordChangeRequired => Some(Onward {
                href: paths::CHANGE_PASSWORD,
                label: t.dashboard.change_password,
            }),
            ProblemCode::Forbidden | ProblemCode::NotFound | ProblemCode::MethodNotAllowed => {
                Some(Onward {
                    href: "/",
                    label: t.common.home,
                })
            }
            ProblemCode::ValidationFailed
            | ProblemCode::MalformedRequest
            | ProblemCode::OtpInvalid
            | ProblemCode::TenantRequired
            | ProblemCode::TenantConflict
            | ProblemCode::TenantNotFound
            | ProblemCode::EmailTaken
            | ProblemCode::UsernameTaken
            | ProblemCode::SlugTaken
            | ProblemCode::DomainTaken
            | ProblemCode::Conflict
            | ProblemCode::PayloadTooLarge
            | ProblemCode::RateLimited
            | ProblemCode::Busy
            | ProblemCode::TenantUnavailable
            | ProblemCode::InternalError => None,
        }
    }
}

impl Samples for ErrorPage {
    fn samples(locale: Locale) -> Vec<(&'static str, Self)> {
        let page = |chrome, code, wait| Self {
            chrome,
            code,
            signed_out: false,
            wait,
            request_id: "01938f7a-5b1e-7c44-9d0e-3f1c2b7a9e10".to_owned(),
        };
        let acme = || samples::acme(locale);
        let wait = Some(Duration::from_secs(45));
        vec![
            ("error-404", page(acme(), ProblemCode::NotFound, None)),
            (
                "error-403",
                page(samples::globex(locale), ProblemCode::Forbidden, None),
            ),
            ("error-429", page(acme(), ProblemCode::RateLimited, wait)),
            (
                "error-503",
                page(acme(), ProblemCode::TenantUnavailable, None),
            ),
            (
                "error-503-signed-out",
                Self {
                    signed_out: true,
                    ..page(acme(), ProblemCode::TenantUnavailable, None)
                },
            ),
            (
                "error-busy",
                page(samples::yellow(locale), ProblemCode::Busy, wait),
            ),
            (
                "error-500",
                page(samples::platform(locale), ProblemCode::InternalError, None),
            ),
            (
                "error-tenant",
                page(samples::platform(locale), ProblemCode::TenantNotFound, None),
            ),
            ("error-401", page(acme(), ProblemCode::SessionStale, None)),
            (
                "error-hostile",
                Self {
                    request_id: "\"><img src=x>".to_owned(),
                    ..page(samples::hostile(locale), ProblemCode::Conflict, None)
                },
            ),
        ]
    }
}
