//! The kinds of numbers there are, made and registered in one go.

use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge;
use prometheus_client::registry::{Metric, Registry};

/// How many of something there are now.
pub(super) type Amount = gauge::Gauge<u64, AtomicU64>;

/// A number for each value of one label.
pub(super) type Labelled<V, M> = Family<[(&'static str, V); 1], M>;

/// A number of a kind, registered.
pub(super) fn registered<M: Metric + Clone + Default>(
    registry: &mut Registry,
    name: &str,
    help: &str,
) -> M {
    let number = M::default();
    registry.register(name, help, number.clone());
    number
}

/// Notes how many there are.
pub(super) fn set(amount: &Amount, count: usize) {
    amount.set(u64::try_from(count).unwrap_or(u64::MAX));
}

/// Counts by a label that has few values.
pub(super) struct Counts {
    label: &'static str,
    numbers: Labelled<&'static str, Counter>,
}

impl Counts {
    pub(super) fn registered(
        registry: &mut Registry,
        label: &'static str,
        name: &str,
        help: &str,
    ) -> Self {
        let numbers = registered(registry, name, help);
        Self { label, numbers }
    }

    /// Each of these has its series from the start, so that the first one is a change of it.
    pub(super) fn with_zeros(self, values: impl IntoIterator<Item = &'static str>) -> Self {
        for value in values {
            drop(self.numbers.get_or_create(&[(self.label, value)]));
        }
        self
    }

    /// One more.
    pub(super) fn add(&self, value: &'static str) {
        self.numbers.get_or_create(&[(self.label, value)]).inc();
    }

    /// As many as were counted elsewhere.
    pub(super) fn set(&self, value: &'static str, count: u64) {
        let counter = self.numbers.get_or_create(&[(self.label, value)]);
        counter.inner().store(count, Ordering::Relaxed);
    }
}
