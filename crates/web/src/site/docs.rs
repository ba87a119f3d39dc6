//! The API's description for people.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;

use super::chrome::chrome_of;
use super::page;
use crate::App;
use crate::context::Ctx;
use crate::pages::docs::DocsPage;
use crate::pages::paths;
use crate::route::{Audience, Route, Routes};

pub(super) fn routes() -> Routes {
    Routes::default().add(Route::page(paths::DOCS, Audience::Public), get(docs))
}

async fn docs(State(app): State<App>, ctx: Ctx) -> Response {
    let chrome = chrome_of(&app, &ctx, None);
    page(
        &app,
        &ctx,
        StatusCode::OK,
        &DocsPage::from_openapi(chrome, &app.openapi, &app.service.issuer()),
    )
}
