//! Registering.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tenantry_core::session::SessionKind;
use tenantry_service::registration::{NewRegistration, Registered};

use super::wire::{LoginBody, login};
use crate::App;
use crate::answer::answer;
use crate::audit::Audited;
use crate::context::Ctx;
use crate::extract::Json;
use crate::route::{Audience, AuditClass, Doc, Route, Routes, Verb};

/// Somebody who wants an account. The form of the page has the same fields.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RegisterRequest {
    /// The name to sign in with: 2 to 40 letters, digits, dots, hyphens or underscores.
    pub username: String,
    /// The address.
    pub email: String,
    /// The password.
    pub password: String,
    /// The name to show.
    #[serde(default)]
    pub full_name: Option<String>,
}

impl From<RegisterRequest> for NewRegistration {
    fn from(request: RegisterRequest) -> Self {
        Self {
            username: request.username,
            email: request.email,
            password: request.password,
            full_name: request.full_name,
        }
    }
}

/// What is told where the address has to be proven, whether or not it is known.
#[derive(Serialize, JsonSchema)]
pub struct VerificationBody {
    /// Always `verification_sent`.
    pub status: &'static str,
}

/// This feature's routes.
pub fn routes() -> Routes {
    Routes::default().add(
        Route::api(
            Verb::Post,
            "/api/v1/auth/register",
            Audience::Public,
            Doc::new(
                "Make an account in a tenant that is open to it; 202 where the address is to be proven first",
                201,
            )
            .takes::<RegisterRequest>()
            .gives::<LoginBody>()
            .refuses(&[
                "validation_failed",
                "tenant_required",
                "forbidden",
                "email_taken",
                "username_taken",
                "rate_limited",
                "tenant_unavailable",
            ]),
        )
        .takes_secret()
        .audited(AuditClass::Person, "user.register")
        .once_by_key(),
        post(register),
    )
}

async fn register(
    State(app): State<App>,
    ctx: Ctx,
    Json(request): Json<RegisterRequest>,
) -> Response {
    let client = ctx.client(SessionKind::Api);
    let outcome = app
        .service
        .register(&ctx.tenant, &request.into(), ctx.locale, &client)
        .await;
    match outcome {
        Ok(Registered::In(signed_in)) => {
            let (person, issued) = *signed_in;
            let body = login(&person, &issued, &app.service.settings().code_prefix);
            let response = (StatusCode::CREATED, axum::Json(body)).into_response();
            Audited::by(&person.subject()).on(response)
        }
        Ok(Registered::ToBeProven) => {
            let status = "verification_sent";
            (
                StatusCode::ACCEPTED,
                axum::Json(VerificationBody { status }),
            )
                .into_response()
        }
        Err(refusal) => answer::<StatusCode>(&app, &ctx, Err(refusal)),
    }
}
