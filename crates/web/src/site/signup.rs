//! Asking for a tenant by a form, and proving the address.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use tenantry_core::Slug;
use tenantry_service::Refusal;
use tenantry_service::applications::{ApplicationView, Confirmed, NewApplication};

use super::chrome::{chrome_of, host_of};
use super::page;
use crate::App;
use crate::api::applications::WAIT;
use crate::api::wire::ApplicationRequest;
use crate::audit::Audited;
use crate::context::Ctx;
use crate::extract::Form;
use crate::pages::paths;
use crate::pages::signup::{SignupConfirmPage, SignupDonePage, SignupPage, SignupSentPage};
use crate::problem::respond;
use crate::route::{Audience, AuditClass, Route, Routes};

const LINK: &str = "/signup/{token}";

pub(super) fn routes() -> Routes {
    Routes::default()
        .add(Route::page(paths::SIGNUP, Audience::Public), get(show))
        .add(
            Route::form(paths::SIGNUP, Audience::Public)
                .takes_secret()
                .audited(AuditClass::Platform, "application.make"),
            post(apply),
        )
        .add(
            Route::page(LINK, Audience::Public).takes_token(),
            get(show_link),
        )
        .add(
            Route::form(LINK, Audience::Public)
                .takes_token()
                .audited(AuditClass::Platform, "application.confirm"),
            post(confirm),
        )
}

/// The form behind the link: the button is all there is to it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConfirmForm {}

/// The platform's host, or a tenant's below it.
fn host(app: &App, slug: Option<&str>) -> String {
    let settings = app.service.settings();
    let mut url = settings.public_url.clone();
    let host = match slug.and_then(|slug| slug.parse::<Slug>().ok()) {
        Some(slug) => format!("{slug}.{}", settings.base_domain),
        None => settings.base_domain.clone(),
    };
    // A slug before the base domain is a host by construction.
    let _ = url.set_host(Some(&host));
    host_of(&url)
}

fn form(app: &App, ctx: &Ctx, typed: NewApplication, errors: Vec<(String, String)>) -> SignupPage {
    SignupPage {
        chrome: chrome_of(app, ctx, None),
        base_host: host(app, None),
        tenant_name: typed.name,
        slug: typed.slug,
        email: typed.email,
        full_name: typed.full_name.unwrap_or_default(),
        errors,
    }
}

async fn show(State(app): State<App>, ctx: Ctx) -> Response {
    if let Err(refusal) = app.service.expect_signup() {
        return respond(&app, Some(&ctx), refusal.into());
    }
    let nothing = NewApplication {
        name: String::new(),
        slug: String::new(),
        email: String::new(),
        full_name: None,
    };
    let empty = form(&app, &ctx, nothing, Vec::new());
    page(&app, &ctx, StatusCode::OK, &empty)
}

async fn apply(State(app): State<App>, ctx: Ctx, Form(sent): Form<ApplicationRequest>) -> Response {
    let new = NewApplication::from(sent);
    let outcome = app.service.apply(&new, ctx.locale, ctx.client_ip).await;
    let (status, errors, about) = match outcome {
        Ok(()) => {
            let sent = SignupSentPage {
                chrome: chrome_of(&app, &ctx, None),
                email: new.email.trim().to_owned(),
            };
            return page(&app, &ctx, StatusCode::ACCEPTED, &sent);
        }
        Err(Refusal::Validation(errors)) => {
            let errors = errors.into_iter();
            let errors = errors.map(|error| (error.field.into_owned(), error.code.to_owned()));
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            (status, errors.collect(), Audited::nothing())
        }
        Err(Refusal::SlugTaken) => {
            let taken = vec![("slug".to_owned(), "taken".to_owned())];
            (StatusCode::CONFLICT, taken, Audited::refused("slug_taken"))
        }
        Err(refusal) => return respond(&app, Some(&ctx), refusal.into()),
    };
    about.on(page(&app, &ctx, status, &form(&app, &ctx, new, errors)))
}

fn confirm_page(app: &App, ctx: &Ctx, view: ApplicationView) -> Response {
    let shown = SignupConfirmPage {
        chrome: chrome_of(app, ctx, None),
        host: host(app, Some(&view.slug)),
        email: view
            .email
            .map(|email| email.to_string())
            .unwrap_or_default(),
        name: view.name,
    };
    page(app, ctx, StatusCode::OK, &shown)
}

async fn show_link(State(app): State<App>, ctx: Ctx, Path(token): Path<String>) -> Response {
    match app.service.application_of(&token).await {
        Ok(view) => confirm_page(&app, &ctx, view),
        Err(refusal) => respond(&app, Some(&ctx), refusal.into()),
    }
}

async fn confirm(
    State(app): State<App>,
    ctx: Ctx,
    Path(token): Path<String>,
    Form(ConfirmForm {}): Form<ConfirmForm>,
) -> Response {
    let url = match app.service.confirm_application(&token, WAIT).await {
        Ok(Confirmed::Waiting(_)) => None,
        Ok(Confirmed::Made(view)) => Some(view.url),
        Err(refusal) => return respond(&app, Some(&ctx), refusal.into()),
    };
    let shown = SignupDonePage {
        chrome: chrome_of(&app, &ctx, None),
        url,
    };
    page(&app, &ctx, StatusCode::OK, &shown)
}
