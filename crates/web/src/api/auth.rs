//! Signing in, renewing and signing out.

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use schemars::JsonSchema;
use serde::Deserialize;
use tenantry_core::session::SessionKind;
use tenantry_core::tenant::Tenant;
use tenantry_service::Refusal;
use tenantry_service::signin::{Login, SignedIn};

use super::wire::{
    ChoiceBody, ListBody, LoginBody, SelectionProblem, SessionBody, SignedOutBody, login,
};
use crate::App;
use crate::answer::answer;
use crate::context::Ctx;
use crate::extract::Json;
use crate::i18n::problem::ProblemCode;
use crate::problem::{Failure, Told};
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
        match (&self.email, &self.username) {
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
            .audited(AuditClass::Session),
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
            .audited(AuditClass::Session),
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
            .audited(AuditClass::Session),
            post(refresh),
        )
        .add(
            Route::api(
                Verb::Post,
                "/api/v1/auth/logout",
                Audience::SignedIn,
                Doc::new("Sign out", 200).gives::<SignedOutBody>(),
            )
            .audited(AuditClass::Session)
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
            .audited(AuditClass::Session)
            .before_password_change(),
            post(sign_out_everywhere),
        )
        .add(
            Route::api(
                Verb::Get,
                "/api/v1/auth/sessions",
                Audience::SignedIn,
                Doc::new("Your sessions", 200).gives::<ListBody<SessionBody>>(),
            ),
            get(sessions),
        )
        .add(
            Route::api(
                Verb::Delete,
                "/api/v1/auth/sessions/{id}",
                Audience::SignedIn,
                Doc::new("End one of your sessions", 204).refuses(&["not_found"]),
            )
            .audited(AuditClass::Session),
            delete(end_session),
        )
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
    let outcome = async {
        let login = request.login()?;
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
            axum::Json(login(&person, &issued, &app.service.settings().code_prefix)).into_response()
        }
        Ok(SignedIn::Choose {
            selection_token,
            tenants,
        }) => {
            let told = Told::of(ProblemCode::TenantSelectionRequired);
            let body = SelectionProblem {
                problem: told.problem(&ctx.request_id),
                selection_token: selection_token.expose().clone(),
                tenants: choices(&tenants),
            };
            let mut response = (told.status(), axum::Json(body)).into_response();
            response.headers_mut().insert(
                header::CONTENT_TYPE,
                axum::http::HeaderValue::from_static("application/problem+json"),
            );
            response
        }
        Err(refusal) => answer::<StatusCode>(&app, &ctx, Err(refusal)),
    }
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
    let prefix = &app.service.settings().code_prefix;
    answer(
        &app,
        &ctx,
        outcome.map(|(person, issued)| axum::Json(login(&person, &issued, prefix))),
    )
}

async fn refresh(
    State(app): State<App>,
    ctx: Ctx,
    Json(request): Json<RefreshRequest>,
) -> Response {
    let outcome = app
        .service
        .refresh(&request.refresh_token, ctx.tenant.id())
        .await;
    let prefix = &app.service.settings().code_prefix;
    answer(
        &app,
        &ctx,
        outcome.map(|(person, issued)| axum::Json(login(&person, &issued, prefix))),
    )
}

async fn sign_out(State(app): State<App>, ctx: Ctx) -> Response {
    let outcome = async {
        app.service.sign_out(ctx.principal()?.session.id).await?;
        Ok::<_, Refusal>(axum::Json(SignedOutBody {
            sessions_cleared: 1,
        }))
    }
    .await;
    answer(&app, &ctx, outcome)
}

async fn sign_out_everywhere(State(app): State<App>, ctx: Ctx) -> Response {
    let outcome = async {
        let person = &ctx.principal()?.person;
        let sessions_cleared = app.service.sign_out_everywhere(person).await?;
        Ok::<_, Refusal>(axum::Json(SignedOutBody { sessions_cleared }))
    }
    .await;
    answer(&app, &ctx, outcome)
}

async fn sessions(State(app): State<App>, ctx: Ctx) -> Response {
    let outcome = async {
        let principal = ctx.principal()?;
        let sessions = app.service.sessions_of(&principal.person).await?;
        let items = sessions
            .iter()
            .map(|session| SessionBody::of(session, principal.session.id))
            .collect();
        Ok::<_, Refusal>(axum::Json(ListBody {
            items,
            next_cursor: None,
        }))
    }
    .await;
    answer(&app, &ctx, outcome)
}

async fn end_session(State(app): State<App>, ctx: Ctx, Path(id): Path<String>) -> Response {
    let outcome = async {
        let id = id
            .parse()
            .map_err(|_| Failure::Refused(Refusal::NotFound))?;
        app.service
            .end_own_session(&ctx.principal()?.person, id)
            .await?;
        Ok::<_, Failure>(StatusCode::NO_CONTENT)
    }
    .await;
    answer(&app, &ctx, outcome)
}
