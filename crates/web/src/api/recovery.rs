//! Setting a new password without the old one.

use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tenantry_core::Email;
use tenantry_service::Refusal;
use tenantry_service::recovery::Way;

use crate::App;
use crate::answer::answer;
use crate::audit::Audited;
use crate::context::Ctx;
use crate::extract::Json;
use crate::route::{Audience, AuditClass, Doc, Route, Routes, Verb};

/// Whose password was forgotten.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResetRequest {
    /// The address.
    pub email: String,
}

/// A one-time code.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CodeRequest {
    /// The address it was sent to.
    pub email: String,
    /// Six digits.
    pub otp: String,
}

/// A new password, and what permits it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmRequest {
    /// From the link, or the `reset_token` that a code was good for.
    pub token: String,
    /// The password to have from now on.
    pub password: String,
}

/// A sentence for people.
#[derive(Serialize, JsonSchema)]
pub struct MessageBody {
    /// The sentence.
    pub message: &'static str,
}

/// The proof that a code fitted.
#[derive(Serialize, JsonSchema)]
pub struct ProofBody {
    /// To be sent with the new password; good once.
    pub reset_token: String,
    /// How long it is good, in seconds.
    pub expires_in: u64,
}

/// What is answered to whoever asks, whether or not anybody has the address.
const ASKED: MessageBody = MessageBody {
    message: "If this address has an account, a mail is on its way to it.",
};

/// This feature's routes.
pub fn routes() -> Routes {
    let ask = |path, summary| {
        Route::api(
            Verb::Post,
            path,
            Audience::Public,
            Doc::new(summary, 200)
                .takes::<ResetRequest>()
                .gives::<MessageBody>()
                .refuses(&["tenant_unavailable", "rate_limited"]),
        )
        .takes_secret()
        .audited(AuditClass::Person, "password_reset.request")
    };
    Routes::default()
        .add(
            ask(
                "/api/v1/auth/password-reset/request",
                "Ask for a link to set a new password, by mail",
            ),
            post(|app, ctx, sent| request(Way::Link, app, ctx, sent)),
        )
        .add(
            ask(
                "/api/v1/auth/password-reset/request-otp",
                "Ask for a one-time code to set a new password, by mail",
            ),
            post(|app, ctx, sent| request(Way::Code, app, ctx, sent)),
        )
        .add(
            Route::api(
                Verb::Post,
                "/api/v1/auth/password-reset/verify-otp",
                Audience::Public,
                Doc::new("Show a one-time code; good for one new password", 200)
                    .takes::<CodeRequest>()
                    .gives::<ProofBody>()
                    .refuses(&["otp_invalid", "tenant_unavailable", "rate_limited"]),
            )
            .takes_secret()
            .audited(AuditClass::Person, "password_reset.verify_code"),
            post(verify),
        )
        .add(
            Route::api(
                Verb::Post,
                "/api/v1/auth/password-reset/confirm",
                Audience::Public,
                Doc::new("Set a new password; ends all of your sessions", 200)
                    .takes::<ConfirmRequest>()
                    .gives::<MessageBody>()
                    .refuses(&["token_invalid", "validation_failed", "rate_limited"]),
            )
            .takes_secret()
            .audited(AuditClass::Person, "user.set_password"),
            post(confirm),
        )
}

fn parsed(email: &str) -> Result<Email, Refusal> {
    email
        .parse()
        .map_err(|error| Refusal::field("email", "invalid", error))
}

async fn request(
    way: Way,
    State(app): State<App>,
    ctx: Ctx,
    Json(sent): Json<ResetRequest>,
) -> Response {
    let outcome = async {
        let email = parsed(&sent.email)?;
        app.service
            .ask_for_reset(&ctx.tenant, &email, way, ctx.locale, ctx.client_ip)
            .await?;
        Ok::<_, Refusal>(axum::Json(ASKED))
    }
    .await;
    answer(&app, &ctx, outcome)
}

async fn verify(State(app): State<App>, ctx: Ctx, Json(sent): Json<CodeRequest>) -> Response {
    let outcome = async {
        let email = parsed(&sent.email)?;
        let proof = app
            .service
            .verify_code(&ctx.tenant, &email, &sent.otp, ctx.client_ip)
            .await?;
        Ok::<_, Refusal>(axum::Json(ProofBody {
            reset_token: proof.reset_token.expose().clone(),
            expires_in: proof.expires_in.as_secs(),
        }))
    }
    .await;
    answer(&app, &ctx, outcome)
}

async fn confirm(State(app): State<App>, ctx: Ctx, Json(sent): Json<ConfirmRequest>) -> Response {
    let set = app
        .service
        .reset_password(
            &sent.token,
            &sent.password,
            ctx.tenant.id(),
            ctx.locale,
            ctx.client_ip,
        )
        .await;
    match set {
        Ok(view) => {
            let message = "The password is set. Sign in with it.";
            let body = axum::Json(MessageBody { message });
            Audited::by(&view.subject).on(answer(&app, &ctx, Ok::<_, Refusal>(body)))
        }
        Err(refusal) => answer::<axum::http::StatusCode>(&app, &ctx, Err(refusal)),
    }
}
