//! Things that were read, each with the marks of what it depends on.

use std::hash::Hash;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use quick_cache::sync::Cache;
use quick_cache::{DefaultHashBuilder, Equivalent, Lifecycle, UnitWeighter};
use tenantry_core::marks::{Seen, Topic};
use tenantry_store::Changes;

use super::{BOUND, Counts, WARM};
use crate::moment::Moment;

/// When something is read and what was known to have changed by then: taken before reading.
pub(crate) struct Taken<const N: usize> {
    at: Moment,
    seen: Seen<N>,
}

/// Something that was read.
pub(crate) struct Kept<T, const N: usize> {
    value: T,
    taken: Taken<N>,
    /// Whether somebody reads it anew already.
    renewing: AtomicBool,
}

impl<T, const N: usize> Deref for Kept<T, N> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// What is known of a key.
pub(crate) enum Found<T, const N: usize> {
    /// It counts.
    Fresh {
        /// It.
        value: Arc<Kept<T, N>>,
        /// Whether the caller is to read it anew, beside the request.
        renew: bool,
    },
    /// It was so once, and has to be read anew.
    Old(Arc<Kept<T, N>>),
    /// Nothing.
    Nothing,
}

#[derive(Clone)]
struct CountEvictions(Arc<Counts>);

impl<K, V> Lifecycle<K, V> for CountEvictions {
    // What is evicted is dropped when the shelf's lock is released.
    type RequestState = Option<(K, V)>;

    // What is replaced by something newer is not given up, and not asked about here.
    fn before_evict(&self, _: &mut Self::RequestState, _: &K, _: &mut V) {
        self.0.evictions.fetch_add(1, Ordering::Relaxed);
    }

    fn on_evict(&self, state: &mut Self::RequestState, key: K, value: V) {
        *state = Some((key, value));
    }
}

/// A bounded number of things of one kind.
pub(crate) struct Shelf<K, T, const N: usize> {
    kept: Cache<K, Arc<Kept<T, N>>, UnitWeighter, DefaultHashBuilder, CountEvictions>,
    changes: Changes,
    pub(super) counts: Arc<Counts>,
}

impl<K: Hash + Eq + Clone, T, const N: usize> Shelf<K, T, N> {
    pub(super) fn new(capacity: usize, changes: Changes) -> Self {
        let counts = Arc::<Counts>::default();
        Self {
            kept: Cache::with(
                capacity,
                u64::try_from(capacity).unwrap_or(u64::MAX),
                UnitWeighter,
                DefaultHashBuilder::default(),
                CountEvictions(Arc::clone(&counts)),
            ),
            changes,
            counts,
        }
    }

    /// What is known of a key. Asks nobody and waits for nobody.
    pub(crate) fn find<Q>(&self, key: &Q) -> Found<T, N>
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        let Some(kept) = self.kept.get(key) else {
            self.counts.misses.fetch_add(1, Ordering::Relaxed);
            return Found::Nothing;
        };
        let age = kept.taken.at.elapsed();
        if age >= BOUND || !self.changes.marks().unchanged(&kept.taken.seen) {
            self.counts.stale.fetch_add(1, Ordering::Relaxed);
            return Found::Old(kept);
        }
        self.counts.hits.fetch_add(1, Ordering::Relaxed);
        let renew = age >= WARM && !kept.renewing.swap(true, Ordering::Relaxed);
        Found::Fresh { value: kept, renew }
    }

    /// Takes the marks of what is about to be read.
    pub(crate) fn take<const M: usize>(&self, topics: [Topic; M]) -> Taken<M> {
        Taken {
            at: Moment::now(),
            seen: self.changes.marks().seen(topics),
        }
    }

    /// Keeps what was read after `taken`.
    pub(crate) fn keep(&self, key: K, value: T, taken: Taken<N>) {
        let kept = Kept {
            value,
            taken,
            renewing: AtomicBool::new(false),
        };
        self.kept.insert(key, Arc::new(kept));
    }

    /// Takes one thing out.
    pub(crate) fn remove<Q>(&self, key: &Q)
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        self.kept.remove(key);
    }

    pub(super) fn len(&self) -> usize {
        self.kept.len()
    }

    /// Takes out what is meant.
    pub(super) fn take_out(&self, meant: impl Fn(&T) -> bool) {
        self.kept.retain(|_, kept| !meant(&kept.value));
    }

    pub(super) fn forget(&self, unused: Duration) {
        self.kept.retain(|_, kept| kept.taken.at.elapsed() < unused);
    }
}

#[cfg(test)]
mod tests {
    use tenantry_core::TenantId;
    use uuid::Uuid;

    use super::*;

    fn shelf(capacity: usize) -> Shelf<u32, u32, 1> {
        Shelf::new(capacity, Changes::default())
    }

    fn keep(shelf: &Shelf<u32, u32, 1>, key: u32) {
        let tenant = TenantId::from_uuid(Uuid::from_u128(1));
        let taken = shelf.take([Topic::Tenant(tenant)]);
        shelf.keep(key, key, taken);
    }

    #[test]
    fn what_is_kept_anew_is_not_given_up() {
        let shelf = shelf(100);
        for _ in 0..1000 {
            keep(&shelf, 7);
        }
        assert_eq!(shelf.counts.evictions.load(Ordering::Relaxed), 0);
        assert!(matches!(shelf.find(&7), Found::Fresh { .. }));
    }

    #[test]
    fn no_more_is_kept_than_there_is_room_for() {
        let shelf = shelf(100);
        (0..10_000).for_each(|key| keep(&shelf, key));
        assert!(shelf.len() <= 128, "{}", shelf.len());
        assert!(shelf.counts.evictions.load(Ordering::Relaxed) > 9_000);
    }
}
