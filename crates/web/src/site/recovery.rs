//! Asking for a new password, and entering a one-time code.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use tenantry_core::Email;
use tenantry_service::Refusal;
use tenantry_service::recovery::Way;

use super::chrome::chrome;
use super::{page, see_other};
use crate::App;
use crate::context::Ctx;
use crate::extract::Form;
use crate::pages::paths;
use crate::pages::recovery::{AskedPage, CodeError, CodePage, ForgotPage};
use crate::problem::respond;
use crate::route::{Audience, AuditClass, Route, Routes};

pub(super) fn routes() -> Routes {
    Routes::default()
        .add(
            Route::page(paths::FORGOT_PASSWORD, Audience::Public),
            get(forgot),
        )
        .add(
            Route::form(paths::FORGOT_PASSWORD, Audience::Public)
                .takes_secret()
                .audited(AuditClass::Person, "password_reset.request"),
            post(ask),
        )
        .add(
            Route::page(paths::RESET_BY_CODE, Audience::Public),
            get(code),
        )
        .add(
            Route::form(paths::RESET_BY_CODE, Audience::Public)
                .takes_secret()
                .audited(AuditClass::Person, "password_reset.verify_code"),
            post(verify),
        )
}

/// The form that asks.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ForgotForm {
    email: String,
    #[serde(default)]
    way: AskedWay,
}

/// What is asked for.
#[derive(Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum AskedWay {
    #[default]
    Link,
    Code,
}

/// The form with a code.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CodeForm {
    email: String,
    otp: String,
}

fn invalid_email(ctx: &Ctx) -> String {
    crate::i18n::of(ctx.locale).field.invalid_email.to_owned()
}

async fn forgot(State(app): State<App>, ctx: Ctx) -> Response {
    let shown = ForgotPage {
        chrome: chrome(&app, &ctx),
        email: String::new(),
        email_error: String::new(),
    };
    page(&app, &ctx, StatusCode::OK, &shown)
}

async fn ask(State(app): State<App>, ctx: Ctx, Form(sent): Form<ForgotForm>) -> Response {
    let Ok(email) = sent.email.parse::<Email>() else {
        let shown = ForgotPage {
            chrome: chrome(&app, &ctx),
            email_error: invalid_email(&ctx),
            email: sent.email,
        };
        return page(&app, &ctx, StatusCode::UNPROCESSABLE_ENTITY, &shown);
    };
    let way = match sent.way {
        AskedWay::Link => Way::Link,
        AskedWay::Code => Way::Code,
    };
    let asked = app
        .service
        .ask_for_reset(&ctx.tenant, &email, way, ctx.locale, ctx.client_ip)
        .await;
    if let Err(refusal) = asked {
        return respond(&app, Some(&ctx), refusal.into());
    }
    let (chrome, email) = (chrome(&app, &ctx), email.to_string());
    match way {
        Way::Link => page(&app, &ctx, StatusCode::OK, &AskedPage { chrome, email }),
        Way::Code => {
            let shown = CodePage {
                chrome,
                email,
                asked: true,
                email_error: String::new(),
                error: None,
            };
            page(&app, &ctx, StatusCode::OK, &shown)
        }
    }
}

fn code_page(app: &App, ctx: &Ctx, email: String, error: Option<CodeError>) -> CodePage {
    CodePage {
        chrome: chrome(app, ctx),
        email,
        asked: false,
        email_error: String::new(),
        error,
    }
}

async fn code(State(app): State<App>, ctx: Ctx) -> Response {
    let shown = code_page(&app, &ctx, String::new(), None);
    page(&app, &ctx, StatusCode::OK, &shown)
}

async fn verify(State(app): State<App>, ctx: Ctx, Form(sent): Form<CodeForm>) -> Response {
    let Ok(email) = sent.email.parse::<Email>() else {
        let mut shown = code_page(&app, &ctx, sent.email, None);
        shown.email_error = invalid_email(&ctx);
        return page(&app, &ctx, StatusCode::UNPROCESSABLE_ENTITY, &shown);
    };
    let verified = app
        .service
        .verify_code(&ctx.tenant, &email, &sent.otp, ctx.client_ip)
        .await;
    let (status, error) = match verified {
        Ok(proof) => {
            return see_other(&format!("/reset-password/{}", proof.reset_token.expose()));
        }
        Err(Refusal::OtpInvalid) => (StatusCode::BAD_REQUEST, CodeError::Wrong),
        Err(Refusal::RateLimited(wait)) => {
            (StatusCode::TOO_MANY_REQUESTS, CodeError::TooMany(wait))
        }
        Err(refusal) => return respond(&app, Some(&ctx), refusal.into()),
    };
    let shown = code_page(&app, &ctx, sent.email, Some(error));
    page(&app, &ctx, status, &shown)
}
