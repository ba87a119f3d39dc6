//! Registering by a form, and proving the address.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use tenantry_core::session::SessionKind;
use tenantry_core::tenant::Registration;
use tenantry_service::Refusal;
use tenantry_service::registration::{NewRegistration, Proven, Registered};

use super::chrome::chrome;
use super::{login, page, see_other, setup};
use crate::App;
use crate::api::registration::RegisterRequest;
use crate::audit::Audited;
use crate::context::Ctx;
use crate::extract::Form;
use crate::pages::password::LinkKind;
use crate::pages::paths;
use crate::pages::registration::{
    RegisterPage, RegistrationClosedPage, RegistrationSentPage, RegistrationTakenPage,
    VerifyRegistrationPage,
};
use crate::problem::respond;
use crate::route::{Audience, AuditClass, Route, Routes};

pub(super) fn routes() -> Routes {
    Routes::default()
        .add(Route::page(paths::REGISTER, Audience::Public), get(show))
        .add(
            Route::form(paths::REGISTER, Audience::Public)
                .takes_secret()
                .audited(AuditClass::Person, "user.register"),
            post(register),
        )
}

/// The fields as they were typed, to be shown again beside what is wrong with them.
struct Typed {
    full_name: String,
    username: String,
    email: String,
}

fn form(app: &App, ctx: &Ctx, typed: Typed, errors: Vec<(String, String)>) -> RegisterPage {
    RegisterPage {
        chrome: chrome(app, ctx),
        full_name: typed.full_name,
        username: typed.username,
        email: typed.email,
        policy: app.service.password_policy(ctx.tenant.tenant()),
        errors,
    }
}

fn closed(app: &App, ctx: &Ctx) -> Response {
    let shown = RegistrationClosedPage {
        chrome: chrome(app, ctx),
    };
    page(app, ctx, StatusCode::FORBIDDEN, &shown)
}

async fn show(State(app): State<App>, ctx: Ctx) -> Response {
    let open = match ctx.tenant.open() {
        Some(tenant) => tenant.tenant().registration == Registration::Open,
        None if ctx.tenant.tenant().is_some() => {
            return respond(&app, Some(&ctx), Refusal::TenantUnavailable.into());
        }
        None => false,
    };
    if !open {
        return closed(&app, &ctx);
    }
    let nothing = Typed {
        full_name: String::new(),
        username: String::new(),
        email: String::new(),
    };
    page(
        &app,
        &ctx,
        StatusCode::OK,
        &form(&app, &ctx, nothing, Vec::new()),
    )
}

async fn register(State(app): State<App>, ctx: Ctx, Form(sent): Form<RegisterRequest>) -> Response {
    let new = NewRegistration::from(sent);
    let client = ctx.client(SessionKind::Browser);
    let outcome = app
        .service
        .register(&ctx.tenant, &new, ctx.locale, &client)
        .await;
    let wrong = |field: &str, code: &str| vec![(field.to_owned(), code.to_owned())];
    let (status, errors) = match outcome {
        Ok(Registered::In(signed_in)) => {
            let (person, issued) = *signed_in;
            let response = login::welcome(&app, &person, &issued, None);
            return Audited::by(&person.subject()).on(response);
        }
        Ok(Registered::ToBeProven) => {
            let shown = RegistrationSentPage {
                chrome: chrome(&app, &ctx),
                email: new.email.trim().to_owned(),
            };
            return page(&app, &ctx, StatusCode::ACCEPTED, &shown);
        }
        Err(Refusal::Validation(errors)) => {
            let errors = errors.into_iter();
            let errors = errors.map(|error| (error.field.into_owned(), error.code.to_owned()));
            (StatusCode::UNPROCESSABLE_ENTITY, errors.collect())
        }
        Err(Refusal::EmailTaken) => (StatusCode::CONFLICT, wrong("email", "taken")),
        Err(Refusal::UsernameTaken) => (StatusCode::CONFLICT, wrong("username", "taken")),
        Err(Refusal::Forbidden | Refusal::TenantRequired) => return closed(&app, &ctx),
        Err(refusal) => return respond(&app, Some(&ctx), refusal.into()),
    };
    let typed = Typed {
        full_name: new.full_name.unwrap_or_default(),
        username: new.username,
        email: new.email,
    };
    page(&app, &ctx, status, &form(&app, &ctx, typed, errors))
}

/// The form behind the link of a registration.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct VerifyForm {
    #[serde(default)]
    username: Option<String>,
}

/// The page behind the link of a registration.
pub(super) async fn show_link(app: &App, ctx: &Ctx, token: &str) -> Response {
    link_page(app, ctx, token, None).await
}

async fn link_page(
    app: &App,
    ctx: &Ctx,
    token: &str,
    wrong: Option<(StatusCode, Option<String>, String)>,
) -> Response {
    match app.service.registration_view(token, ctx.tenant.id()).await {
        Ok(view) => {
            let (status, typed, error) = match wrong {
                Some((status, typed, error)) => (status, typed, Some(error)),
                None => (StatusCode::OK, None, None),
            };
            let shown = VerifyRegistrationPage {
                chrome: chrome(app, ctx),
                email: view.email.to_string(),
                registered_as: view.username.as_str().to_owned(),
                username: typed.unwrap_or_else(|| view.username.as_str().to_owned()),
                username_error: error,
            };
            page(app, ctx, status, &shown)
        }
        Err(refusal) => setup::refused(app, ctx, LinkKind::Registration, refusal),
    }
}

/// Makes the account whose address a link proves.
pub(super) async fn follow_link(app: &App, ctx: &Ctx, token: &str, sent: VerifyForm) -> Response {
    let username = sent.username.as_deref().filter(|name| !name.is_empty());
    let proven = app
        .service
        .prove_registration(token, username, ctx.tenant.id())
        .await;
    let t = crate::i18n::of(ctx.locale);
    let (status, error) = match proven {
        Ok(Proven::Yes) => return see_other("/login?reason=registered"),
        Ok(Proven::AddressTaken) => {
            let shown = RegistrationTakenPage {
                chrome: chrome(app, ctx),
                sign_in: app
                    .service
                    .settings()
                    .public_url
                    .join("/login")
                    .map_or_else(|_| crate::pages::paths::LOGIN.to_owned(), String::from),
            };
            return page(app, ctx, StatusCode::CONFLICT, &shown);
        }
        Ok(Proven::UsernameTaken) => (StatusCode::CONFLICT, t.registration.verify_taken),
        Err(Refusal::Validation(_)) => (StatusCode::UNPROCESSABLE_ENTITY, t.field.invalid_username),
        Err(refusal) => return setup::refused(app, ctx, LinkKind::Registration, refusal),
    };
    let wrong = Some((status, sent.username, error.to_owned()));
    link_page(app, ctx, token, wrong).await
}
