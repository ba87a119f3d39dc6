//! The whole of HTTP: what every request meets first.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::http::Method;
use axum::response::Response;
use tower::ServiceExt as _;

use crate::App;
use crate::forward_auth::{self, FORWARD_AUTH};
use crate::guard::Asked;
use crate::route::Route;
use crate::router::router;
use crate::underway::Underway;

/// The routes, and before them what is asked most.
#[derive(Clone)]
pub struct Front(Arc<Inner>);

struct Inner {
    app: App,
    forward_auth: Route,
    router: Router,
}

impl Front {
    /// All there is.
    pub fn new(app: App) -> Self {
        Self(Arc::new(Inner {
            router: router(app.clone()),
            forward_auth: forward_auth::route(),
            app,
        }))
    }

    /// Answers a request that came over a connection from `peer`.
    pub async fn answer(&self, mut request: Request, peer: SocketAddr) -> Response {
        let Inner {
            app,
            forward_auth: route,
            router,
        } = &*self.0;
        if request.method() == Method::GET && request.uri().path() == FORWARD_AUTH {
            let underway = Underway::begin(app, &request);
            let asked = Asked {
                id: underway.id,
                peer: Some(peer),
            };
            let response = forward_auth::verify(app, route, request.into_parts().0, asked).await;
            return underway.finish(app, Some(FORWARD_AUTH), response);
        }
        request.extensions_mut().insert(ConnectInfo(peer));
        // Boxed, as else every request would carry room for the whole of it.
        let answering = Box::pin(router.clone().oneshot(request));
        answering.await.unwrap_or_else(|never| match never {})
    }
}
