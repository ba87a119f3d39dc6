//! The page behind a link to new database credentials.

use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use tenantry_service::Refusal;
use tenantry_service::credentials::CredentialsLinkView;

use super::chrome::{chrome, chrome_of};
use super::page;
use crate::App;
use crate::audit::Audited;
use crate::context::Ctx;
use crate::extract::Form;
use crate::pages::credentials::{
    Access, CredentialsGonePage, CredentialsShownPage, OldUser, SetupCredentialsPage,
};
use crate::problem::{respond, seconds};
use crate::route::{Audience, AuditClass, Route, Routes};

const PATH: &str = "/setup/credentials/{token}";

pub(super) fn routes() -> Routes {
    Routes::default()
        .add(
            Route::page(PATH, Audience::Public).takes_secret(),
            get(show),
        )
        .add(
            Route::form(PATH, Audience::Public)
                .takes_secret()
                .audited(AuditClass::Tenant, "credentials.rotate"),
            post(change),
        )
}

/// The form: a button, and nothing to fill in.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangeForm {}

fn form(app: &App, ctx: &Ctx, view: &CredentialsLinkView, status: StatusCode) -> Response {
    let wait = view.busy;
    let shown = SetupCredentialsPage {
        chrome: chrome_of(app, ctx, Some(&view.tenant)),
        replaces: view.old_user.is_some(),
        grace: view.grace,
        busy: wait,
    };
    let mut response = page(app, ctx, status, &shown);
    if status == StatusCode::CONFLICT
        && let Some(wait) = wait
    {
        let wait = HeaderValue::from(seconds(wait));
        response.headers_mut().insert(header::RETRY_AFTER, wait);
    }
    response
}

fn refused(app: &App, ctx: &Ctx, refusal: Refusal) -> Response {
    match refusal {
        Refusal::TokenInvalid => page(
            app,
            ctx,
            StatusCode::BAD_REQUEST,
            &CredentialsGonePage {
                chrome: chrome(app, ctx),
            },
        ),
        other => respond(app, Some(ctx), other.into()),
    }
}

async fn show(State(app): State<App>, ctx: Ctx, Path(token): Path<String>) -> Response {
    let viewed = app
        .service
        .credentials_link_view(&token, ctx.tenant.id())
        .await;
    match viewed {
        Ok(view) => form(&app, &ctx, &view, StatusCode::OK),
        Err(refusal) => refused(&app, &ctx, refusal),
    }
}

async fn change(
    State(app): State<App>,
    ctx: Ctx,
    Path(token): Path<String>,
    Form(ChangeForm {}): Form<ChangeForm>,
) -> Response {
    let hinted = ctx.tenant.id();
    let used = app
        .service
        .use_credentials_link(&token, hinted, ctx.client_ip)
        .await;
    let (tenant, access) = match used {
        Ok(both) => both,
        Err(Refusal::ConflictFor(_, wait)) => {
            // The link is still good; the page says when to come back.
            return match app.service.credentials_link_view(&token, hinted).await {
                Ok(mut view) => {
                    view.busy = Some(wait);
                    form(&app, &ctx, &view, StatusCode::CONFLICT)
                }
                Err(refusal) => refused(&app, &ctx, refusal),
            };
        }
        Err(refusal) => return refused(&app, &ctx, refusal),
    };
    let about = Audited::tenant(tenant.id);
    let shown = CredentialsShownPage {
        chrome: chrome_of(&app, &ctx, Some(&tenant)),
        old: access.old.map(|(name, until)| OldUser { name, until }),
        access: Access {
            host: access.host,
            port: access.port,
            database: access.database,
            schema: access.schema,
            user: access.user,
            password: access.password.expose().clone(),
            url: access.url.expose().clone(),
        },
    };
    about.on(page(&app, &ctx, StatusCode::OK, &shown))
}
