//! Errors, as pages.

use axum::extract::State;
use axum::http::Uri;
use axum::response::{IntoResponse, Response};

use crate::App;
use crate::context::Ctx;
use crate::problem::{Failure, Told, respond};

/// A failure as a page.
pub(crate) fn page(_app: &App, _ctx: Option<&Ctx>, told: &Told) -> Response {
    (told.status, told.detail.clone()).into_response()
}

/// There is no such path.
pub(crate) async fn no_such_path(State(app): State<App>, uri: Uri) -> Response {
    let _ = uri;
    respond(&app, None, Failure::NoSuchPath)
}

/// The path has no such method.
pub(crate) async fn method_not_allowed(State(app): State<App>) -> Response {
    respond(&app, None, Failure::MethodNotAllowed)
}
