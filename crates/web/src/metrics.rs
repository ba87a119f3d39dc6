//! Numbers for Prometheus (`OpenMetrics` text). No label grows with tenants or people.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;
use tenantry_core::audit;
use tenantry_core::finding::FindingCode;
use tenantry_service::signin::SignedIn;
use tenantry_service::{Refusal, Service};

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Answered {
    method: String,
    route: String,
    status: u16,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Tried {
    outcome: Outcome,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelValue)]
enum Outcome {
    SignedIn,
    Choose,
    Wrong,
    RateLimited,
    Busy,
    Other,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct LookedUp {
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Audited {
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Found {
    code: &'static str,
}

/// A method as a label. Clients can invent methods (RFC 9110, section 9.1), and each would be a
/// series that never ends.
fn label(method: &str) -> &str {
    match method {
        "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS" => method,
        _ => "other",
    }
}

/// The numbers.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Answered, Counter>,
    durations: Histogram,
    sign_ins: Family<Tried, Counter>,
    open_databases: Gauge<u64, AtomicU64>,
    password_queue: Gauge<u64, AtomicU64>,
    breach_looks: Family<LookedUp, Counter>,
    incomplete: Gauge<u64, AtomicU64>,
    findings: Family<Found, Gauge>,
    acts: Family<Audited, Counter>,
    unsealed: Gauge,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("tenantry");
        let requests = Family::default();
        let durations = Histogram::new(exponential_buckets(0.000_25, 2.0, 16));
        let sign_ins = Family::default();
        let open_databases = Gauge::default();
        let password_queue = Gauge::default();
        let breach_looks = Family::default();
        let incomplete = Gauge::default();
        let findings = Family::default();
        let acts = Family::default();
        let unsealed = Gauge::default();
        registry.register(
            "http_requests",
            "Requests answered, by route and status",
            Family::clone(&requests),
        );
        registry.register(
            "http_request_duration_seconds",
            "How long answers took",
            durations.clone(),
        );
        registry.register(
            "sign_ins",
            "Sign-ins with a password, by how they ended",
            Family::clone(&sign_ins),
        );
        registry.register(
            "open_tenant_databases",
            "Tenant databases open now",
            open_databases.clone(),
        );
        registry.register(
            "password_queue",
            "Passwords waiting to be hashed",
            password_queue.clone(),
        );
        registry.register(
            "password_breach_looks",
            "New passwords looked up among stolen ones, by how it ended; those that failed were allowed",
            Family::clone(&breach_looks),
        );
        registry.register(
            "tenants_incomplete",
            "Tenants whose making failed, stands still or takes too long",
            incomplete.clone(),
        );
        registry.register(
            "findings",
            "What the last comparison of every tenant found, by kind",
            Family::clone(&findings),
        );
        registry.register(
            "audit_entries",
            "Entries that requests left in the audit, by how the act ended",
            Family::clone(&acts),
        );
        registry.register(
            "audit_unsealed",
            "Entries of the audit that had no place in its chain when it was last looked at",
            unsealed.clone(),
        );
        Self {
            registry,
            requests,
            durations,
            sign_ins,
            open_databases,
            password_queue,
            breach_looks,
            incomplete,
            findings,
            acts,
            unsealed,
        }
    }

    pub(crate) fn audited(&self, outcome: audit::Outcome) {
        let outcome = outcome.as_str();
        self.acts.get_or_create(&Audited { outcome }).inc();
    }

    pub(crate) fn answered(&self, method: &str, route: &str, status: u16, took: Duration) {
        let labels = Answered {
            method: label(method).to_owned(),
            route: route.to_owned(),
            status,
        };
        self.requests.get_or_create(&labels).inc();
        self.durations.observe(took.as_secs_f64());
    }

    pub(crate) fn signed_in(&self, outcome: &Result<SignedIn, Refusal>) {
        let outcome = match outcome {
            Ok(SignedIn::Yes(_)) => Outcome::SignedIn,
            Ok(SignedIn::Choose { .. }) => Outcome::Choose,
            Err(Refusal::InvalidCredentials) => Outcome::Wrong,
            Err(Refusal::RateLimited(_)) => Outcome::RateLimited,
            Err(Refusal::Busy(_)) => Outcome::Busy,
            Err(_) => Outcome::Other,
        };
        self.sign_ins.get_or_create(&Tried { outcome }).inc();
    }

    pub(crate) fn render(&self, service: &Service) -> String {
        let gauges = service.gauges();
        self.open_databases
            .set(u64::try_from(gauges.open_tenant_databases).unwrap_or(u64::MAX));
        self.password_queue
            .set(u64::try_from(gauges.password_queue).unwrap_or(u64::MAX));
        let looks = service.breach_looks();
        for (outcome, count) in [
            ("found", looks.found),
            ("not_found", looks.not_found),
            ("failed", looks.failed),
        ] {
            let counter = self.breach_looks.get_or_create(&LookedUp { outcome });
            counter.inner().store(count, Ordering::Relaxed);
        }
        self.unsealed.set(service.unsealed_entries());
        let overview = service.overview();
        self.incomplete
            .set(u64::try_from(overview.incomplete).unwrap_or(u64::MAX));
        // Every kind has its series from the start, so that the first finding is a change of one.
        for code in FindingCode::ALL {
            let found = overview.findings.iter().find(|(found, _)| found == code);
            let labels = Found {
                code: code.as_str(),
            };
            self.findings
                .get_or_create(&labels)
                .set(found.map_or(0, |(_, count)| *count));
        }
        let mut text = String::new();
        // Writing to a String does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
