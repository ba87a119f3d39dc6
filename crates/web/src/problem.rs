//! The one place that turns refusals into HTTP: problem details (RFC 9457) for programs, a page
//! for people.

use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tenantry_service::refusal::Chain;
use tenantry_service::{FieldError, Refusal};

use tenantry_core::Locale;

use crate::App;
use crate::audit::Audited;
use crate::context::Ctx;
use crate::i18n;
use crate::i18n::problem::ProblemCode;
use crate::route::Surface;

/// Why a request is not answered as asked: a use case's refusal, or the request itself.
#[derive(Debug)]
pub enum Failure {
    /// A use case refused.
    Refused(Refusal),
    /// The request can't be understood.
    Malformed(&'static str),
    /// The body is too large.
    PayloadTooLarge,
    /// There is no such path.
    NoSuchPath,
    /// The path has no such method.
    MethodNotAllowed,
    /// A form that is not ours, or too old.
    ForeignForm,
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// What an answer says about a failure.
pub struct Told {
    /// The contract's code, with its status and its texts.
    pub code: ProblemCode,
    /// A sentence on this case, where there is more to say than the code does.
    pub detail: Option<String>,
    /// Wrong fields.
    pub errors: Vec<FieldError>,
    /// When to try again.
    pub retry_after: Option<Duration>,
}

impl Failure {
    /// The contract's code for it.
    pub fn code(self) -> &'static str {
        self.told().code.as_str()
    }

    /// What to tell about it. An inner failure is told in general words.
    pub fn told(self) -> Told {
        let more = |code, detail: &str| Told {
            detail: Some(detail.to_owned()),
            ..Told::of(code)
        };
        match self {
            Self::Malformed(detail) => more(ProblemCode::MalformedRequest, detail),
            Self::PayloadTooLarge => Told::of(ProblemCode::PayloadTooLarge),
            Self::NoSuchPath => Told::of(ProblemCode::NotFound),
            Self::MethodNotAllowed => Told::of(ProblemCode::MethodNotAllowed),
            Self::ForeignForm => more(
                ProblemCode::Forbidden,
                "the form is too old or came from elsewhere; load the page again",
            ),
            Self::Refused(refusal) => refused(refusal),
        }
    }
}

fn refused(refusal: Refusal) -> Told {
    match refusal {
        Refusal::Validation(errors) => Told {
            errors,
            ..Told::of(ProblemCode::ValidationFailed)
        },
        Refusal::InvalidCredentials => Told::of(ProblemCode::InvalidCredentials),
        Refusal::AuthenticationRequired => Told::of(ProblemCode::AuthenticationRequired),
        Refusal::SessionStale => Told::of(ProblemCode::SessionStale),
        Refusal::OtpInvalid => Told::of(ProblemCode::OtpInvalid),
        Refusal::TokenInvalid => Told::of(ProblemCode::TokenInvalid),
        Refusal::TenantRequired => Told::of(ProblemCode::TenantRequired),
        Refusal::TenantConflict => Told::of(ProblemCode::TenantConflict),
        Refusal::TenantNotFound => Told::of(ProblemCode::TenantNotFound),
        Refusal::TenantUnavailable => Told::of(ProblemCode::TenantUnavailable),
        Refusal::PasswordChangeRequired => Told::of(ProblemCode::PasswordChangeRequired),
        Refusal::Forbidden => Told::of(ProblemCode::Forbidden),
        Refusal::NotFound => Told::of(ProblemCode::NotFound),
        Refusal::SlugTaken => Told::of(ProblemCode::SlugTaken),
        Refusal::DomainTaken => Told::of(ProblemCode::DomainTaken),
        Refusal::EmailTaken => Told::of(ProblemCode::EmailTaken),
        Refusal::UsernameTaken => Told::of(ProblemCode::UsernameTaken),
        refusal @ Refusal::LastOwner => Told {
            detail: Some(refusal.to_string()),
            ..Told::of(ProblemCode::Conflict)
        },
        Refusal::Conflict(detail) => Told {
            detail: Some(detail),
            ..Told::of(ProblemCode::Conflict)
        },
        Refusal::ConflictFor(detail, wait) => Told {
            detail: Some(detail),
            retry_after: Some(wait),
            ..Told::of(ProblemCode::Conflict)
        },
        Refusal::RateLimited(wait) => Told {
            retry_after: Some(wait),
            ..Told::of(ProblemCode::RateLimited)
        },
        Refusal::Busy(wait) => Told {
            retry_after: Some(wait),
            ..Told::of(ProblemCode::Busy)
        },
        Refusal::InDoubt(detail) => Told {
            detail: Some(detail.to_owned()),
            ..Told::of(ProblemCode::Busy)
        },
        Refusal::Storage(_) => Told {
            retry_after: Some(Duration::from_secs(30)),
            ..Told::of(ProblemCode::Busy)
        },
        Refusal::Failed { .. } => Told::of(ProblemCode::InternalError),
    }
}

/// How long to wait, as `Retry-After` says it: whole seconds, rounded up, so that waiting them is
/// enough (RFC 9110, section 10.2.3).
pub(crate) fn seconds(wait: Duration) -> u64 {
    let seconds = wait.as_secs().min(365 * 24 * 3600) + u64::from(wait.subsec_nanos() > 0);
    seconds.max(1)
}

impl Told {
    /// What a code says by itself.
    pub const fn of(code: ProblemCode) -> Self {
        Self {
            code,
            detail: None,
            errors: Vec::new(),
            retry_after: None,
        }
    }

    /// The same as 401 where it lies with the request; our own trouble stays what it is. What is
    /// wrong is still said, for whoever sets up what asks.
    #[must_use]
    pub fn as_unauthenticated(self) -> Self {
        let status = self.status();
        if status == StatusCode::UNAUTHORIZED || !status.is_client_error() {
            return self;
        }
        let text = self.code.text(Locale::En).detail;
        Self {
            detail: Some(self.detail.unwrap_or_else(|| text.to_owned())),
            ..Self::of(ProblemCode::AuthenticationRequired)
        }
    }

    /// The status to answer with.
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// As problem details.
    pub fn problem(&self, request_id: &str) -> tenantry_claims::Problem {
        // Programs read English; people see the page in their own language.
        let text = self.code.text(Locale::En);
        tenantry_claims::Problem {
            kind: format!("urn:tenantry:problem:{}", self.code.as_str()),
            title: text.title.to_owned(),
            status: self.code.status(),
            detail: Some(
                self.detail
                    .clone()
                    .unwrap_or_else(|| text.detail.to_owned()),
            ),
            code: self.code.as_str().to_owned(),
            request_id: request_id.to_owned(),
            errors: self
                .errors
                .iter()
                .map(|error| tenantry_claims::FieldProblem {
                    field: error.field.to_string(),
                    code: error.code.to_owned(),
                    message: error.message.clone(),
                })
                .collect(),
        }
    }

    fn finish(&self, mut response: Response) -> Response {
        if let Some(wait) = self.retry_after {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds(wait)));
        }
        if self.status() == StatusCode::UNAUTHORIZED {
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// Answers a failure in the shape of the surface it happened on.
pub(crate) fn respond(app: &App, ctx: Option<&Ctx>, failure: Failure) -> Response {
    let request_id = ctx
        .map(|ctx| ctx.request_id.to_string())
        .unwrap_or_default();
    let request_id = request_id.as_str();
    if let Failure::Refused(refusal @ (Refusal::Failed { .. } | Refusal::Storage(_))) = &failure {
        // Logged once, where it leaves us.
        tracing::error!(request.id = request_id, error = %Chain(refusal), "a request failed");
    }
    let mut told = failure.told();
    if told.code == ProblemCode::SessionStale {
        let why = ctx.and_then(|ctx| ctx.ended);
        told.detail = Some(i18n::of(Locale::En).login.ended(why).to_owned());
    }
    let (code, audited) = (told.code, Audited::of_errors(&told.errors));
    let mut response = shaped(app, ctx, told, request_id);
    // For the audit, which a page's words tell nothing.
    response.extensions_mut().insert(code);
    audited.on(response)
}

fn shaped(app: &App, ctx: Option<&Ctx>, told: Told, request_id: &str) -> Response {
    let Some(ctx) = ctx else {
        return told.finish(json(&told, request_id));
    };
    match ctx.surface {
        Surface::Page => told.finish(crate::site::error::page(app, ctx, &told)),
        Surface::ForwardAuth => {
            let told = told.as_unauthenticated();
            told.finish(json(&told, request_id))
        }
        Surface::Api | Surface::Infrastructure => told.finish(json(&told, request_id)),
    }
}

fn json(told: &Told, request_id: &str) -> Response {
    let body = serde_json::to_vec(&told.problem(request_id)).unwrap_or_default();
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        ),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (told.status(), headers, body).into_response()
}
