//! How the parts and the tenants are.

use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use tenantry_core::finding::FindingCode;
use tenantry_service::Service;
use tenantry_service::health::PartState;

use super::kinds::{Amount, Labelled, registered, set};

pub(super) struct State {
    /// Parts are few: each cluster that an operator added is one.
    parts: Labelled<String, Gauge>,
    open_databases: Amount,
    incomplete: Amount,
    findings: Labelled<&'static str, Gauge>,
}

impl State {
    pub(super) fn registered(registry: &mut Registry) -> Self {
        Self {
            parts: registered(
                registry,
                "part_up",
                "Whether a part worked (1) or not (0) when it was last looked at: the control database, mail, Redis, each cluster",
            ),
            open_databases: registered(
                registry,
                "open_tenant_databases",
                "Tenant databases open now",
            ),
            incomplete: registered(
                registry,
                "tenants_incomplete",
                "Tenants whose making failed, stands still or takes too long",
            ),
            findings: registered(
                registry,
                "findings",
                "What the last comparison of every tenant found, by kind",
            ),
        }
    }

    pub(super) fn read(&self, service: &Service) {
        // A cluster that was removed is no part any more.
        self.parts.clear();
        for part in service.parts_last_seen() {
            let up = part.state == PartState::Up;
            let named = [("part", part.name)];
            self.parts.get_or_create(&named).set(i64::from(up));
        }
        set(&self.open_databases, service.gauges().open_tenant_databases);
        let overview = service.overview();
        set(&self.incomplete, overview.incomplete);
        // Every kind has its series from the start, so that the first finding is a change of one.
        for code in FindingCode::ALL {
            let found = overview.findings.iter().find(|(found, _)| found == code);
            self.findings
                .get_or_create(&[("code", code.as_str())])
                .set(found.map_or(0, |(_, count)| *count));
        }
    }
}
