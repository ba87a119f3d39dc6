//! Style sheets, fonts and the one script, from the program itself; and tenants' logos.

mod logo;

use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::error::unrouted;
use crate::App;
use crate::assets::{self, CACHE_CONTROL};
use crate::problem::Failure;

/// The paths of assets.
pub(crate) const PATHS: [&str; 2] = [ASSET, logo::PATH];

const ASSET: &str = "/assets/{*path}";

/// Assets are no routes in the census: they are the same for everybody and know nobody.
pub(crate) fn router() -> Router<App> {
    Router::new().route(ASSET, get(asset)).merge(logo::router())
}

async fn asset(
    State(app): State<App>,
    path: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    let Ok(Path(path)) = path else {
        return unrouted(&app, &request, Failure::Malformed("the path is not UTF-8"));
    };
    let Some(asset) = assets::find(&path) else {
        return unrouted(&app, &request, Failure::NoSuchPath);
    };
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static(asset.content_type),
        ),
        // The address changes with the content.
        (
            header::CACHE_CONTROL,
            HeaderValue::from_static(CACHE_CONTROL),
        ),
    ];
    (headers, asset.body).into_response()
}
