//! What an operator decides.

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use tenantry_core::application::Signup;
use tenantry_core::password::PasswordPolicy;
use tenantry_core::session::{Lifetimes, SessionDriver};
use tenantry_core::tenant::EmailUniqueness;
use tenantry_core::{Locale, Secret};
use tenantry_keys::password::HashParams;
use tenantry_mail::Sender;
use tenantry_saga::{Faults, Pace};
use tenantry_sessions::Redis;
use tenantry_store::PoolBounds;
use tenantry_store::cluster::ClusterBounds;
use tenantry_webhooks::Deliverer;
use url::Url;

use crate::domains::ProofRules;
use crate::password::BreachCheck;

/// What an operator decides, as the use cases need it.
#[derive(Clone)]
pub struct Settings {
    /// What links in mails begin with; a tenant's own host replaces the host.
    pub public_url: Url,
    /// `{slug}.` is put before it.
    pub base_domain: String,
    /// Where files lie.
    pub data_dir: PathBuf,
    /// Whether one address may belong to several tenants.
    pub email_uniqueness: EmailUniqueness,
    /// Whether wrong tries are limited.
    pub rate_limits: bool,
    /// Who gets a tenant by asking for one.
    pub signup: Signup,
    /// How domains of tenants' own are proven.
    pub domains: ProofRules,
    /// What a tenant's code begins with.
    pub code_prefix: String,
    /// What a new password must be.
    pub passwords: PasswordPolicy,
    /// Who is asked whether a new password is known from a breach; nobody where there is none.
    pub breach_check: Option<BreachCheck>,
    /// Who mails come from.
    pub sender: Sender,
    /// The language of mails to people whose language is not known.
    pub mail_locale: Locale,
    /// Threads that hash passwords.
    pub hash_threads: NonZeroUsize,
    /// What a hash of a password costs. Only tests that are about something else take less than the
    /// default.
    pub hash_params: HashParams,
    /// Where sessions lie.
    pub sessions: SessionDriver,
    /// How long sessions live.
    pub lifetimes: Lifetimes,
    /// How many sessions a person may have at once; with one more the one that was used longest ago
    /// ends. As many as anybody likes where there is no such number.
    pub sessions_per_user: Option<NonZeroU32>,
    /// Redis, where there is one.
    pub redis: Option<Redis>,
    /// The admin's URL of the cluster `default`, which tenants are placed on.
    pub cluster_url: Option<Secret<String>>,
    /// How much a cluster may be asked for, and how long.
    pub clusters: ClusterBounds,
    /// How often the reconciler looks at every tenant.
    pub reconcile: Duration,
    /// How long an application's old credentials go on working beside its new ones.
    pub drain: Duration,
    /// After how long an owner is asked by mail to change the application's credentials; never
    /// where there is no such time.
    pub rotate: Option<Duration>,
    /// After how long the server changes its own credentials; never where there is no such time.
    pub rotate_service: Option<Duration>,
    /// After how long the key that signs access tokens is exchanged; never where there is no such
    /// time.
    pub rotate_signing: Option<Duration>,
    /// How long entries of the audit are kept; for ever where there is no such time.
    pub audit_keep: Option<Duration>,
    /// How notices leave, and what receivers may be.
    pub webhooks: Deliverer,
    /// How many tenant databases may be open.
    pub pools: PoolBounds,
    /// How workflows pace themselves.
    pub pace: Pace,
    /// Faults injected by tests; none in service.
    pub faults: Faults,
}
