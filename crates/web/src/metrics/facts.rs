//! What requests are judged by: how often memory answers, and how changes get there.

use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};
use tenantry_service::Service;
use tenantry_service::facts::BOUND;
use tenantry_service::nodes::Channel;

use super::kinds::{Amount, Counts, Labelled, registered, set};

pub(super) struct Facts {
    lookups: Counts,
    evictions: Counter,
    kept: Amount,
    changes: Counts,
    heard: Labelled<&'static str, Gauge>,
    verified: Counter,
}

impl Facts {
    pub(super) fn registered(registry: &mut Registry) -> Self {
        let bound = Gauge::<f64, AtomicU64>::default();
        bound.set(BOUND.as_secs_f64());
        registry.register_with_unit(
            "facts_staleness_bound",
            "For how long a fact counts at the longest after it changed, whoever changed it",
            Unit::Seconds,
            bound,
        );
        Self {
            lookups: Counts::registered(
                registry,
                "outcome",
                "facts_lookups",
                "Looks into what is kept of people and hosts: a hit is answered from memory, a miss was not there, a stale one had changed or was too old; both are read anew",
            ),
            evictions: registered(
                registry,
                "facts_evictions",
                "Facts given up for want of room",
            ),
            kept: registered(registry, "facts_kept", "Facts kept in memory now"),
            changes: Counts::registered(
                registry,
                "origin",
                "changes",
                "Changes that made facts old: made here and told to others, or heard from elsewhere",
            ),
            heard: registered(
                registry,
                "other_nodes_heard",
                "Whether changes of other nodes are heard at once over a channel (1) or only seen at the staleness bound (0)",
            ),
            verified: registered(
                registry,
                "access_tokens_verified",
                "Access tokens whose signature was verified; one that is kept as a fact need not be",
            ),
        }
    }

    pub(super) fn read(&self, service: &Service) {
        let counts = service.fact_counts();
        self.lookups.set("hit", counts.hits);
        self.lookups.set("miss", counts.misses);
        self.lookups.set("stale", counts.stale);
        let evictions = self.evictions.inner();
        evictions.store(counts.evictions, Ordering::Relaxed);
        let verified = self.verified.inner();
        verified.store(counts.verified, Ordering::Relaxed);
        set(&self.kept, counts.kept);
        self.changes.set("here", counts.told);
        self.changes.set("elsewhere", counts.heard);
        // Where there is no such channel there is no series.
        for channel in Channel::ALL {
            if let Some(hears) = service.hears(channel) {
                let heard = self.heard.get_or_create(&[("channel", channel.as_str())]);
                heard.set(i64::from(hears));
            }
        }
    }
}
