//! Tenants' logos. The address holds a digest of the image, so that it never changes its content and
//! tells nothing to somebody who has not seen the logo; it is the same at every host.

use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tenantry_core::logo::LogoTag;

use super::unrouted;
use crate::App;
use crate::assets::{CACHE_CONTROL, IMAGE_POLICY};
use crate::problem::Failure;

pub(super) const PATH: &str = "/assets/tenant/logo/{tag}";

pub(super) fn router() -> Router<App> {
    Router::new().route(PATH, get(logo))
}

async fn logo(
    State(app): State<App>,
    tag: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    let tag = tag.ok().and_then(|Path(tag)| tag.parse::<LogoTag>().ok());
    let Some(tag) = tag else {
        return unrouted(&app, &request, Failure::NoSuchPath);
    };
    let etag = format!("\"{tag}\"");
    let found = app.service.find_logo(tag).await;
    let logo = match found {
        Ok(Some(logo)) => logo,
        Ok(None) => return unrouted(&app, &request, Failure::NoSuchPath),
        Err(refusal) => return unrouted(&app, &request, refusal.into()),
    };
    let mut response = if has(&request, &etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let kind = HeaderValue::from_static(logo.kind.as_str());
        ([(header::CONTENT_TYPE, kind)], logo.body).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static(CACHE_CONTROL),
    );
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(IMAGE_POLICY),
    );
    if let Ok(value) = HeaderValue::try_from(etag) {
        headers.insert(header::ETAG, value);
    }
    response
}

/// Whether the browser has it already (RFC 9110, section 13.1.2).
fn has(request: &Request, etag: &str) -> bool {
    let values = request.headers().get_all(header::IF_NONE_MATCH).iter();
    values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|known| known.trim().trim_start_matches("W/") == etag)
}
