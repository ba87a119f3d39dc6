//! Who is signed in.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use schemars::JsonSchema;
use serde::Deserialize;
use tenantry_service::Refusal;

use super::wire::{MeBody, person};
use crate::App;
use crate::answer::answer;
use crate::context::Ctx;
use crate::extract::Json;
use crate::route::{Audience, AuditClass, Doc, Route, Routes, Verb};

/// A change of one's own password.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordRequest {
    /// The present password.
    pub current_password: String,
    /// The one to have from now on.
    pub new_password: String,
}

/// This feature's routes.
pub fn routes() -> Routes {
    Routes::default()
        .add(
            Route::api(
                Verb::Get,
                "/api/v1/auth/me",
                Audience::SignedIn,
                Doc::new("Who is signed in", 200).gives::<MeBody>(),
            )
            .before_password_change(),
            get(me),
        )
        .add(
            Route::api(
                Verb::Post,
                "/api/v1/auth/me/password",
                Audience::SignedIn,
                Doc::new("Change your password; ends your other sessions", 200)
                    .takes::<PasswordRequest>()
                    .gives::<MeBody>()
                    .refuses(&["validation_failed", "rate_limited"]),
            )
            .takes_secret()
            .audited(AuditClass::Person)
            .before_password_change(),
            post(change_password),
        )
}

async fn me(State(app): State<App>, ctx: Ctx) -> Response {
    let prefix = &app.service.settings().code_prefix;
    let outcome = ctx
        .principal()
        .map(|principal| axum::Json(person(&principal.person, prefix)));
    answer(&app, &ctx, outcome)
}

async fn change_password(
    State(app): State<App>,
    ctx: Ctx,
    Json(request): Json<PasswordRequest>,
) -> Response {
    let outcome = async {
        let principal = ctx.principal()?;
        app.service
            .change_password(
                principal,
                &request.current_password,
                &request.new_password,
                ctx.client_ip,
            )
            .await?;
        let mut me = person(&principal.person, &app.service.settings().code_prefix);
        me.user.must_change_password = false;
        Ok::<_, Refusal>((StatusCode::OK, axum::Json(me)))
    }
    .await;
    answer(&app, &ctx, outcome)
}
