//! The pages behind links to set a password: the first one, and a new one.

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
use crate::audit::Audited;
use crate::context::Ctx;
use crate::extract::Form;
use crate::pages::password::{LinkGonePage, LinkKind, PasswordIssue, SetupPasswordPage};
use crate::problem::respond;
use crate::route::{Audience, AuditClass, Route, Routes};

const SETUP: &str = "/setup/password/{token}";
const RESET: &str = "/reset-password/{token}";

pub(super) fn routes() -> Routes {
    let page = |path| Route::page(path, Audience::Public).takes_secret();
    let form = |path| {
        Route::form(path, Audience::Public)
            .takes_secret()
            .audited(AuditClass::Person, "user.set_password")
    };
    Routes::default()
        .add(
            page(SETUP),
            get(|app, ctx, token| show(LinkKind::Setup, app, ctx, token)),
        )
        .add(
            form(SETUP),
            post(|app, ctx, token, sent| set(LinkKind::Setup, app, ctx, token, sent)),
        )
        .add(
            page(RESET),
            get(|app, ctx, token| show(LinkKind::Reset, app, ctx, token)),
        )
        .add(
            form(RESET),
            post(|app, ctx, token, sent| set(LinkKind::Reset, app, ctx, token, sent)),
        )
}

/// For whom a link is.
async fn view(app: &App, ctx: &Ctx, kind: LinkKind, token: &str) -> Result<SetupView, Refusal> {
    let hinted = ctx.tenant.id();
    match kind {
        LinkKind::Reset => app.service.reset_view(token, hinted).await,
        LinkKind::Setup | LinkKind::Registration | LinkKind::NewAddress => {
            app.service.setup_view(token, hinted).await
        }
    }
}

/// The form.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetupForm {
    password: String,
}

fn form(
    app: &App,
    ctx: &Ctx,
    kind: LinkKind,
    view: &SetupView,
    error: Option<PasswordIssue>,
) -> Response {
    let status = if error.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    let shown = SetupPasswordPage {
        chrome: chrome_of(app, ctx, view.tenant.as_ref()),
        kind,
        email: view.email.to_string(),
        policy: app.service.password_policy(view.tenant.as_ref()),
        error,
    };
    page(app, ctx, status, &shown)
}

/// What became of a link that does not do what it is for.
pub(super) fn refused(app: &App, ctx: &Ctx, kind: LinkKind, refusal: Refusal) -> Response {
    match refusal {
        Refusal::TokenInvalid => page(
            app,
            ctx,
            StatusCode::BAD_REQUEST,
            &LinkGonePage {
                chrome: chrome(app, ctx),
                kind,
            },
        ),
        other => respond(app, Some(ctx), other.into()),
    }
}

async fn show(
    kind: LinkKind,
    State(app): State<App>,
    ctx: Ctx,
    Path(token): Path<String>,
) -> Response {
    match view(&app, &ctx, kind, &token).await {
        Ok(view) => form(&app, &ctx, kind, &view, None),
        Err(refusal) => refused(&app, &ctx, kind, refusal),
    }
}

async fn set(
    kind: LinkKind,
    State(app): State<App>,
    ctx: Ctx,
    Path(token): Path<String>,
    Form(sent): Form<SetupForm>,
) -> Response {
    let (hinted, ip) = (ctx.tenant.id(), ctx.client_ip);
    let outcome = match kind {
        LinkKind::Reset => {
            app.service
                .reset_password(&token, &sent.password, hinted, ctx.locale, ip)
                .await
        }
        LinkKind::Setup | LinkKind::Registration | LinkKind::NewAddress => {
            app.service
                .setup_password(&token, &sent.password, hinted, ip)
                .await
        }
    };
    match outcome {
        Ok(view) => {
            let by = Audited::by(&view.subject);
            let mut response = by.on(see_other("/login?reason=password_set"));
            if let Some(cookie) = app.cookies().clear(app.cookies().session()) {
                // Somebody else may be signed in on this browser.
                response.headers_mut().append(header::SET_COOKIE, cookie);
            }
            response
        }
        Err(Refusal::Validation(errors)) => match view(&app, &ctx, kind, &token).await {
            Ok(view) => {
                let issue = errors.first().map_or(PasswordIssue::Invalid, |error| {
                    PasswordIssue::from_code(error.code)
                });
                form(&app, &ctx, kind, &view, Some(issue))
            }
            Err(refusal) => refused(&app, &ctx, kind, refusal),
        },
        Err(refusal) => refused(&app, &ctx, kind, refusal),
    }
}
