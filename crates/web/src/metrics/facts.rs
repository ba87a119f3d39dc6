//! What requests are judged by: how often memory answers, and how changes get there.

use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};
use tenantry_service::Service;
use tenantry_service::facts::BOUND;
use tenantry_service::nodes::Channel;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct LookedUp {
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Changed {
    origin: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Carried {
    channel: &'static str,
}

pub(super) struct Facts {
    lookups: Family<LookedUp, Counter>,
    evictions: Counter,
    kept: Gauge<u64, AtomicU64>,
    changes: Family<Changed, Counter>,
    heard: Family<Carried, Gauge>,
}

impl Facts {
    pub(super) fn registered(registry: &mut Registry) -> Self {
        let facts = Self {
            lookups: Family::default(),
            evictions: Counter::default(),
            kept: Gauge::default(),
            changes: Family::default(),
            heard: Family::default(),
        };
        registry.register(
            "facts_lookups",
            "Looks into what is kept of people and hosts: a hit is answered from memory, a miss was not there, a stale one had changed or was too old; both are read anew",
            facts.lookups.clone(),
        );
        registry.register(
            "facts_evictions",
            "Facts given up for want of room",
            facts.evictions.clone(),
        );
        registry.register("facts_kept", "Facts kept in memory now", facts.kept.clone());
        let bound = Gauge::<f64, AtomicU64>::default();
        bound.set(BOUND.as_secs_f64());
        registry.register_with_unit(
            "facts_staleness_bound",
            "For how long a fact counts at the longest after it changed, whoever changed it",
            Unit::Seconds,
            bound,
        );
        registry.register(
            "changes",
            "Changes that made facts old: made here and told to others, or heard from elsewhere",
            facts.changes.clone(),
        );
        registry.register(
            "other_nodes_heard",
            "Whether changes of other nodes are heard at once over a channel (1) or only seen at the staleness bound (0)",
            facts.heard.clone(),
        );
        facts
    }

    pub(super) fn read(&self, service: &Service) {
        let counts = service.fact_counts();
        for (outcome, count) in [
            ("hit", counts.hits),
            ("miss", counts.misses),
            ("stale", counts.stale),
        ] {
            let counter = self.lookups.get_or_create(&LookedUp { outcome });
            counter.inner().store(count, Ordering::Relaxed);
        }
        let evictions = self.evictions.inner();
        evictions.store(counts.evictions, Ordering::Relaxed);
        self.kept
            .set(u64::try_from(counts.kept).unwrap_or(u64::MAX));
        for (origin, count) in [("here", counts.told), ("elsewhere", counts.heard)] {
            let counter = self.changes.get_or_create(&Changed { origin });
            counter.inner().store(count, Ordering::Relaxed);
        }
        // Where there is no such channel there is no series.
        for channel in Channel::ALL {
            if let Some(hears) = service.hears(channel) {
                let channel = channel.as_str();
                let heard = self.heard.get_or_create(&Carried { channel });
                heard.set(i64::from(hears));
            }
        }
    }
}
