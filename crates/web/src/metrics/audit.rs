//! The audit.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use tenantry_core::audit::Outcome;
use tenantry_service::Service;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Audited {
    outcome: &'static str,
}

pub(super) struct Audit {
    acts: Family<Audited, Counter>,
    unsealed: Gauge,
}

impl Audit {
    pub(super) fn registered(registry: &mut Registry) -> Self {
        let audit = Self {
            acts: Family::default(),
            unsealed: Gauge::default(),
        };
        for outcome in Outcome::ALL {
            let outcome = outcome.as_str();
            drop(audit.acts.get_or_create(&Audited { outcome }));
        }
        registry.register(
            "audit_entries",
            "Entries that requests left in the audit, by how the act ended",
            audit.acts.clone(),
        );
        registry.register(
            "audit_unsealed",
            "Entries of the audit that had no place in its chain when it was last looked at",
            audit.unsealed.clone(),
        );
        audit
    }

    pub(super) fn acted(&self, outcome: Outcome) {
        let outcome = outcome.as_str();
        self.acts.get_or_create(&Audited { outcome }).inc();
    }

    pub(super) fn read(&self, service: &Service) {
        self.unsealed.set(service.unsealed_entries());
    }
}
