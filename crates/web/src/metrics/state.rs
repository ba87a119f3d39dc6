//! How the parts and the tenants are.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use tenantry_core::finding::FindingCode;
use tenantry_service::Service;
use tenantry_service::health::PartState;

/// Parts are few: each cluster that an operator added is one.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Named {
    part: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Found {
    code: &'static str,
}

pub(super) struct State {
    parts: Family<Named, Gauge>,
    open_databases: Gauge<u64, AtomicU64>,
    incomplete: Gauge<u64, AtomicU64>,
    findings: Family<Found, Gauge>,
}

impl State {
    pub(super) fn registered(registry: &mut Registry) -> Self {
        let state = Self {
            parts: Family::default(),
            open_databases: Gauge::default(),
            incomplete: Gauge::default(),
            findings: Family::default(),
        };
        registry.register(
            "part_up",
            "Whether a part worked (1) or not (0) when it was last looked at: the control database, mail, Redis, each cluster",
            state.parts.clone(),
        );
        registry.register(
            "open_tenant_databases",
            "Tenant databases open now",
            state.open_databases.clone(),
        );
        registry.register(
            "tenants_incomplete",
            "Tenants whose making failed, stands still or takes too long",
            state.incomplete.clone(),
        );
        registry.register(
            "findings",
            "What the last comparison of every tenant found, by kind",
            state.findings.clone(),
        );
        state
    }

    pub(super) fn read(&self, service: &Service) {
        // A cluster that was removed is no part any more.
        self.parts.clear();
        for part in service.parts_last_seen() {
            let up = part.state == PartState::Up;
            let named = Named { part: part.name };
            self.parts.get_or_create(&named).set(i64::from(up));
        }
        let open = service.gauges().open_tenant_databases;
        self.open_databases
            .set(u64::try_from(open).unwrap_or(u64::MAX));
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
    }
}
