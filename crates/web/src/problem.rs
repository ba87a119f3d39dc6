//! The one place that turns refusals into HTTP: problem details (RFC 9457) for programs, a page
//! for people.

use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tenantry_service::refusal::Chain;
use tenantry_service::{FieldError, Refusal};

use crate::App;
use crate::context::Ctx;
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
    /// The status.
    pub status: StatusCode,
    /// The contract's code.
    pub code: &'static str,
    /// A sentence on this case.
    pub detail: String,
    /// Wrong fields.
    pub errors: Vec<FieldError>,
    /// When to try again.
    pub retry_after: Option<Duration>,
}

/// Every code there is, with its status and title. Users' words for them are in the texts.
pub const CODES: &[(&str, u16, &str)] = &[
    ("validation_failed", 422, "Some fields are not right"),
    ("malformed_request", 400, "The request can't be understood"),
    ("invalid_credentials", 401, "Address or password do not fit"),
    ("authentication_required", 401, "Sign in first"),
    ("session_stale", 401, "The session has ended"),
    ("token_invalid", 400, "This link or token is no longer good"),
    ("tenant_required", 400, "Which tenant is meant?"),
    ("tenant_conflict", 400, "Two different tenants are named"),
    (
        "password_change_required",
        403,
        "The password must be changed first",
    ),
    ("forbidden", 403, "This is not allowed"),
    ("not_found", 404, "There is no such thing"),
    ("tenant_not_found", 404, "There is no such tenant"),
    (
        "tenant_selection_required",
        409,
        "One of several tenants must be chosen",
    ),
    ("email_taken", 409, "This address is taken"),
    ("slug_taken", 409, "This slug is taken"),
    (
        "conflict",
        409,
        "This does not go together with how things are",
    ),
    ("payload_too_large", 413, "The body is too large"),
    ("rate_limited", 429, "Too many tries"),
    (
        "tenant_unavailable",
        503,
        "This tenant can't be used at the moment",
    ),
    ("method_not_allowed", 405, "This path has no such method"),
    ("busy", 503, "The service is busy"),
    ("internal_error", 500, "Something went wrong here"),
];

/// Status and title of a code.
pub fn code(code: &str) -> (StatusCode, &'static str) {
    CODES
        .iter()
        .find(|(name, ..)| *name == code)
        .and_then(|(_, status, title)| Some((StatusCode::from_u16(*status).ok()?, *title)))
        .unwrap_or((
            StatusCode::INTERNAL_SERVER_ERROR,
            "Something went wrong here",
        ))
}

impl Failure {
    /// The contract's code for it.
    pub fn code(self) -> &'static str {
        self.told("").code
    }

    /// What to tell about it. An inner failure is logged here, once, and told in general words.
    pub fn told(self, request_id: &str) -> Told {
        let mut errors = Vec::new();
        let mut retry_after = None;
        let (name, detail) = match self {
            Self::Malformed(detail) => ("malformed_request", detail.to_owned()),
            Self::PayloadTooLarge => ("payload_too_large", "send at most 64 KiB".to_owned()),
            Self::NoSuchPath => ("not_found", "there is nothing at this address".to_owned()),
            Self::MethodNotAllowed => (
                "method_not_allowed",
                "this address is there for another method".to_owned(),
            ),
            Self::ForeignForm => (
                "forbidden",
                "the form is too old or came from elsewhere; load the page again".to_owned(),
            ),
            Self::Refused(refusal) => {
                let detail = refusal.to_string();
                match refusal {
                    Refusal::Validation(list) => {
                        errors = list;
                        ("validation_failed", detail)
                    }
                    Refusal::InvalidCredentials => ("invalid_credentials", detail),
                    Refusal::AuthenticationRequired => ("authentication_required", detail),
                    Refusal::SessionStale => ("session_stale", detail),
                    Refusal::TokenInvalid => ("token_invalid", detail),
                    Refusal::TenantRequired => ("tenant_required", detail),
                    Refusal::TenantConflict => ("tenant_conflict", detail),
                    Refusal::TenantNotFound => ("tenant_not_found", detail),
                    Refusal::TenantUnavailable => ("tenant_unavailable", detail),
                    Refusal::PasswordChangeRequired => ("password_change_required", detail),
                    Refusal::Forbidden => ("forbidden", detail),
                    Refusal::NotFound => ("not_found", detail),
                    Refusal::SlugTaken => ("slug_taken", detail),
                    Refusal::EmailTaken => ("email_taken", detail),
                    Refusal::Conflict(_) => ("conflict", detail),
                    Refusal::RateLimited(wait) => {
                        retry_after = Some(wait);
                        ("rate_limited", detail)
                    }
                    Refusal::Busy(wait) => {
                        retry_after = Some(wait);
                        ("busy", detail)
                    }
                    refusal @ Refusal::Failed { .. } => {
                        tracing::error!(request.id = request_id, error = %Chain(&refusal), "a request failed");
                        (
                            "internal_error",
                            "the operator finds more under the request id".to_owned(),
                        )
                    }
                }
            }
        };
        Told {
            status: code(name).0,
            code: name,
            detail,
            errors,
            retry_after,
        }
    }
}

impl Told {
    /// As problem details.
    pub fn problem(&self, request_id: &str) -> tenantry_claims::Problem {
        tenantry_claims::Problem {
            kind: format!("urn:tenantry:problem:{}", self.code),
            title: code(self.code).1.to_owned(),
            status: self.status.as_u16(),
            detail: Some(self.detail.clone()),
            code: self.code.to_owned(),
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
            // Whole seconds, rounded up, so that waiting them is enough (RFC 9110, section 10.2.3).
            let seconds = wait.as_secs().min(365 * 24 * 3600) + u64::from(wait.subsec_nanos() > 0);
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// Answers a failure in the shape of the surface it happened on.
pub(crate) fn respond(app: &App, ctx: Option<&Ctx>, failure: Failure) -> Response {
    let request_id = ctx.map_or("", |ctx| ctx.request_id.as_str());
    let told = failure.told(request_id);
    match ctx.map(|ctx| ctx.surface) {
        Some(Surface::Page) => told.finish(crate::site::error::page(app, ctx, &told)),
        _ => told.finish(json(&told, request_id)),
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
    (told.status, headers, body).into_response()
}
