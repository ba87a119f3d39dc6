//! The use cases over a folder of one test: real databases, a clock that stands still, randomness
//! that can be repeated, mails as files.

mod control;
mod halt;

use std::hash::{BuildHasher as _, RandomState};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use sqlx::{AssertSqlSafe, Connection};
use tenantry_core::application::Signup;
use tenantry_core::password::PasswordPolicy;
use tenantry_core::session::SessionKind;
use tenantry_core::tenant::{EmailUniqueness, Registration};
use tenantry_core::{Clock, Generation, Locale, Secret, TenantId};
use tenantry_keys::sealing::MasterKey;
use tenantry_mail::files::Files;
use tenantry_mail::{Sender, Transport};
use tenantry_saga::{Faults, Pace};
use tenantry_service::domains::ProofRules;
use tenantry_service::mailbox::StoredMail;
use tenantry_service::signin::Client;
use tenantry_service::tenants::{Created, NewOwner, NewTenant, TenantView};
use tenantry_service::{OpenError, Service, Settings};
use tenantry_store::cluster::ClusterBounds;
use tenantry_store::{PoolBounds, files};
use tenantry_webhooks::{Deliverer, Rules};
use url::Url;

pub use control::TestControl;
pub use halt::{Place, Reached};
pub use tenantry_core::tenant::{Driver, Isolation};

use crate::cluster::TestCluster;
use crate::dns::NameServer;
use crate::{ManualClock, seeded_entropy};

/// How long a run is one process's alone, by the test's clock.
pub const LEASE: Duration = Duration::from_secs(15);

/// How long old credentials work beside new ones, by the test's clock.
pub const DRAIN: Duration = Duration::from_mins(15);

/// How often every tenant is looked at, by the test's clock.
pub const RECONCILE: Duration = Duration::from_mins(15);

/// How long a use case may take by the machine's clock.
pub const WAIT: Duration = Duration::from_secs(30);

/// A password that every policy takes.
pub const PASSWORD: &str = "correct horse battery";

/// What a test decides about its service.
#[derive(Clone)]
pub struct Options {
    /// What holds the registry.
    pub driver: Driver,
    /// What goes wrong in workflows.
    pub faults: Faults,
    /// Whether one address may belong to several tenants.
    pub email_uniqueness: EmailUniqueness,
    /// Whether wrong tries are limited.
    pub rate_limits: bool,
    /// How mails leave; `None` writes files.
    pub mail: Option<Transport>,
    /// Where tenants are placed.
    pub tenants: Tenants,
    /// The administrator's URL of the server that holds the registry, where it is not that of the
    /// test run.
    pub registry: Option<String>,
    /// How much a cluster may be asked for, and how long.
    pub clusters: ClusterBounds,
    /// How many tenant databases may be open.
    pub pools: PoolBounds,
    /// How workflows pace themselves.
    pub pace: Pace,
    /// How notices leave, and what receivers may be.
    pub webhooks: Deliverer,
    /// Who gets a tenant by asking for one.
    pub signup: Signup,
    /// How domains of tenants' own are proven.
    pub domains: ProofRules,
}

/// Where a test's tenants are placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tenants {
    /// In files.
    #[default]
    Files,
    /// On a PostgreSQL server, kept apart in this way.
    Cluster(Isolation),
}

impl Options {
    /// The defaults of the product, with the registry on this driver.
    pub fn on(driver: Driver) -> Self {
        Self {
            driver,
            faults: Faults::none(),
            email_uniqueness: EmailUniqueness::PerTenant,
            rate_limits: true,
            mail: None,
            tenants: Tenants::Files,
            registry: None,
            clusters: ClusterBounds::default(),
            pools: PoolBounds::default(),
            pace: Pace {
                lease: LEASE,
                attempts: 3,
                pause: Duration::from_millis(20),
                longest: Duration::from_millis(80),
            },
            // Receivers of tests are on this machine.
            webhooks: Deliverer::new(Rules {
                allow_http: false,
                allow_private: true,
            }),
            signup: Signup::Closed,
            // Nobody answers there: a test that is about domains has a name server of its own.
            domains: ProofRules::asking(Some(([127, 0, 0, 1], 1).into())),
        }
    }

    /// With tenants placed there.
    #[must_use]
    pub fn with_tenants(mut self, tenants: Tenants) -> Self {
        self.tenants = tenants;
        self
    }

    /// The registry in a file.
    pub fn sqlite() -> Self {
        Self::on(Driver::Sqlite)
    }

    /// The registry in PostgreSQL.
    pub fn postgres() -> Self {
        Self::on(Driver::Postgres)
    }

    /// With these faults.
    #[must_use]
    pub fn with_faults(mut self, faults: Faults) -> Self {
        self.faults = faults;
        self
    }

    /// An address belongs to one tenant only.
    #[must_use]
    pub fn with_global_addresses(mut self) -> Self {
        self.email_uniqueness = EmailUniqueness::Global;
        self
    }

    /// Wrong tries are not limited.
    #[must_use]
    pub fn without_rate_limits(mut self) -> Self {
        self.rate_limits = false;
        self
    }

    /// Whoever asks for a tenant gets one in this way.
    #[must_use]
    pub fn with_signup(mut self, signup: Signup) -> Self {
        self.signup = signup;
        self
    }

    /// Domains are proven with this name server, and with files at this port.
    #[must_use]
    pub fn with_names(mut self, names: &NameServer, http_port: u16) -> Self {
        self.domains = ProofRules {
            http_port,
            ..ProofRules::asking(Some(names.address()))
        };
        self
    }

    /// Mails leave this way.
    #[must_use]
    pub fn with_mail(mut self, mail: Transport) -> Self {
        self.mail = Some(mail);
        self
    }
}

/// The data that all services of a test share, as processes of one installation do.
struct Installation {
    control: TestControl,
    master: MasterKey,
    cluster: Option<TestCluster>,
    /// Each process draws other randomness than the ones before.
    seed: AtomicU64,
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
        let service = open(
            &installation,
            settings,
            &installation.master,
            clock.clone(),
            &options,
        )
        .await?
        .context("the service could not be opened")?;
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

    /// A tenant to make; an owner without a password gets a setup link by mail.
    pub fn new_tenant(slug: &str, owner: &str, password: Option<&str>) -> Result<NewTenant> {
        Ok(NewTenant {
            name: format!("Tenant {slug}"),
            slug: slug.parse()?,
            owner: NewOwner {
                email: owner.parse()?,
                username: None,
                full_name: None,
                password: password.map(str::to_owned),
            },
            isolation: Isolation::Database,
            cluster: None,
            registration: Registration::Closed,
            verify_email: true,
            domains: Vec::new(),
            application: None,
            locale: None,
        })
    }

    /// The same, kept apart from others as this test's tenants are.
    pub fn new_tenant_here(
        &self,
        slug: &str,
        owner: &str,
        password: Option<&str>,
    ) -> Result<NewTenant> {
        let mut new = Self::new_tenant(slug, owner, password)?;
        if let Tenants::Cluster(isolation) = self.options.tenants {
            new.isolation = isolation;
        }
        Ok(new)
    }

    /// Makes a tenant whose owner has this password.
    pub async fn make_tenant(&self, slug: &str, owner: &str, password: &str) -> Result<TenantView> {
        self.create(Self::new_tenant(slug, owner, Some(password))?)
            .await
    }

    /// Makes a tenant whose owner gets a setup link.
    pub async fn invite_tenant(&self, slug: &str, owner: &str) -> Result<TenantView> {
        self.create(Self::new_tenant(slug, owner, None)?).await
    }

    /// Makes a tenant, which must become active. The clock moves a little before, so that mails
    /// have an order.
    pub async fn create(&self, mut new: NewTenant) -> Result<TenantView> {
        if let Tenants::Cluster(isolation) = self.options.tenants {
            new.isolation = isolation;
        }
        self.clock.advance(Duration::from_millis(1));
        match self.service.create_tenant(new, None, WAIT).await? {
            Created::Active(view) => Ok(*view),
            Created::Later(view, _) => bail!("tenant {} is not active yet", view.tenant.slug),
        }
    }

    /// The mails that were sent, the newest first, after sending those that are due.
    pub async fn mails(&self) -> Result<Vec<StoredMail>> {
        self.service.send_due_mail().await?;
        let mut mails = Vec::new();
        for listed in self.service.list_mail().await? {
            mails.push(self.service.find_mail(listed.id).await?);
        }
        Ok(mails)
    }

    /// The token of the newest setup link that was mailed to this address.
    pub async fn setup_token_from_mail(&self, address: &str) -> Result<String> {
        self.mails()
            .await?
            .iter()
            .filter(|mail| mail.to == address)
            .find_map(setup_token)
            .with_context(|| format!("no setup link was mailed to {address}"))
    }

    /// What a background worker does once.
    pub async fn tick(&self) -> Result<()> {
        self.service.run_due_workflows().await?;
        self.service.send_due_mail().await?;
        Ok(())
    }

    /// Does something while the clock goes as the machine's does.
    pub async fn while_time_passes<T>(&self, work: impl Future<Output = T>) -> T {
        const STEP: Duration = Duration::from_millis(10);
        let mut work = std::pin::pin!(work);
        loop {
            match tokio::time::timeout(STEP, &mut work).await {
                Ok(done) => return done,
                Err(_) => self.clock.advance(STEP),
            };
        }
    }

    /// Moves the clock and works until no workflow moves any more.
    pub async fn settle(&self) -> Result<()> {
        for _ in 0..64 {
            self.tick().await?;
            let moving = "SELECT COUNT(*) FROM workflows WHERE state IN ('running', 'undoing')";
            if self.control().number(moving).await? == 0 {
                return self.tick().await;
            }
            self.clock.advance(LEASE);
        }
        bail!("a workflow comes to no end")
    }

    /// The names in the folder of tenant databases, in order.
    pub fn tenant_files(&self) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(self.data_dir().join("tenants"))? {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        names.sort();
        Ok(names)
    }

    /// The file of one generation of a tenant.
    pub fn tenant_file(&self, tenant: TenantId, generation: Generation) -> PathBuf {
        let name = files::database_name(tenant, generation);
        self.data_dir().join("tenants").join(format!("{name}.db"))
    }

    /// Changes rows of a tenant's database behind everybody's back; how many.
    pub async fn damage_tenant(&self, view: &TenantView, sql: &str) -> Result<u64> {
        let path = self.tenant_file(view.tenant.id, view.tenant.generation);
        let mut conn = control::sqlite(&path).await?;
        let done = sqlx::query(AssertSqlSafe(sql.to_owned()))
            .execute(&mut conn)
            .await?;
        conn.close().await?;
        Ok(done.rows_affected())
    }
}

/// Makes two tests of each function: over SQLite, and over PostgreSQL.
#[macro_export]
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {$(
        mod $name {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                super::$name($crate::service::Driver::Sqlite).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                super::$name($crate::service::Driver::Postgres).await;
            }
        }
    )+};
}

/// Makes four tests of each function: over tenants in files, and over tenants on a server in each
/// way of keeping them apart. Registries of both kinds are among them.
#[macro_export]
macro_rules! on_each_isolation {
    ($($name:ident),+ $(,)?) => {$(
        mod $name {
            use $crate::service::{Isolation, Options, Tenants};

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn files() {
                super::$name(Options::sqlite()).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn databases() {
                let there = Tenants::Cluster(Isolation::Database);
                super::$name(Options::postgres().with_tenants(there)).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn schemas() {
                let there = Tenants::Cluster(Isolation::Schema);
                super::$name(Options::sqlite().with_tenants(there)).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn shared_tables() {
                let there = Tenants::Cluster(Isolation::Shared);
                super::$name(Options::postgres().with_tenants(there)).await;
            }
        }
    )+};
}

/// A client of this kind at this address.
pub fn client(kind: SessionKind, ip: &str) -> Client {
    Client {
        ip: ip.parse().ok(),
        user_agent: Some("testkit".to_owned()),
        kind,
    }
}

/// The token in a mail's setup link.
pub fn setup_token(mail: &StoredMail) -> Option<String> {
    link_token(mail.text.as_deref()?, "/setup/password/")
}

/// The token in the first link of a text whose path begins so.
pub fn link_token(text: &str, path: &str) -> Option<String> {
    let (_, rest) = text.split_once(path)?;
    let end = rest
        .find(|c: char| !(c.is_ascii_alphanumeric() || "-_".contains(c)))
        .unwrap_or(rest.len());
    Some(rest[..end].to_owned())
}

fn settings(installation: &Installation, options: &Options) -> Result<Settings> {
    Ok(Settings {
        public_url: Url::parse("http://localhost:8000")?,
        base_domain: "localhost".to_owned(),
        data_dir: installation.control.dir().to_owned(),
        email_uniqueness: options.email_uniqueness,
        rate_limits: options.rate_limits,
        signup: options.signup,
        domains: options.domains,
        code_prefix: "TEN".to_owned(),
        passwords: PasswordPolicy::default(),
        breach_check: None,
        sender: Sender::new("Tenantry", "mail@tenantry.example".parse()?),
        mail_locale: Locale::En,
        hash_threads: NonZeroUsize::MIN.saturating_add(1),
        cluster_url: installation
            .cluster
            .as_ref()
            .map(|cluster| Secret::new(cluster.url().to_owned())),
        clusters: options.clusters,
        reconcile: RECONCILE,
        drain: DRAIN,
        rotate: None,
        rotate_service: None,
        audit_keep: None,
        webhooks: options.webhooks.clone(),
        pools: options.pools,
        pace: options.pace,
        faults: options.faults.clone(),
    })
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
