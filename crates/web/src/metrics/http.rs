//! Requests and how long their answers took.

use std::collections::HashSet;
use std::time::Duration;

use axum::http::Method;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::{Registry, Unit};

use super::durations::Durations;
use crate::forward_auth::FORWARD_AUTH;

/// Every value is there from the start: counting takes no memory.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Answered {
    method: &'static str,
    route: &'static str,
    status: u16,
}

/// A method as a label. Clients can invent methods (RFC 9110, section 9.1), and each would be a
/// series that never ends.
fn label(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}

pub(super) struct Http {
    requests: Family<Answered, Counter>,
    passed_on: Counter,
    durations: Durations,
    paths: HashSet<&'static str>,
}

impl Http {
    pub(super) fn registered(
        registry: &mut Registry,
        paths: impl Iterator<Item = &'static str>,
    ) -> Self {
        let requests = Family::default();
        let durations = Durations::default();
        registry.register(
            "http_requests",
            "Requests answered, by route and status",
            Family::clone(&requests),
        );
        registry.register_with_unit(
            "http_request_duration",
            "How long answers took",
            Unit::Seconds,
            durations.clone(),
        );
        let passed_on = requests.get_or_create_owned(&Answered {
            method: "GET",
            route: FORWARD_AUTH,
            status: 200,
        });
        Self {
            requests,
            passed_on,
            durations,
            paths: paths.collect(),
        }
    }

    pub(super) fn answered(
        &self,
        method: &Method,
        path: Option<&str>,
        status: u16,
        took: Duration,
    ) {
        let route = path.and_then(|path| self.paths.get(path));
        let answered = Answered {
            method: label(method),
            route: route.copied().unwrap_or("unmatched"),
            status,
        };
        self.requests.get_or_create(&answered).inc();
        self.durations.observe(took);
    }

    /// Counts a request that a proxy may let through: the same, without looking for its counter.
    pub(super) fn passed_on(&self, took: Duration) {
        self.passed_on.inc();
        self.durations.observe(took);
    }
}
