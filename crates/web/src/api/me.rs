//! Who is signed in.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, patch, post};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tenantry_service::Refusal;
use tenantry_service::profile::ProfileChange;

use super::fields::{given, parse_option};
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

/// What to change about oneself; what is left out stays.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProfileRequest {
    /// The name to show; null takes it away.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "Option<String>")]
    pub full_name: Option<Option<String>>,
    /// The name to sign in with; null takes it away.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "Option<String>")]
    pub username: Option<Option<String>>,
    /// The address to have: yours once the link in a mail to it is followed.
    #[serde(default)]
    pub email: Option<String>,
}

impl ProfileRequest {
    /// The change it asks for, or everything that is wrong with it.
    fn into_change(self) -> Result<ProfileChange, Refusal> {
        let mut errors = Vec::new();
        let change = ProfileChange {
            full_name: self.full_name,
            username: self
                .username
                .map(|name| parse_option(&mut errors, "username", name.as_deref())),
            email: parse_option(&mut errors, "email", self.email.as_deref()),
        };
        if errors.is_empty() {
            Ok(change)
        } else {
            Err(Refusal::Validation(errors))
        }
    }
}

/// Oneself after a change.
#[derive(Serialize, JsonSchema)]
pub struct ProfileBody {
    /// Who it is, as of now.
    #[serde(flatten)]
    pub me: MeBody,
    /// The address that a mail was sent to and that is to be confirmed; null where none is.
    pub email_pending: Option<String>,
}

/// This feature's routes.
pub fn routes() -> Routes {
    Routes::default()
        .add(
            Route::api(
                Verb::Patch,
                "/api/v1/auth/me",
                Audience::SignedIn,
                Doc::new(
                    "Change your names, and your address once you confirmed it by mail",
                    200,
                )
                .takes::<ProfileRequest>()
                .gives::<ProfileBody>()
                .refuses(&["validation_failed", "username_taken"]),
            )
            .audited(AuditClass::Person, "user.change_profile"),
            patch(change_profile),
        )
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
            .audited(AuditClass::Person, "user.change_password")
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

async fn change_profile(
    State(app): State<App>,
    ctx: Ctx,
    Json(request): Json<ProfileRequest>,
) -> Response {
    let outcome = async {
        let change = request.into_change()?;
        let principal = ctx.principal()?;
        let changed = app
            .service
            .change_profile(principal, change, ctx.locale)
            .await?;
        let prefix = &app.service.settings().code_prefix;
        Ok::<_, Refusal>(axum::Json(ProfileBody {
            me: person(&changed.person, prefix),
            email_pending: changed.email_pending.map(|email| email.to_string()),
        }))
    }
    .await;
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
