//! What a test decides about its service, and the settings that come of it.

use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use anyhow::Result;
use tenantry_core::application::Signup;
use tenantry_core::password::PasswordPolicy;
use tenantry_core::session::{Lifetimes, SessionDriver};
use tenantry_core::tenant::{Driver, EmailUniqueness, Isolation};
use tenantry_core::{Locale, Secret};
use tenantry_keys::password::HashParams;
use tenantry_mail::smtp::Smtp;
use tenantry_mail::{Sender, Transport};
use tenantry_saga::{Faults, Pace};
use tenantry_service::Settings;
use tenantry_service::domains::ProofRules;
use tenantry_sessions::Redis;
use tenantry_store::PoolBounds;
use tenantry_store::cluster::ClusterBounds;
use tenantry_webhooks::{Deliverer, Rules};
use url::Url;

use super::{DRAIN, Installation, LEASE, RECONCILE};
use crate::dns::NameServer;

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
    /// What a hash of a password costs.
    pub hash_params: HashParams,
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
    /// Where sessions lie. In Redis, the test has one of its own.
    pub sessions: SessionDriver,
    /// How many sessions a person may have at once.
    pub sessions_per_user: Option<NonZeroU32>,
    /// Where Redis is reached, where that is not the test's own.
    pub redis_url: Option<String>,
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
            hash_params: cheap_hashes(),
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
            sessions: SessionDriver::Database,
            sessions_per_user: None,
            redis_url: None,
        }
    }

    /// With sessions that lie there.
    #[must_use]
    pub fn with_sessions(mut self, sessions: SessionDriver) -> Self {
        self.sessions = sessions;
        self
    }

    /// With the Redis at this URL, which the test has of its own.
    #[must_use]
    pub fn with_redis(mut self, url: &str) -> Self {
        self.redis_url = Some(url.to_owned());
        self
    }

    /// With so many sessions for each person at once.
    #[must_use]
    pub fn with_sessions_per_user(mut self, most: NonZeroU32) -> Self {
        self.sessions_per_user = Some(most);
        self
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

    /// The registry in the PostgreSQL that this URL leads to.
    pub fn postgres_at(url: &str) -> Self {
        Self {
            registry: Some(url.to_owned()),
            ..Self::postgres()
        }
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

    /// Passwords are hashed as the product does, which takes as long as it is meant to. Without it a
    /// hash is the cheapest there is: most tests are about something else.
    #[must_use]
    pub fn with_costly_hashes(mut self) -> Self {
        self.hash_params = HashParams::default();
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

    /// Mails go to the server at this URL.
    ///
    /// # Panics
    /// Where it is none.
    #[must_use]
    pub fn with_mail_server(self, url: &str) -> Self {
        let server = Smtp::from_url(url).unwrap_or_else(|error| panic!("{url}: {error}"));
        self.with_mail(Transport::Smtp(server))
    }
}

/// The least that Argon2 can do (RFC 9106, section 3.1): 8 KiB, one pass, one lane.
///
/// # Panics
/// Where Argon2 can't do that any more.
pub(crate) fn cheap_hashes() -> HashParams {
    HashParams::new(8, 1, 1).unwrap()
}

pub(super) fn settings(installation: &Installation, options: &Options) -> Result<Settings> {
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
        hash_params: options.hash_params.clone(),
        cluster_url: installation
            .cluster
            .as_ref()
            .map(|cluster| Secret::new(cluster.url().to_owned())),
        sessions: options.sessions,
        sessions_per_user: options.sessions_per_user,
        lifetimes: Lifetimes::default(),
        redis: match installation.redis_url(options) {
            Some(url) => Some(Redis::at(&url.parse()?)?),
            None => None,
        },
        clusters: options.clusters,
        reconcile: RECONCILE,
        drain: DRAIN,
        rotate: None,
        rotate_service: None,
        rotate_signing: None,
        audit_keep: None,
        webhooks: options.webhooks.clone(),
        pools: options.pools,
        pace: options.pace,
        faults: options.faults.clone(),
    })
}
