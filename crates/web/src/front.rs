//! The whole of HTTP: what every request meets first.

use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::ConnectInfo;
use axum::http::{Method, Request};
use axum::response::Response;
use axum::{BoxError, Router};
use futures_util::FutureExt as _;
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
    pub async fn answer<B>(&self, request: Request<B>, peer: SocketAddr) -> Response
    where
        B: HttpBody<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        let Inner {
            app,
            forward_auth: route,
            router,
        } = &*self.0;
        if request.method() == Method::GET && request.uri().path() == FORWARD_AUTH {
            let underway = Underway::begin(app, request.method());
            let asked = Asked {
                id: underway.id,
                peer: Some(peer),
            };
            let parts = request.into_parts().0;
            let verifying = pin!(forward_auth::verify(app, route, parts, asked));
            // What breaks off is this request's trouble, not that of the others on its connection. A task
            // of its own, as handlers have, would cost more than all of it.
            let verified = AssertUnwindSafe(verifying).catch_unwind().await;
            let response = verified.unwrap_or_else(|_| forward_auth::broken_off(app, asked));
            return underway.finish(app, Some(FORWARD_AUTH), response);
        }
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        // Boxed, as else every request would carry room for the whole of it.
        let answering = Box::pin(router.clone().oneshot(request));
        answering.await.unwrap_or_else(|never| match never {})
    }
}
