//! HTTP: the API, the pages, and what machines ask.
//!
//! The only crate that knows HTTP and HTML. Owns no rule about tenants or people: a handler takes
//! a request apart, calls one use case and shows what came of it. What a route may be asked by
//! whom is declared with the route and enforced by the guard in front of it.

mod agent;
mod answer;
pub mod api;
pub mod assets;
mod audit;
mod context;
mod cookies;
mod extract;
mod forward_auth;
mod front;
mod guard;
mod host;
pub mod i18n;
mod idempotency;
mod infrastructure;
mod metrics;
pub mod openapi;
pub mod pages;
pub mod problem;
pub mod route;
mod router;
mod serve;
mod site;
mod underway;
mod upload;

use std::net::IpAddr;
use std::ops::Deref;
use std::sync::Arc;

use axum::http::HeaderValue;
use ipnet::IpNet;
use tenantry_service::Service;

use crate::cookies::Cookies;
pub use crate::front::Front;
use crate::metrics::Metrics;
pub use crate::router::routes;
pub use crate::serve::serve;
use crate::underway::RequestIds;

/// What an operator decides about HTTP.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Proxies whose forwarded headers count.
    pub trusted_proxies: Vec<IpNet>,
}

impl Options {
    fn is_trusted(&self, ip: IpAddr) -> bool {
        self.trusted_proxies.iter().any(|net| net.contains(&ip))
    }
}

/// What every handler can reach. Handed on by reference: several layers of each request hold it.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// What every handler can reach.
pub struct Parts {
    service: Service,
    options: Options,
    metrics: Metrics,
    request_ids: RequestIds,
    openapi: serde_json::Value,
    secure: bool,
    content_security_policy: HeaderValue,
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl App {
    /// The pages and the API over the use cases.
    pub fn new(service: Service, options: Options) -> Self {
        let secure = service.settings().public_url.scheme() == "https";
        let policy = HeaderValue::try_from(assets::content_security_policy(""));
        // The policy is ours and ASCII; were it not, nothing at all may be loaded.
        let content_security_policy =
            policy.unwrap_or(HeaderValue::from_static("default-src 'none'"));
        let routes = routes();
        let paths = routes.declarations().map(|route| route.path);
        let metrics = Metrics::new(paths.chain(site::assets::PATHS));
        Self(Arc::new(Parts {
            request_ids: RequestIds::new(service.entropy()),
            service,
            options,
            metrics,
            openapi: openapi::describe(&routes),
            secure,
            content_security_policy,
        }))
    }

    fn cookies(&self) -> Cookies {
        Cookies {
            secure: self.secure,
        }
    }
}
