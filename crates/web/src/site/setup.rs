//! The page behind a setup link.

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use tenantry_service::Refusal;
use tenantry_service::setup::SetupView;

use super::chrome::{chrome, chrome_of};
use super::{page, see_other};
use crate::App;
use crate::context::Ctx;
use crate::extract::Form;
use crate::pages::password::{LinkGonePage, PasswordIssue, SetupPasswordPage};
use crate::problem::respond;
use crate::route::{Audience, AuditClass, Route, Routes};

const PATH: &str = "/setup/password/{token}";

pub(super) fn routes() -> Routes {
    Routes::default()
        .add(
            Route::page(PATH, Audience::Public).takes_secret(),
            get(show),
        )
        .add(
            Route::form(PATH, Audience::Public)
                .takes_secret()
                .audited(AuditClass::Person),
            post(set),
        )
}

/// The form.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetupForm {
    password: String,
}

fn form(app: &App, ctx: &Ctx, view: &SetupView, error: Option<PasswordIssue>) -> Response {
    let status = if error.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    let shown = SetupPasswordPage {
        chrome: chrome_of(app, ctx, view.tenant.as_ref()),
        email: view.email.to_string(),
        policy: app.service.settings().passwords,
        error,
    };
    page(app, ctx, status, &shown)
}

fn refused(app: &App, ctx: &Ctx, refusal: Refusal) -> Response {
    match refusal {
        Refusal::TokenInvalid => page(
            app,
            ctx,
            StatusCode::BAD_REQUEST,
            &LinkGonePage {
                chrome: chrome(app, ctx),
            },
        ),
        other => respond(app, Some(ctx), other.into()),
    }
}

async fn show(State(app): State<App>, ctx: Ctx, Path(token): Path<String>) -> Response {
    match app.service.setup_view(&token, ctx.tenant.id()).await {
        Ok(view) => form(&app, &ctx, &view, None),
        Err(refusal) => refused(&app, &ctx, refusal),
    }
}

async fn set(
    State(app): State<App>,
    ctx: Ctx,
    Path(token): Path<String>,
    Form(sent): Form<SetupForm>,
) -> Response {
    let hinted = ctx.tenant.id();
    match app
        .service
        .setup_password(&token, &sent.password, hinted, ctx.client_ip)
        .await
    {
        Ok(_) => {
            let mut response = see_other("/login?reason=password_set");
            if let Some(cookie) = app.cookies().clear(app.cookies().session()) {
                // Somebody else may be signed in on this browser.
                response.headers_mut().append(header::SET_COOKIE, cookie);
            }
            response
        }
        Err(Refusal::Validation(errors)) => match app.service.setup_view(&token, hinted).await {
            Ok(view) => {
                let issue = errors.first().map_or(PasswordIssue::Invalid, |error| {
                    PasswordIssue::from_code(error.code)
                });
                form(&app, &ctx, &view, Some(issue))
            }
            Err(refusal) => refused(&app, &ctx, refusal),
        },
        Err(refusal) => refused(&app, &ctx, refusal),
    }
}
