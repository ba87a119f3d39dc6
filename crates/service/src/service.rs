//! What every use case shares, and how it comes to be.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tenantry_core::workflow::WorkflowState;
use tenantry_core::{Clock, Entropy, InstanceId, WorkflowId};
use tenantry_keys::hasher::{HashPool, PoolSize};
use tenantry_keys::sealing::MasterKey;
use tenantry_mail::Transport;
use tenantry_saga::{Engine, Outcome};
use tenantry_sessions::SessionStore;
use tenantry_store::files::TenantFiles;
use tenantry_store::{Clusters, Control, StoreError, TenantPools};
use uuid::Uuid;

use crate::audit::Sealing;
use crate::facts::Facts;
use crate::health::Looked;
use crate::keyring::{Keyring, KeyringError};
use crate::nodes::Node;
use crate::password::Looks;
use crate::reconcile::Overview;
use crate::workflows::{Steps, is_moving};
use crate::{Refusal, Settings};

/// What use cases and workflow steps share.
pub(crate) struct Shared {
    pub(crate) control: Control,
    pub(crate) pools: TenantPools,
    pub(crate) keyring: Arc<Keyring>,
    pub(crate) settings: Settings,
    pub(crate) clock: Clock,
    pub(crate) entropy: Entropy,
    pub(crate) sessions: SessionStore,
}

struct Inner {
    shared: Arc<Shared>,
    looks: Looks,
    hasher: HashPool,
    mail: Transport,
    engine: Engine<Steps>,
    overview: Mutex<Arc<Overview>>,
    looked: Looked,
    sealing: Sealing,
    facts: Facts,
    node: Node,
}

/// The use cases of Tenantry.
#[derive(Clone)]
pub struct Service {
    inner: Arc<Inner>,
}

/// Why the service could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Files or the control database.
    #[error("the data could not be opened")]
    Store(#[from] StoreError),
    /// The threads that hash passwords.
    #[error("the threads that hash passwords could not be started")]
    Threads(#[source] std::io::Error),
    /// Keys.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// Sessions are to lie in Redis, and there is none.
    #[error("sessions are to lie in Redis, and no Redis is named")]
    NoRedis,
    /// The default cluster's URL is none.
    #[error("the default cluster's URL can't be used: {0}")]
    ClusterUrl(String),
    /// The default cluster's URL is none that the driver takes.
    #[error("the default cluster's URL can't be used")]
    Cluster(#[source] StoreError),
}

/// The servers that the registry names, with the one that the settings name among them, and what
/// tells this installation from others.
async fn open_clusters(
    control: &Control,
    keyring: &Arc<Keyring>,
    settings: &Settings,
    clock: &Clock,
    entropy: &Entropy,
) -> Result<(Clusters, Uuid), OpenError> {
    let mut tx = control.begin().await?;
    let candidate = InstanceId::generate(clock, entropy).uuid();
    let instance = tx.instance().identify(candidate).await?;
    let instance = instance.unwrap_or(candidate);
    tx.commit().await?;
    let clusters = Clusters::new(
        control.clone(),
        instance,
        settings.clusters,
        entropy.clone(),
        keyring.unsealer(),
    );
    if let Some(url) = &settings.cluster_url {
        crate::clusters::settle_default(control, &clusters, keyring, url, clock, entropy).await?;
    }
    Ok((clusters, instance))
}

impl Service {
    /// Opens the service over a control database.
    pub async fn open(
        control: Control,
        settings: Settings,
        master: &MasterKey,
        mail: Transport,
        clock: Clock,
        entropy: Entropy,
    ) -> Result<Self, OpenError> {
        let keyring = Keyring::open(&control, master, &settings, &clock, &entropy).await?;
        let keyring = Arc::new(keyring);
        let files = TenantFiles::new(settings.data_dir.join("tenants"))?;
        let (clusters, installation) =
            open_clusters(&control, &keyring, &settings, &clock, &entropy).await?;
        let pools = TenantPools::with_clusters(
            files,
            clusters,
            settings.pools,
            clock.clone(),
            control.changes().clone(),
        );
        let hasher = HashPool::start(
            PoolSize {
                threads: settings.hash_threads,
                ..PoolSize::default()
            },
            settings.hash_params.clone(),
            entropy.clone(),
        )
        .map_err(OpenError::Threads)?;
        let sessions = crate::sessions::open_store(&control, &settings).await?;
        let shared = Arc::new(Shared {
            sessions,
            control: control.clone(),
            pools,
            keyring,
            settings,
            clock,
            entropy,
        });
        let facts = Facts::new(control.changes());
        let node = Node::new(
            control.changes(),
            installation,
            &shared.clock,
            &shared.entropy,
        );
        let engine = Engine::new(
            control,
            Steps(Arc::clone(&shared)),
            shared.clock.clone(),
            shared.settings.pace,
            shared.settings.faults.clone(),
        );
        Ok(Self {
            inner: Arc::new(Inner {
                shared,
                hasher,
                mail,
                engine,
                overview: Mutex::default(),
                looked: Looked::default(),
                looks: Looks::default(),
                sealing: Sealing::default(),
                facts,
                node,
            }),
        })
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.inner.shared
    }

    /// The registry.
    pub fn control(&self) -> &Control {
        &self.inner.shared.control
    }

    /// Where sessions lie. (`sessions` is the module of the use cases.)
    pub(crate) fn sessions_store(&self) -> &SessionStore {
        &self.inner.shared.sessions
    }

    pub(crate) fn pools(&self) -> &TenantPools {
        &self.inner.shared.pools
    }

    pub(crate) fn keyring(&self) -> &Keyring {
        &self.inner.shared.keyring
    }

    /// What the operator decided.
    pub fn settings(&self) -> &Settings {
        &self.inner.shared.settings
    }

    /// The clock.
    pub fn clock(&self) -> &Clock {
        &self.inner.shared.clock
    }

    /// The randomness.
    pub fn entropy(&self) -> &Entropy {
        &self.inner.shared.entropy
    }

    /// Makes and checks CSRF tokens.
    pub fn csrf(&self) -> &tenantry_keys::csrf::CsrfKey {
        self.keyring().csrf()
    }

    /// The public keys of access tokens (RFC 7517).
    pub fn jwks(&self) -> tenantry_keys::signing::Jwks {
        self.keyring().jwks()
    }

    pub(crate) fn hasher(&self) -> &HashPool {
        &self.inner.hasher
    }

    pub(crate) fn looked(&self) -> &Looked {
        &self.inner.looked
    }

    pub(crate) fn node(&self) -> &Node {
        &self.inner.node
    }

    pub(crate) fn facts(&self) -> &Facts {
        &self.inner.facts
    }

    pub(crate) fn sealing(&self) -> &Sealing {
        &self.inner.sealing
    }

    pub(crate) fn looks(&self) -> &Looks {
        &self.inner.looks
    }

    pub(crate) fn mail(&self) -> &Transport {
        &self.inner.mail
    }

    pub(crate) fn overview_kept(&self) -> &Mutex<Arc<Overview>> {
        &self.inner.overview
    }

    pub(crate) fn engine(&self) -> &Engine<Steps> {
        &self.inner.engine
    }

    /// Drives a workflow until it ends or `wait` has passed; the state it is in then. It is driven
    /// in a task of its own, so that a caller who goes away cancels nothing half-way.
    pub(crate) async fn drive(
        &self,
        id: WorkflowId,
        wait: Duration,
    ) -> Result<WorkflowState, Refusal> {
        let service = self.clone();
        let driving = tokio::spawn(async move {
            loop {
                match service.engine().run(id).await? {
                    Outcome::Ended(state) => return Ok::<_, Refusal>(state),
                    Outcome::Deferred | Outcome::Elsewhere => {
                        let run = service
                            .control()
                            .read()
                            .await?
                            .workflows()
                            .lookup(id)
                            .await?;
                        let run = run.ok_or(Refusal::NotFound)?;
                        if !is_moving(run.state) {
                            return Ok(run.state);
                        }
                        // Deferred: not before its time. With somebody else: look again soon.
                        let until = run.next_run_at.since(service.clock().now());
                        tokio::time::sleep(
                            until.clamp(Duration::from_millis(20), Duration::from_secs(1)),
                        )
                        .await;
                    }
                }
            }
        });
        match tokio::time::timeout(wait, driving).await {
            Ok(joined) => joined.map_err(Refusal::failed("a workflow could not be driven"))?,
            Err(_) => Ok(WorkflowState::Running),
        }
    }

    /// Tells other processes what was changed here, and closes every database.
    pub async fn close(&self) {
        self.tell_the_rest().await;
        self.pools().close_all().await;
        self.control().close().await;
    }
}
