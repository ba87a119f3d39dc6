//! Errors, as pages.

use askama::Template as _;
use axum::extract::{Request, State};
use axum::http::header;
use axum::response::{Html, IntoResponse, Response};

use super::chrome::chrome;
use crate::App;
use crate::context::Ctx;
use crate::guard::bare;
use crate::pages::error::ErrorPage;
use crate::problem::{Failure, Told, respond};
use crate::route::Surface;

/// A failure as a page.
pub(crate) fn page(app: &App, ctx: &Ctx, told: &Told) -> Response {
    let shown = ErrorPage {
        chrome: chrome(app, ctx),
        code: told.code,
        signed_out: ctx.stale,
        wait: told.retry_after,
        request_id: ctx.request_id.to_string(),
    };
    match shown.render() {
        Ok(html) => (told.status(), Html(html)).into_response(),
        Err(_) => told.status().into_response(),
    }
}

/// There is no such path.
pub(crate) async fn no_such_path(State(app): State<App>, request: Request) -> Response {
    unrouted(&app, &request, Failure::NoSuchPath)
}

/// The path has no such method.
pub(crate) async fn method_not_allowed(State(app): State<App>, request: Request) -> Response {
    unrouted(&app, &request, Failure::MethodNotAllowed)
}

/// Refuses a request that no route took. Programs ask below `/api`; elsewhere it is a person if a
/// page is what the client would rather have.
pub(super) fn unrouted(app: &App, request: &Request, failure: Failure) -> Response {
    let accepts = request
        .headers()
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let page = !request.uri().path().starts_with("/api/") && accepts.contains("text/html");
    let surface = if page { Surface::Page } else { Surface::Api };
    respond(app, Some(&bare(app, surface, request)), failure)
}
