//! Every route, each behind its guard, with what all answers have in common.

use std::time::Instant;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use uuid::Uuid;

use crate::guard::{RequestId, guard};
use crate::route::Routes;
use crate::{App, api, infrastructure, site};

/// Where a proxy asks whether to let a request through.
pub(crate) const FORWARD_AUTH: &str = "/auth/verify";

/// Every route there is.
pub fn routes() -> Routes {
    api::routes()
        .merge(infrastructure::routes())
        .merge(site::routes())
}

/// The whole of HTTP.
pub fn router(app: App) -> Router {
    let mut router = Router::new();
    for (route, handler) in routes().into_list() {
        let guarded = handler.layer(middleware::from_fn_with_state((app.clone(), route), guard));
        router = router.route(route.path, guarded);
    }
    router
        .merge(site::assets::router())
        .fallback(site::error::no_such_path)
        .method_not_allowed_fallback(site::error::method_not_allowed)
        .layer(middleware::from_fn_with_state(app.clone(), around))
        .with_state(app)
}

/// What every answer has in common: an id, headers, a line in the log, numbers.
async fn around(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let id = request_id(&app);
    request.extensions_mut().insert(RequestId(id.clone()));
    let method = request.method().clone();
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let matched = matched.as_ref().map(MatchedPath::as_str);
    let path = matched.unwrap_or("unmatched");
    let mut response = next.run(request).await;
    let status = response.status();
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value: &'static str| {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    };
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "no-referrer");
    set(header::X_FRAME_OPTIONS, "DENY");
    set(
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    );
    set(header::CACHE_CONTROL, "no-store");
    response
        .headers_mut()
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert_with(|| app.content_security_policy.clone());
    if let Ok(value) = HeaderValue::try_from(&id) {
        response
            .headers_mut()
            .insert(HeaderName::from_static("x-request-id"), value);
    }
    let took = begun.elapsed();
    app.metrics
        .answered(&method, matched, status.as_u16(), took);
    let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    // A proxy asks with each request that it lets through, and logs that one itself.
    if path == FORWARD_AUTH && status.is_success() {
        tracing::debug!(request.id = id, http.method = %method, http.route = path, http.status = status.as_u16(), took_us, "answered");
    } else {
        tracing::info!(request.id = id, http.method = %method, http.route = path, http.status = status.as_u16(), took_us, "answered");
    }
    response
}

/// An id to find a request again by. Always ours: a client's own would let it write into our logs.
fn request_id(app: &App) -> String {
    let millis = u64::try_from(app.service.clock().now().micros() / 1000).unwrap_or(0);
    let id = uuid::Builder::from_unix_timestamp_millis(millis, &app.service.entropy().bytes())
        .into_uuid();
    Uuid::to_string(&id)
}
