//! What machines ask: health, metrics, keys, the API's description, forward-auth.

use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tenantry_service::health::PartState;
use tenantry_service::signin::Person;

use crate::App;
use crate::answer::answer;
use crate::context::Ctx;
use crate::route::{Audience, Doc, Route, Routes, Surface, TenantRule};
use crate::router::FORWARD_AUTH;

/// This feature's routes.
pub(crate) fn routes() -> Routes {
    let summary = "Forward-auth for a proxy: who sends a request, as headers; else 401";
    let mut verify = Route::infrastructure(FORWARD_AUTH, summary);
    verify.audience = Audience::SignedIn;
    verify.tenant = TenantRule::Optional;
    verify.surface = Surface::ForwardAuth;
    verify.direct = true;
    verify.doc =
        Some(Doc::new(summary, 200).refuses(&["authentication_required", "session_stale"]));
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
        .add(verify, get(forward_auth))
}

async fn alive() -> Response {
    axum::Json(serde_json::json!({ "status": "alive" })).into_response()
}

async fn ready(State(app): State<App>) -> Response {
    let parts = app.service.parts().await;
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
            if let Some(detail) = &part.detail {
                tracing::warn!(part = part.name, detail, "a part does not work");
            }
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
    let headers = [(
        header::CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=300"),
    )];
    (headers, axum::Json(app.service.jwks())).into_response()
}

async fn forward_auth(State(app): State<App>, ctx: Ctx) -> Response {
    let outcome = ctx.principal().map(|principal| {
        let mut headers = Vec::with_capacity(6);
        let mut add = |name: &'static str, value: String| {
            // Ids, slugs, numbers and roles are ASCII; an address in UTF-8 goes as it is.
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.push((HeaderName::from_static(name), value));
            }
        };
        match &principal.person {
            Person::User { ctx, user } => {
                add("x-tenant-id", ctx.id().to_string());
                add("x-tenant-slug", ctx.tenant().slug.to_string());
                add("x-tenant-generation", ctx.generation().to_string());
                add("x-user-id", user.id.to_string());
                add("x-user-email", user.email.to_string());
            }
            Person::Admin(admin) => {
                add("x-user-id", admin.id.to_string());
                add("x-user-email", admin.email.to_string());
            }
        }
        add("x-user-role", principal.role().to_string());
        let mut response = StatusCode::OK.into_response();
        response.headers_mut().extend(headers);
        response
    });
    answer(&app, &ctx, outcome)
}
