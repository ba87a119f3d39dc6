//! The places that connections take: what is open, what lies idle, and whose it is.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use sqlx::Connection as _;
use sqlx::postgres::PgConnection;
use tenantry_core::tenant::Isolation;
use tenantry_core::{Clock, Timestamp};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::super::{Key, PoolBounds};
use super::turns::Gate;
use crate::clusters::{Clusters, Place};

/// How long a connection that is given back may take to end its transaction, and one that is closed
/// to say good-bye.
pub(super) const PARTING: Duration = Duration::from_secs(5);

/// Whose connection it is: a tenant's own, or that of all whose rows lie in common tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Owner {
    Tenant(Key),
    Shared,
}

impl Owner {
    pub(super) const fn of(place: &Place) -> Self {
        match place.placement.isolation {
            Isolation::Shared => Self::Shared,
            Isolation::Database | Isolation::Schema => {
                Self::Tenant((place.placement.tenant, place.placement.generation))
            }
        }
    }
}

/// A connection that nobody uses.
pub(super) struct Idle {
    pub(super) conn: PgConnection,
    pub(super) cluster: Arc<str>,
    pub(super) owner: Owner,
    pub(super) since: Timestamp,
}

impl Idle {
    /// Closes it; one that does not listen is left.
    pub(super) async fn say_good_bye(self) -> Arc<str> {
        let _ = timeout(PARTING, self.conn.close()).await;
        self.cluster
    }
}

#[derive(Default)]
pub(super) struct State {
    /// The longest unused first.
    pub(super) idle: Vec<Idle>,
    /// Connections open on each server, in use or not.
    pub(super) open: HashMap<Arc<str>, usize>,
    pub(super) gates: HashMap<Key, Weak<Gate>>,
    pub(super) clusters: HashMap<Arc<str>, Arc<Semaphore>>,
}

/// Where the next connection comes from.
pub(super) enum Found {
    /// One that lay idle.
    Idle(PgConnection),
    /// It is to be opened, in the place of this one where there was no other.
    Free(Option<Idle>),
}

impl State {
    /// Takes a connection of this owner's that lies idle, or a place for a new one.
    fn find(&mut self, cluster: &Arc<str>, owner: &Owner, bounds: &PoolBounds) -> Found {
        let mine = self
            .idle
            .iter()
            .rposition(|idle| idle.cluster == *cluster && idle.owner == *owner);
        if let Some(mine) = mine {
            return Found::Idle(self.idle.remove(mine).conn);
        }
        let here = self.open.get(cluster).copied().unwrap_or(0);
        let all: usize = self.open.values().sum();
        let unused = if here >= bounds.per_cluster.get() {
            self.idle.iter().position(|idle| idle.cluster == *cluster)
        } else if all >= bounds.connections.get() {
            (!self.idle.is_empty()).then_some(0)
        } else {
            None
        };
        let evicted = unused.map(|unused| self.idle.remove(unused));
        // Its place passes on at once, or another would think there is room for both.
        if let Some(evicted) = &evicted {
            self.leave(&evicted.cluster);
        }
        *self.open.entry(Arc::clone(cluster)).or_default() += 1;
        Found::Free(evicted)
    }

    fn leave(&mut self, cluster: &str) {
        if let Some(open) = self.open.get_mut(cluster) {
            *open = open.saturating_sub(1);
        }
    }
}

/// What all who borrow connections share.
pub(super) struct Inner {
    pub(super) clusters: Clusters,
    pub(super) bounds: PoolBounds,
    pub(super) clock: Clock,
    pub(super) permits: Arc<Semaphore>,
    state: Mutex<State>,
}

impl Inner {
    pub(super) fn new(clusters: Clusters, bounds: PoolBounds, clock: Clock) -> Self {
        Self {
            clusters,
            bounds,
            clock,
            permits: Arc::new(Semaphore::new(bounds.connections.get())),
            state: Mutex::default(),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        // What is done under the lock can't panic half-way: each change is a few plain calls.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn find(&self, cluster: &Arc<str>, owner: &Owner) -> Found {
        self.state().find(cluster, owner, &self.bounds)
    }

    /// Notes that a connection is no longer open.
    pub(super) fn gone(&self, cluster: &str) {
        self.state().leave(cluster);
    }

    /// Closes the idle connections that are not wanted; how many there were.
    pub(super) async fn close_where(&self, unwanted: impl Fn(&Idle) -> bool) -> usize {
        let closed: Vec<Idle> = self
            .state()
            .idle
            .extract_if(.., |idle| unwanted(idle))
            .collect();
        let count = closed.len();
        for idle in closed {
            let cluster = idle.say_good_bye().await;
            self.gone(&cluster);
        }
        count
    }
}
