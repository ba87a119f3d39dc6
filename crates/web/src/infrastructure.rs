//! What machines ask: health, metrics, keys, the API's description.

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tenantry_core::keys::JWKS_MAX_AGE;
use tenantry_service::health::PartState;

use crate::App;
use crate::route::{Route, Routes};

/// This feature's routes.
pub(crate) fn routes() -> Routes {
    Routes::default()
        .add(
            Route::infrastructure("/healthz", "Whether the process is alive"),
            get(alive),
        )
        .add(
            Route::infrastructure("/readyz", "Whether each part works"),
            get(ready),
        )
        .add(
            Route::infrastructure("/metrics", "Numbers for Prometheus"),
            get(metrics),
        )
        .add(
            Route::infrastructure("/openapi.json", "This description"),
            get(openapi),
        )
        .add(
            Route::infrastructure("/.well-known/jwks.json", "The public keys of access tokens"),
            get(jwks),
        )
}

async fn alive() -> Response {
    axum::Json(serde_json::json!({ "status": "alive" })).into_response()
}

async fn ready(State(app): State<App>) -> Response {
    let parts = app.service.parts_lately().await;
    let worst = |state| parts.iter().any(|part| part.state == state);
    let (status, word) = if worst(PartState::Down) {
        (StatusCode::SERVICE_UNAVAILABLE, "down")
    } else if worst(PartState::Degraded) {
        (StatusCode::OK, "degraded")
    } else {
        (StatusCode::OK, "ready")
    };
    let states: serde_json::Map<String, serde_json::Value> = parts
        .iter()
        .map(|part| {
            let state = match part.state {
                PartState::Up => "up",
                PartState::Degraded => "degraded",
                PartState::Down => "down",
            };
            (part.name.clone(), state.into())
        })
        .collect();
    (
        status,
        axum::Json(serde_json::json!({ "status": word, "parts": states })),
    )
        .into_response()
}

async fn metrics(State(app): State<App>) -> Response {
    let kind =
        HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
    (
        [(header::CONTENT_TYPE, kind)],
        app.metrics.render(&app.service),
    )
        .into_response()
}

async fn openapi(State(app): State<App>) -> Response {
    axum::Json(&app.openapi).into_response()
}

async fn jwks(State(app): State<App>) -> Response {
    let kept = format!("public, max-age={}", JWKS_MAX_AGE.as_secs());
    let headers = [(header::CACHE_CONTROL, kept)];
    (headers, axum::Json(app.service.jwks())).into_response()
}
