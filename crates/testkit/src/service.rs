//! The use cases over a folder of one test: real databases, a clock that stands still, randomness
//! that can be repeated, mails as files.

mod control;
mod halt;
mod isolations;
mod mails;
mod options;
mod sessions;
mod tenants;
mod work;

use std::hash::{BuildHasher as _, RandomState};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use tenantry_core::{Clock, Secret};
use tenantry_keys::sealing::MasterKey;
use tenantry_mail::Transport;
use tenantry_mail::files::Files;
use tenantry_saga::Faults;
use tenantry_service::{OpenError, Service, Settings};
use tenantry_sessions::redis::{COMMAND, CONNECT};

pub use control::TestControl;
pub use halt::{Place, Reached};
pub use mails::{client, link_token, setup_token};
pub use options::{Options, Tenants};
pub use tenantry_core::session::SessionDriver;
pub use tenantry_core::tenant::{Driver, Isolation};

use crate::cluster::TestCluster;
use crate::services::RedisServer;
use crate::{ManualClock, seeded_entropy};
#[cfg(feature = "app")]
pub(crate) use options::cheap_hashes;
use options::settings;

/// How long a run is one process's alone, by the test's clock.
pub const LEASE: Duration = Duration::from_secs(15);

/// How long old credentials work beside new ones, by the test's clock.
pub const DRAIN: Duration = Duration::from_mins(15);

/// How often every tenant is looked at, by the test's clock.
pub const RECONCILE: Duration = Duration::from_mins(15);

/// How long a use case may take by the machine's clock.
pub const WAIT: Duration = Duration::from_secs(30);

/// How long somebody waits for Redis at the longest, each time it is asked for something.
pub const REDIS: Duration = CONNECT.saturating_add(COMMAND);

/// A password that every policy takes.
pub const PASSWORD: &str = "correct horse battery";

/// The data that all services of a test share, as processes of one installation do.
struct Installation {
    control: TestControl,
    master: MasterKey,
    cluster: Option<TestCluster>,
    redis: Option<Mutex<RedisServer>>,
    /// Each process draws other randomness than the ones before.
    seed: AtomicU64,
}

impl Installation {
    /// Where Redis is, if sessions lie there.
    fn redis_url(&self, options: &Options) -> Option<String> {
        let own = || Some(self.redis.as_ref()?.lock().ok()?.url());
        options.redis_url.clone().or_else(own)
    }
}

/// The use cases over the data of one test.
pub struct TestService {
    /// The use cases.
    pub service: Service,
    /// Their clock.
    pub clock: ManualClock,
    installation: Arc<Installation>,
    options: Options,
}

impl TestService {
    /// A service over fresh data.
    pub async fn start(options: Options) -> Result<Self> {
        let cluster = match options.tenants {
            Tenants::Files => None,
            Tenants::Cluster(_) => Some(TestCluster::start().await?),
        };
        Self::start_on(cluster, options).await
    }

    /// A service over fresh data with tenants on this server, if there is one.
    pub async fn start_on(cluster: Option<TestCluster>, options: Options) -> Result<Self> {
        let control = TestControl::start_at(options.driver, options.registry.as_deref()).await?;
        // Tests share one server, and the names of what they make there come from ids. The hasher's
        // keys are random for each process, and differ from one to the next.
        let seed = match cluster {
            Some(_) => RandomState::new().hash_one(std::process::id()) >> 1,
            None => 2,
        };
        let installation = Arc::new(Installation {
            control,
            cluster,
            redis: match (options.sessions, &options.redis_url) {
                (SessionDriver::Redis, None) => Some(Mutex::new(RedisServer::start()?)),
                (SessionDriver::Redis, Some(_))
                | (SessionDriver::Database | SessionDriver::File, _) => None,
            },
            master: MasterKey::generate(&seeded_entropy(1)),
            seed: AtomicU64::new(seed),
        });
        Self::over(installation, ManualClock::default(), options).await
    }

    /// Another process over the same data and the same clock.
    pub async fn beside(&self, faults: Faults) -> Result<Self> {
        let options = self.options.clone().with_faults(faults);
        Self::over(Arc::clone(&self.installation), self.clock.clone(), options).await
    }

    /// Another process that reaches the server by another way. All that are open follow: where a
    /// cluster is reached stands in the registry.
    pub async fn beside_through(&self, url: &str, faults: Faults) -> Result<Self> {
        let mut settings = settings(&self.installation, &self.options)?;
        settings.cluster_url = Some(Secret::new(url.to_owned()));
        settings.faults = faults.clone();
        let installation = Arc::clone(&self.installation);
        let (clock, options) = (self.clock.clone(), self.options.clone().with_faults(faults));
        Self::with_settings(installation, settings, clock, options).await
    }

    async fn over(
        installation: Arc<Installation>,
        clock: ManualClock,
        options: Options,
    ) -> Result<Self> {
        let settings = settings(&installation, &options)?;
        Self::with_settings(installation, settings, clock, options).await
    }

    async fn with_settings(
        installation: Arc<Installation>,
        settings: Settings,
        clock: ManualClock,
        options: Options,
    ) -> Result<Self> {
        // On the heap: opening everything is a large future.
        let opened = Box::pin(open(
            &installation,
            settings,
            &installation.master,
            clock.clone(),
            &options,
        ));
        let service = opened.await?.context("the service could not be opened")?;
        Ok(Self {
            service,
            clock,
            installation,
            options,
        })
    }

    /// Tries to open another process with other settings or another master key.
    pub async fn open_otherwise(
        &self,
        change: impl FnOnce(&mut Settings),
        master: Option<&MasterKey>,
    ) -> Result<std::result::Result<Service, OpenError>> {
        let mut settings = settings(&self.installation, &self.options)?;
        change(&mut settings);
        open(
            &self.installation,
            settings,
            master.unwrap_or(&self.installation.master),
            self.clock.clone(),
            &self.options,
        )
        .await
    }

    /// The rows of the registry.
    pub fn control(&self) -> &TestControl {
        &self.installation.control
    }

    /// The server that tenants are placed on, if they are.
    pub fn cluster(&self) -> Option<&TestCluster> {
        self.installation.cluster.as_ref()
    }

    /// The Redis that sessions lie in, if they do.
    pub fn redis(&self) -> Option<MutexGuard<'_, RedisServer>> {
        let redis = self.installation.redis.as_ref()?;
        Some(redis.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The key that everything is sealed under.
    pub fn master(&self) -> &MasterKey {
        &self.installation.master
    }

    /// Where files lie.
    pub fn data_dir(&self) -> &Path {
        self.installation.control.dir()
    }

    /// Where mails lie.
    pub fn mail_dir(&self) -> PathBuf {
        self.data_dir().join("mail")
    }
}

async fn open(
    installation: &Installation,
    settings: Settings,
    master: &MasterKey,
    clock: ManualClock,
    options: &Options,
) -> Result<std::result::Result<Service, OpenError>> {
    let mail = options
        .mail
        .clone()
        .unwrap_or_else(|| Transport::Files(Files::new(settings.data_dir.join("mail"))));
    let seed = installation.seed.fetch_add(1, Ordering::SeqCst);
    let control = installation.control.open().await?;
    let clock: Clock = clock.clock();
    Ok(Service::open(control, settings, master, mail, clock, seeded_entropy(seed)).await)
}
