//! Signing in, renewing and signing out.

mod sessions;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use schemars::JsonSchema;
use serde::Deserialize;
use tenantry_core::session::{EndReason, SessionKind};
use tenantry_core::tenant::Tenant;
use tenantry_service::Refusal;
use tenantry_service::sessions::{Issued, Renewed};
use tenantry_service::signin::{Login, Person, SignedIn};

use super::wire::{ChoiceBody, LoginBody, SelectionProblem, SignedOutBody, login};
use crate::App;
use crate::answer::answer;
use crate::audit::{Audited, typed};
use crate::context::Ctx;
use crate::extract::Json;
use crate::i18n::problem::ProblemCode;
use crate::problem::Told;
use crate::route::{Audience, AuditClass, Doc, Route, Routes, Verb};

/// Who somebody says to be, and the password.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoginRequest {
    /// The address; this or the username.
    #[serde(default)]
    pub email: Option<String>,
    /// The username; needs a tenant.
    #[serde(default)]
    pub username: Option<String>,
    /// The password.
    pub password: String,
}

impl LoginRequest {
    /// Whom it names.
    pub fn login(&self) -> Result<Login, Refusal> {
        login_of(self.email.as_deref(), self.username.as_deref())
    }
}

/// Whom an address or a username names; one of them.
pub(super) fn login_of(email: Option<&str>, username: Option<&str>) -> Result<Login, Refusal> {
    match (email, username) {
        (Some(email), None) => email
            .parse()
            .map(Login::Email)
            .map_err(|error| Refusal::field("email", "invalid", error)),
        (None, Some(name)) => name
            .parse()
            .map(Login::Username)
            .map_err(|error| Refusal::field("username", "invalid", error)),
        (None, None) => Err(Refusal::field(
            "email",
            "required",
            "email or username is required",
        )),
        (Some(_), Some(_)) => Err(Refusal::field(
            "username",
            "invalid",
            "give email or username, not both",
        )),
    }
}

/// Which of several tenants.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SelectRequest {
    /// From the answer that offered the choice.
    pub selection_token: String,
    /// The tenant's id or slug.
    pub tenant_id: String,
}

/// A refresh token.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RefreshRequest {
    /// The newest refresh token of the session.
    pub refresh_token: String,
}

/// This feature's routes.
pub fn routes() -> Routes {
    Routes::default()
        .add(
            Route::api(
                Verb::Post,
                "/api/v1/auth/login",
                Audience::Public,
                Doc::new("Sign in with a password", 200)
                    .takes::<LoginRequest>()
                    .gives::<LoginBody>()
                    .refuses(&[
                        "invalid_credentials",
                        "tenant_required",
                        "tenant_selection_required",
                        "tenant_unavailable",
                        "rate_limited",
                    ]),
            )
            .takes_secret()
            .audited(AuditClass::Session, "session.begin"),
            post(sign_in),
        )
        .add(
            Route::api(
                Verb::Post,
                "/api/v1/auth/login/select",
                Audience::Public,
                Doc::new("Choose one of the tenants a password fits in", 200)
                    .takes::<SelectRequest>()
                    .gives::<LoginBody>()
                    .refuses(&["token_invalid"]),
            )
            .takes_token()
            .audited(AuditClass::Session, "session.choose"),
            post(select),
        )
        .add(
            Route::api(
                Verb::Post,
                "/api/v1/auth/refresh",
                Audience::Public,
                Doc::new("Renew a session; a refresh token used twice ends it", 200)
                    .takes::<RefreshRequest>()
                    .gives::<LoginBody>()
                    .refuses(&["authentication_required", "session_stale"]),
            )
            .takes_token()
            .audited(AuditClass::Session, "session.refresh"),
            post(refresh),
        )
        .add(
            Route::api(
                Verb::Post,
                "/api/v1/auth/logout",
                Audience::SignedIn,
                Doc::new("Sign out", 200).gives::<SignedOutBody>(),
            )
            .audited(AuditClass::Session, "session.end")
            .before_password_change(),
            post(sign_out),
        )
        .add(
            Route::api(
                Verb::Post,
                "/api/v1/auth/logout-all",
                Audience::SignedIn,
                Doc::new("Sign out everywhere", 200).gives::<SignedOutBody>(),
            )
            .audited(AuditClass::Session, "session.end_all")
            .before_password_change(),
            post(sign_out_everywhere),
        )
        .merge(sessions::routes())
}

/// The tenants of a choice, as answers show them.
pub(crate) fn choices(tenants: &[Tenant]) -> Vec<ChoiceBody> {
    tenants
        .iter()
        .map(|tenant| ChoiceBody {
            id: tenant.id.to_string(),
            slug: tenant.slug.to_string(),
            name: tenant.name.clone(),
        })
        .collect()
}

async fn sign_in(State(app): State<App>, ctx: Ctx, Json(request): Json<LoginRequest>) -> Response {
    let mut target = String::new();
    let outcome = async {
        let login = request.login()?;
        target = typed(&app, &login);
        app.service
            .sign_in(
                &ctx.tenant,
                &login,
                &request.password,
                &ctx.client(SessionKind::Api),
            )
            .await
    }
    .await;
    app.metrics.signed_in(&outcome);
    match outcome {
        Ok(SignedIn::Yes(signed_in)) => {
            let (person, issued) = *signed_in;
            signed(&app, &person, &issued).into_response()
        }
        Ok(SignedIn::Choose {
            selection_token,
            tenants,
        }) => {
            let told = Told::of(ProblemCode::TenantSelectionRequired);
            let body = SelectionProblem {
                problem: told.problem(&ctx.request_id.to_string()),
                selection_token: selection_token.expose().clone(),
                tenants: choices(&tenants),
            };
            let who = Audited::refused(told.code.as_str()).and_target(target);
            let mut response = (told.status(), who, axum::Json(body)).into_response();
            response.headers_mut().insert(
                header::CONTENT_TYPE,
                axum::http::HeaderValue::from_static("application/problem+json"),
            );
            response
        }
        Err(refusal) => Audited::target(target).on(answer::<StatusCode>(&app, &ctx, Err(refusal))),
    }
}

/// The answer to somebody who is signed in from now on.
pub(super) fn signed(
    app: &App,
    person: &Person,
    issued: &Issued,
) -> (Audited, axum::Json<LoginBody>) {
    let prefix = &app.service.settings().code_prefix;
    (
        Audited::by(&issued.session.subject).and_target(issued.session.id),
        axum::Json(login(person, issued, prefix)),
    )
}

async fn select(State(app): State<App>, ctx: Ctx, Json(request): Json<SelectRequest>) -> Response {
    let client = ctx.client(SessionKind::Api);
    let outcome = app
        .service
        .select(
            &request.selection_token,
            &request.tenant_id,
            ctx.tenant.id(),
            &client,
        )
        .await;
    let outcome = outcome.map(|(person, issued)| signed(&app, &person, &issued));
    answer(&app, &ctx, outcome)
}

/// Renewing goes on with what signing in noted, so that it leaves an entry only where a token was
/// used twice, which ends the session.
async fn refresh(
    State(app): State<App>,
    mut ctx: Ctx,
    Json(request): Json<RefreshRequest>,
) -> Response {
    let (token, hinted) = (&request.refresh_token, ctx.tenant.id());
    let renewed = app.service.renew(token, hinted).await;
    // Whoever is told that the session ended is told why, as on any other route.
    ctx.ended = match &renewed {
        Ok(Renewed::Reused(_)) => Some(EndReason::Reuse),
        Err(Refusal::SessionStale) => app.service.why_not_renewed(token, hinted).await,
        Ok(Renewed::Yes(_)) | Err(_) => None,
    };
    let outcome = match renewed {
        Ok(Renewed::Yes(renewed)) => {
            let prefix = &app.service.settings().code_prefix;
            let body = login(&renewed.0, &renewed.1, prefix);
            Ok((Audited::nothing(), axum::Json(body)))
        }
        Ok(Renewed::Reused(subject)) => {
            let stale = answer::<StatusCode>(&app, &ctx, Err(Refusal::SessionStale));
            let code = ProblemCode::SessionStale.as_str();
            return Audited::refused(code).and_by(&subject).on(stale);
        }
        Err(refusal) => Err(refusal),
    };
    answer(&app, &ctx, outcome)
}

async fn sign_out(State(app): State<App>, ctx: Ctx) -> Response {
    let outcome = async {
        let session = ctx.principal()?.session.handle();
        app.service.sign_out(&session).await?;
        let body = SignedOutBody {
            sessions_cleared: 1,
        };
        Ok::<_, Refusal>((Audited::target(session.id), axum::Json(body)))
    }
    .await;
    answer(&app, &ctx, outcome)
}

async fn sign_out_everywhere(State(app): State<App>, ctx: Ctx) -> Response {
    let outcome = async {
        let principal = ctx.principal()?;
        let sessions_cleared = app.service.sign_out_everywhere(principal).await?;
        Ok::<_, Refusal>(axum::Json(SignedOutBody { sessions_cleared }))
    }
    .await;
    answer(&app, &ctx, outcome)
}
