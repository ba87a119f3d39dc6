//! The audit.

use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use tenantry_core::audit::Outcome;
use tenantry_service::Service;

use super::kinds::{Counts, registered};

pub(super) struct Audit {
    acts: Counts,
    unsealed: Gauge,
}

impl Audit {
    pub(super) fn registered(registry: &mut Registry) -> Self {
        Self {
            acts: Counts::registered(
                registry,
                "outcome",
                "audit_entries",
                "Entries that requests left in the audit, by how the act ended",
            )
            .with_zeros(Outcome::ALL.iter().map(|outcome| outcome.as_str())),
            unsealed: registered(
                registry,
                "audit_unsealed",
                "Entries of the audit that had no place in its chain when it was last looked at",
            ),
        }
    }

    pub(super) fn acted(&self, outcome: Outcome) {
        self.acts.add(outcome.as_str());
    }

    pub(super) fn read(&self, service: &Service) {
        self.unsealed.set(service.unsealed_entries());
    }
}
