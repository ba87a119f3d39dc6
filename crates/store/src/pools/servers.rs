//! Connections to tenant databases on servers.
//!
//! One list of idle connections for all tenants of all servers, under a bound for all and one for
//! each server. Whoever holds a permit finds a place: as there are as many permits as places, a
//! full list holds an idle connection that can be closed. A tenant has few permits of its own, and
//! each queue is served in order, so that one tenant's storm leaves the others their turn.
//!
//! Every transaction begins by reading the stamp, in the same round trip, so that a database that
//! was replaced behind our back is noticed at once and costs nothing to notice.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Row as _};
use tenantry_core::tenant::Isolation;
use tenantry_core::{Clock, Generation, Secret, TenantId, Timestamp};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

use super::{Key, PoolBounds, check_stamp};
use crate::cluster::{Cluster, ClusterError, Login};
use crate::clusters::{Clusters, Place};
use crate::homes::ServerHome;
use crate::tenant::{Stamp, TENANT_SCHEMA};
use crate::{StoreError, TenantTx, Tx};

/// How long a connection that is given back may take to end its transaction, and one that is closed
/// to say good-bye.
const PARTING: Duration = Duration::from_secs(5);

/// How long a server that is just starting or refuses connections is asked again.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long a commit is waited for. As long as the server lets a statement take
/// (`statement_timeout` of our connections).
const ANSWER: Duration = Duration::from_secs(30);

/// What a transaction may do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    Write,
}

/// Whose connection it is: a tenant's own, or that of all whose rows lie in common tables.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Owner {
    Tenant(Key),
    Shared,
}

/// A connection that nobody uses.
struct Idle {
    conn: PgConnection,
    cluster: Arc<str>,
    owner: Owner,
    since: Timestamp,
}

impl Idle {
    /// Closes it; one that does not listen is left.
    async fn say_good_bye(self) -> Arc<str> {
        let _ = timeout(PARTING, self.conn.close()).await;
        self.cluster
    }
}

/// A tenant's own queue.
struct Gate {
    permits: Arc<Semaphore>,
    /// Set when the generation was closed: its connections are not kept any more.
    closed: AtomicBool,
}

#[derive(Default)]
struct State {
    /// The longest unused first.
    idle: Vec<Idle>,
    /// Connections open on each server, in use or not.
    open: HashMap<Arc<str>, usize>,
    gates: HashMap<Key, Weak<Gate>>,
    clusters: HashMap<Arc<str>, Arc<Semaphore>>,
}

struct Inner {
    clusters: Clusters,
    bounds: PoolBounds,
    clock: Clock,
    permits: Arc<Semaphore>,
    state: Mutex<State>,
}

/// The connections.
pub(super) struct Servers(Arc<Inner>);

/// The right to one connection.
struct Turn {
    gate: Arc<Gate>,
    _tenant: OwnedSemaphorePermit,
    _cluster: OwnedSemaphorePermit,
    _all: OwnedSemaphorePermit,
}

/// A connection in use, inside a transaction. Dropped without [`commit`](Self::commit), nothing of
/// it happened.
pub struct Borrowed {
    /// There until it is given back.
    held: Option<(PgConnection, Berth)>,
}

/// Where a connection goes back to.
struct Berth {
    inner: Arc<Inner>,
    cluster: Arc<str>,
    owner: Owner,
    turn: Turn,
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        // What is done under the lock can't panic half-way: each change is a few plain calls.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a connection is no longer open.
    fn gone(&self, cluster: &str) {
        if let Some(open) = self.state().open.get_mut(cluster) {
            *open = open.saturating_sub(1);
        }
    }

    async fn part(&self, idle: Idle) {
        let cluster = idle.say_good_bye().await;
        self.gone(&cluster);
    }
}

impl Servers {
    pub(super) fn new(clusters: Clusters, bounds: PoolBounds, clock: Clock) -> Self {
        Self(Arc::new(Inner {
            clusters,
            bounds,
            clock,
            permits: Arc::new(Semaphore::new(bounds.connections.get())),
            state: Mutex::default(),
        }))
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
            let turn = self.turn(key, &place.cluster).await?;
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
                    self.close_cluster(&place.cluster).await;
                }
                Err(error) => {
                    borrowed.discard();
                    return Err(error);
                }
            }
        }
    }

    async fn turn(&self, key: Key, cluster: &Arc<str>) -> Result<Turn, StoreError> {
        let (gate, cluster) = {
            let mut state = self.0.state();
            if state.gates.len() > 4 * self.0.bounds.connections.get() {
                state.gates.retain(|_, gate| gate.strong_count() > 0);
            }
            let gate = state.gates.get(&key).and_then(Weak::upgrade);
            let gate = gate.unwrap_or_else(|| {
                let gate = Arc::new(Gate {
                    permits: Arc::new(Semaphore::new(self.0.bounds.per_tenant.get())),
                    closed: AtomicBool::new(false),
                });
                state.gates.insert(key, Arc::downgrade(&gate));
                gate
            });
            let per_cluster = self.0.bounds.per_cluster.get();
            let cluster = state
                .clusters
                .entry(Arc::clone(cluster))
                .or_insert_with(|| Arc::new(Semaphore::new(per_cluster)));
            (gate, Arc::clone(cluster))
        };
        let waiting = async {
            // A tenant's own queue first: whoever waits there holds nothing of the others'.
            let tenant = Arc::clone(&gate.permits).acquire_owned().await;
            let cluster = cluster.acquire_owned().await;
            let all = Arc::clone(&self.0.permits).acquire_owned().await;
            (tenant, cluster, all)
        };
        match timeout(self.0.bounds.wait, waiting).await {
            Ok((Ok(tenant), Ok(cluster), Ok(all))) => Ok(Turn {
                gate,
                _tenant: tenant,
                _cluster: cluster,
                _all: all,
            }),
            _ => Err(StoreError::Busy),
        }
    }

    /// A connection, and whether it was there already.
    async fn borrow_one(&self, place: &Place, turn: Turn) -> Result<(Borrowed, bool), StoreError> {
        let owner = match place.isolation {
            Isolation::Shared => Owner::Shared,
            Isolation::Database | Isolation::Schema => {
                Owner::Tenant((place.placement.tenant, place.placement.generation))
            }
        };
        let berth = Berth {
            inner: Arc::clone(&self.0),
            cluster: Arc::clone(&place.cluster),
            owner,
            turn,
        };
        let evicted = {
            let mut state = self.0.state();
            let mine = state
                .idle
                .iter()
                .rposition(|idle| idle.cluster == berth.cluster && idle.owner == berth.owner);
            if let Some(mine) = mine {
                let conn = state.idle.remove(mine).conn;
                return Ok((Borrowed::new(conn, berth), true));
            }
            let here = state.open.get(&place.cluster).copied().unwrap_or(0);
            let all: usize = state.open.values().sum();
            let full = here >= self.0.bounds.per_cluster.get();
            let evicted = if full {
                state
                    .idle
                    .iter()
                    .position(|idle| idle.cluster == berth.cluster)
            } else if all >= self.0.bounds.connections.get() {
                (!state.idle.is_empty()).then_some(0)
            } else {
                None
            };
            let evicted = evicted.map(|unused| state.idle.remove(unused));
            // Its place passes on at once, or another would think there is room for both.
            if let Some(evicted) = &evicted
                && let Some(open) = state.open.get_mut(&evicted.cluster)
            {
                *open = open.saturating_sub(1);
            }
            *state.open.entry(Arc::clone(&place.cluster)).or_default() += 1;
            evicted
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
        match self.connect_as_stored(place).await {
            // What was read may have been replaced before it was tried.
            Err(StoreError::SignIn(error)) if error.is_wrong_password() => {
                self.connect_as_stored(place).await
            }
            outcome => outcome,
        }
    }

    /// Connects with each stored password in turn, as long as the server says it is wrong.
    async fn connect_as_stored(&self, place: &Place) -> Result<PgConnection, StoreError> {
        let cluster = self.0.clusters.find_for(place).await?;
        let mut outcome = Err(StoreError::CredentialMissing);
        for password in self.0.clusters.service_passwords(place).await? {
            outcome = self.connect_with(&cluster, place, &password).await;
            match &outcome {
                Err(StoreError::SignIn(error)) if error.is_wrong_password() => {}
                _ => break,
            }
        }
        outcome
    }

    async fn connect_with(
        &self,
        cluster: &Cluster,
        place: &Place,
        password: &Secret<String>,
    ) -> Result<PgConnection, StoreError> {
        let options = cluster.connect_options(place.placement, Login::Service, password);
        let until = Instant::now() + PATIENCE;
        let mut pause = Duration::from_millis(20);
        loop {
            let error = match timeout(self.0.bounds.wait, options.connect()).await {
                Ok(Ok(conn)) => return Ok(conn),
                Ok(Err(error)) => ClusterError::from(error),
                Err(_) => return Err(ClusterError::Deadline(self.0.bounds.wait).into()),
            };
            let passing = error.is_refusing_for_now();
            if !passing || Instant::now() + pause > until {
                return Err(StoreError::entering(error));
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
    }

    /// Brings an older schema up to date, and the stamp with it.
    async fn upgrade(&self, place: &Place) -> Result<(), StoreError> {
        ServerHome::open(&self.0.clusters, place.clone())
            .await?
            .upgrade(self.0.clock.now())
            .await
    }

    async fn close_where(&self, unwanted: impl Fn(&Idle) -> bool) -> usize {
        let closed: Vec<Idle> = self
            .0
            .state()
            .idle
            .extract_if(.., |idle| unwanted(idle))
            .collect();
        let count = closed.len();
        for idle in closed {
            self.0.part(idle).await;
        }
        count
    }

    async fn close_cluster(&self, cluster: &str) {
        self.close_where(|idle| *idle.cluster == *cluster).await;
    }

    pub(super) async fn close(&self, key: Key) {
        self.0.clusters.forget(key.0, key.1);
        let gate = self.0.state().gates.remove(&key);
        if let Some(gate) = gate.and_then(|gate| gate.upgrade()) {
            gate.closed.store(true, Ordering::Release);
        }
        self.close_where(|idle| idle.owner == Owner::Tenant(key))
            .await;
    }

    pub(super) async fn close_idle(&self) -> usize {
        let before = self.0.clock.now() - self.0.bounds.idle;
        self.close_where(|idle| idle.since < before).await
    }

    pub(super) async fn close_all(&self) {
        // What is still in use is closed when it is given back.
        let gates: Vec<Weak<Gate>> = self.0.state().gates.drain().map(|(_, gate)| gate).collect();
        for gate in gates.iter().filter_map(Weak::upgrade) {
            gate.closed.store(true, Ordering::Release);
        }
        self.close_where(|_| true).await;
        self.0.clusters.close().await;
    }
}

/// What begins a transaction and reads the stamp. Everything in it is a number or an id.
fn opening(place: &Place, access: Access) -> String {
    let begin = match access {
        Access::Read => "BEGIN READ ONLY",
        Access::Write => "BEGIN",
    };
    let Place { placement, .. } = place;
    let scope = match place.isolation {
        Isolation::Shared => {
            format!("SET LOCAL tenantry.tenant = '{}'; ", placement.tenant)
        }
        Isolation::Database | Isolation::Schema => String::new(),
    };
    format!(
        "{begin}; {scope}SELECT tenant_id, generation, schema_version FROM tenantry_stamp
         ORDER BY tenant_id <> '{}' LIMIT 1",
        placement.tenant
    )
}

fn stamp(rows: &[PgRow]) -> Result<Option<Stamp>, StoreError> {
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    let generation = Generation::new(row.try_get("generation")?).ok_or(StoreError::Corrupt {
        table: "tenantry_stamp",
        column: "generation",
    })?;
    Ok(Some(Stamp {
        tenant: TenantId::from_uuid(row.try_get("tenant_id")?),
        generation,
        schema_version: row.try_get("schema_version")?,
    }))
}

impl Borrowed {
    const fn new(conn: PgConnection, berth: Berth) -> Self {
        Self {
            held: Some((conn, berth)),
        }
    }

    async fn begin(&mut self, place: &Place, access: Access) -> Result<Option<Stamp>, StoreError> {
        let Some((conn, berth)) = &mut self.held else {
            return Err(StoreError::Busy);
        };
        let sql = AssertSqlSafe(opening(place, access));
        let asked = timeout(berth.inner.bounds.wait, sqlx::raw_sql(sql).fetch_all(conn));
        match asked.await {
            Ok(Ok(rows)) => stamp(&rows),
            Ok(Err(error)) => Err(StoreError::entering(ClusterError::from(error))),
            Err(_) => Err(ClusterError::Deadline(berth.inner.bounds.wait).into()),
        }
    }

    /// The connection, for one statement.
    pub(crate) fn conn(&mut self) -> &mut PgConnection {
        match &mut self.held {
            Some((conn, _)) => conn,
            None => unreachable!("a connection is given back only by what consumes its borrower"),
        }
    }

    /// Makes it happen, all or nothing.
    pub(crate) async fn commit(mut self) -> Result<(), StoreError> {
        if let Some((mut conn, berth)) = self.held.take() {
            let asked = timeout(ANSWER, sqlx::raw_sql("COMMIT").execute(&mut conn));
            let late = |_| Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()));
            match asked.await.unwrap_or_else(late) {
                Ok(_) => berth.keep(conn),
                Err(error) => {
                    berth.inner.gone(&berth.cluster);
                    let error = StoreError::from(error);
                    let lost = error.is_lost();
                    return Err(match error {
                        StoreError::Database { source, .. } if lost => {
                            StoreError::Unanswered(source)
                        }
                        refused => refused,
                    });
                }
            }
        }
        Ok(())
    }

    /// Closes the connection: what state it is in is not known.
    fn discard(mut self) {
        if let Some((conn, berth)) = self.held.take() {
            drop(conn);
            berth.inner.gone(&berth.cluster);
        }
    }
}

impl Drop for Borrowed {
    fn drop(&mut self) {
        let Some((mut conn, berth)) = self.held.take() else {
            return;
        };
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            berth.inner.gone(&berth.cluster);
            return;
        };
        // The permits go along, so that the place is free only once the connection is.
        runtime.spawn(async move {
            let ended = timeout(PARTING, sqlx::raw_sql("ROLLBACK").execute(&mut conn));
            if matches!(ended.await, Ok(Ok(_))) {
                berth.keep(conn);
            } else {
                berth.inner.gone(&berth.cluster);
            }
        });
    }
}

impl Berth {
    /// Takes a connection back that is in no transaction.
    fn keep(&self, conn: PgConnection) {
        if self.turn.gate.closed.load(Ordering::Acquire) {
            self.inner.gone(&self.cluster);
            return;
        }
        let since = self.inner.clock.now();
        self.inner.state().idle.push(Idle {
            conn,
            cluster: Arc::clone(&self.cluster),
            owner: self.owner.clone(),
            since,
        });
    }
}
