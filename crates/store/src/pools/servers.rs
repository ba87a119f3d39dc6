//! Connections to tenant databases on servers.
//!
//! One list of idle connections for all tenants of all servers, under a bound for all and one for
//! each server. Whoever holds a permit finds a place: as there are as many permits as places, a
//! full list holds an idle connection that can be closed. A tenant has few permits of its own, and
//! each queue is served in order, so that one tenant's storm leaves the others their turn.
//!
//! Every transaction begins by reading the stamp, in the same round trip, so that a database that
//! was replaced behind our back is noticed at once and costs nothing to notice.

mod borrowed;
mod places;
mod turns;

use std::sync::Arc;

use sqlx::postgres::PgConnection;
use tenantry_core::Clock;

pub use borrowed::Borrowed;

use super::{Access, Key, PoolBounds, check_stamp};
use crate::clusters::{Clusters, Place};
use crate::homes::ServerHome;
use crate::tenant::TENANT_SCHEMA;
use crate::{StoreError, TenantTx, Tx};
use borrowed::Berth;
use places::{Found, Inner, Owner};
use turns::Turn;

/// The connections.
pub(super) struct Servers(Arc<Inner>);

impl Servers {
    pub(super) fn new(clusters: Clusters, bounds: PoolBounds, clock: Clock) -> Self {
        Self(Arc::new(Inner::new(clusters, bounds, clock)))
    }

    pub(super) fn clusters(&self) -> &Clusters {
        &self.0.clusters
    }

    /// Connections open now.
    pub(super) fn open_count(&self) -> usize {
        self.0.state().open.values().sum()
    }

    /// A transaction where `place` is. In a task of its own, so that a caller who goes away leaves
    /// no connection in the middle of something.
    pub(super) async fn begin(&self, place: Place, access: Access) -> Result<TenantTx, StoreError> {
        let servers = Self(Arc::clone(&self.0));
        let task = tokio::spawn(async move { servers.begin_here(place, access).await });
        task.await.map_err(|_| sqlx::Error::WorkerCrashed)?
    }

    async fn begin_here(&self, place: Place, access: Access) -> Result<TenantTx, StoreError> {
        let key = (place.placement.tenant, place.placement.generation);
        let mut old = true;
        loop {
            let turn = self.0.turn(key, &place.cluster).await?;
            let (mut borrowed, reused) = self.borrow_one(&place, turn).await?;
            match borrowed.begin(&place, access).await {
                Ok(stamp) => {
                    let stamp = check_stamp(key, stamp)?;
                    if stamp.schema_version < TENANT_SCHEMA && old {
                        // Once: what is still old after that is not mended by trying again.
                        old = false;
                        drop(borrowed);
                        self.upgrade(&place).await?;
                        continue;
                    }
                    return Ok(TenantTx::unleased(Tx::Server(borrowed), key.0, key.1));
                }
                // The server was restarted, or ended our idle session: others' are no better.
                Err(error) if reused && error.is_transient() => {
                    borrowed.discard();
                    let here = &place.cluster;
                    self.0.close_where(|idle| idle.cluster == *here).await;
                }
                Err(error) => {
                    borrowed.discard();
                    return Err(error);
                }
            }
        }
    }

    /// A connection, and whether it was there already.
    async fn borrow_one(&self, place: &Place, turn: Turn) -> Result<(Borrowed, bool), StoreError> {
        let berth = Berth {
            inner: Arc::clone(&self.0),
            cluster: Arc::clone(&place.cluster),
            owner: Owner::of(place),
            turn,
        };
        let evicted = match self.0.find(&berth.cluster, &berth.owner) {
            Found::Idle(conn) => return Ok((Borrowed::new(conn, berth), true)),
            Found::Free(evicted) => evicted,
        };
        if let Some(evicted) = evicted {
            evicted.say_good_bye().await;
        }
        match self.connect(place).await {
            Ok(conn) => Ok((Borrowed::new(conn, berth), false)),
            Err(error) => {
                self.0.gone(&place.cluster);
                Err(error)
            }
        }
    }

    async fn connect(&self, place: &Place) -> Result<PgConnection, StoreError> {
        let clusters = &self.0.clusters;
        let cluster = clusters.find_for(place).await?;
        clusters.enter(&cluster, place, self.0.bounds.wait).await
    }

    /// Brings an older schema up to date, and the stamp with it.
    async fn upgrade(&self, place: &Place) -> Result<(), StoreError> {
        ServerHome::open(&self.0.clusters, place.clone())
            .await?
            .upgrade(self.0.clock.now())
            .await
    }

    pub(super) async fn close(&self, key: Key) {
        self.0.clusters.forget(key.0, key.1);
        self.0.close_gate(key);
        let owner = Owner::Tenant(key);
        self.0.close_where(|idle| idle.owner == owner).await;
    }

    pub(super) async fn close_idle(&self) -> usize {
        let before = self.0.clock.now() - self.0.bounds.idle;
        self.0.close_where(|idle| idle.since < before).await
    }

    pub(super) async fn close_all(&self) {
        // What is still in use is closed when it is given back.
        self.0.close_gates();
        self.0.close_where(|_| true).await;
        self.0.clusters.close().await;
    }
}
