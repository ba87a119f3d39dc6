//! Every route, each behind its guard, with what all answers have in common.

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;

use crate::guard::guard;
use crate::route::Routes;
use crate::underway::Underway;
use crate::{App, api, forward_auth, infrastructure, site};

/// Every route there is.
pub fn routes() -> Routes {
    api::routes()
        .merge(infrastructure::routes())
        .merge(forward_auth::routes())
        .merge(site::routes())
}

/// The routes behind their guards, with what all answers have in common.
pub(crate) fn router(app: App) -> Router {
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
    let underway = Underway::begin(&app, request.method());
    request.extensions_mut().insert(underway.id);
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let response = next.run(request).await;
    underway.finish(&app, matched.as_ref().map(MatchedPath::as_str), response)
}
