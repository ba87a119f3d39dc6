//! Waiting for one's turn: a tenant's own queue first, then the server's, then everybody's.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::super::Key;
use super::places::Inner;
use crate::StoreError;

/// A tenant's own queue.
pub(super) struct Gate {
    permits: Arc<Semaphore>,
    /// Set when the generation was closed: its connections are not kept any more.
    closed: AtomicBool,
}

impl Gate {
    fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }
}

/// The right to one connection.
pub(super) struct Turn {
    pub(super) gate: Arc<Gate>,
    _tenant: OwnedSemaphorePermit,
    _cluster: OwnedSemaphorePermit,
    _all: OwnedSemaphorePermit,
}

impl Inner {
    /// Waits for the right to one connection.
    ///
    /// # Errors
    /// [`StoreError::Busy`] where it did not come in time.
    pub(super) async fn turn(&self, key: Key, cluster: &Arc<str>) -> Result<Turn, StoreError> {
        let (gate, cluster) = self.queues(key, cluster);
        let waiting = async {
            // A tenant's own queue first: whoever waits there holds nothing of the others'.
            let tenant = Arc::clone(&gate.permits).acquire_owned().await;
            let cluster = cluster.acquire_owned().await;
            let all = Arc::clone(&self.permits).acquire_owned().await;
            (tenant, cluster, all)
        };
        match timeout(self.bounds.wait, waiting).await {
            Ok((Ok(tenant), Ok(cluster), Ok(all))) => Ok(Turn {
                gate,
                _tenant: tenant,
                _cluster: cluster,
                _all: all,
            }),
            _ => Err(StoreError::Busy),
        }
    }

    fn queues(&self, key: Key, cluster: &Arc<str>) -> (Arc<Gate>, Arc<Semaphore>) {
        let mut state = self.state();
        if state.gates.len() > 4 * self.bounds.connections.get() {
            state.gates.retain(|_, gate| gate.strong_count() > 0);
        }
        let gate = state.gates.get(&key).and_then(Weak::upgrade);
        let gate = gate.unwrap_or_else(|| {
            let gate = Arc::new(Gate {
                permits: Arc::new(Semaphore::new(self.bounds.per_tenant.get())),
                closed: AtomicBool::new(false),
            });
            state.gates.insert(key, Arc::downgrade(&gate));
            gate
        });
        let per_cluster = self.bounds.per_cluster.get();
        let cluster = state
            .clusters
            .entry(Arc::clone(cluster))
            .or_insert_with(|| Arc::new(Semaphore::new(per_cluster)));
        (gate, Arc::clone(cluster))
    }

    /// Keeps no connection of a generation any more, also none that is in use now.
    pub(super) fn close_gate(&self, key: Key) {
        let gate = self.state().gates.remove(&key);
        if let Some(gate) = gate.and_then(|gate| gate.upgrade()) {
            gate.close();
        }
    }

    /// The same for all of them.
    pub(super) fn close_gates(&self) {
        let gates: Vec<Weak<Gate>> = self.state().gates.drain().map(|(_, gate)| gate).collect();
        for gate in gates.iter().filter_map(Weak::upgrade) {
            gate.close();
        }
    }
}
