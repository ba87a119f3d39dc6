//! The front page: a tenant's host leads to its sign-in or dashboard, the platform's says what it is.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;

use super::chrome::chrome;
use super::{page, see_other};
use crate::App;
use crate::context::Ctx;
use crate::pages::home::HomePage;
use crate::pages::paths;
use crate::route::{Audience, Route, Routes};

pub(super) fn routes() -> Routes {
    Routes::default().add(Route::page("/", Audience::Public), get(home))
}

async fn home(State(app): State<App>, ctx: Ctx) -> Response {
    if ctx.principal.is_some() {
        return see_other(paths::DASHBOARD);
    }
    if ctx.tenant.id().is_some() {
        return see_other(paths::LOGIN);
    }
    page(
        &app,
        &ctx,
        StatusCode::OK,
        &HomePage {
            chrome: chrome(&app, &ctx),
            signup: app.service.expect_signup().is_ok(),
        },
    )
}
