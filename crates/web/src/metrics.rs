//! Numbers for Prometheus (`OpenMetrics` text). No label grows with tenants or people.
//!
//! What happens in HTTP is counted here as it happens. Everything else is counted where it happens
//! and only read here, when somebody asks.

mod audit;
mod durations;
mod facts;
mod http;
mod kinds;
mod people;
mod state;

use std::time::Duration;

use axum::http::Method;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use tenantry_core::audit::Outcome;
use tenantry_service::signin::SignedIn;
use tenantry_service::{Refusal, Service};

/// The numbers.
pub(crate) struct Metrics {
    registry: Registry,
    http: http::Http,
    people: people::People,
    facts: facts::Facts,
    state: state::State,
    audit: audit::Audit,
}

impl Metrics {
    /// For a router with these paths.
    pub(crate) fn new(paths: impl Iterator<Item = &'static str>) -> Self {
        let mut registry = Registry::with_prefix("tenantry");
        Self {
            http: http::Http::registered(&mut registry, paths),
            people: people::People::registered(&mut registry),
            facts: facts::Facts::registered(&mut registry),
            state: state::State::registered(&mut registry),
            audit: audit::Audit::registered(&mut registry),
            registry,
        }
    }

    /// Counts an act that left an entry in the audit.
    pub(crate) fn audited(&self, outcome: Outcome) {
        self.audit.acted(outcome);
    }

    /// Counts an answer; `path` is the route's, where the request met one.
    pub(crate) fn answered(
        &self,
        method: &Method,
        path: Option<&str>,
        status: u16,
        took: Duration,
    ) {
        self.http.answered(method, path, status, took);
    }

    /// Counts a request that a proxy may let through.
    pub(crate) fn passed_on(&self, took: Duration) {
        self.http.passed_on(took);
    }

    /// Counts a try to sign in.
    pub(crate) fn signed_in(&self, outcome: &Result<SignedIn, Refusal>) {
        self.people.signed_in(outcome);
    }

    /// All of it as text.
    pub(crate) fn render(&self, service: &Service) -> String {
        self.people.read(service);
        self.facts.read(service);
        self.state.read(service);
        self.audit.read(service);
        let mut text = String::new();
        // Writing to a String does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
