//! Settings: a file, over it the environment, over it flags.
//!
//! Each section of the file is a module: what it may say, what holds where it says nothing, what is
//! refused, and what the use cases get of it.

mod address;
mod audit;
mod credentials;
mod databases;
mod domains;
mod file;
mod hashing;
mod http;
mod keys;
mod mail;
mod masking;
mod passwords;
mod reconcile;
mod refusal;
mod sessions;
mod tenants;
mod webhooks;
mod workflows;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tenantry_core::Secret;
use tenantry_core::session::SessionDriver;
use tenantry_core::tenant::EmailUniqueness;
use tenantry_keys::password::HashParams;
use tenantry_keys::sealing::MasterKey;
use tenantry_mail::Transport;
use tenantry_mail::files::Files;
use tenantry_mail::smtp::Smtp;
use tenantry_service::Settings;
use tenantry_store::cluster::ClusterBounds;
use tenantry_store::control::ControlUrl;
use tracing_subscriber::EnvFilter;
use url::Url;

use crate::args::SettingArgs;
use crate::exit::Exit;
use file::File;
use refusal::wrong;

/// Every setting, decided. Serialised by `tenantry config`, without the sections.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Config {
    pub(crate) bind: SocketAddr,
    pub(crate) public_url: Url,
    base_domain: String,
    pub(crate) data_dir: PathBuf,
    #[serde(serialize_with = "masking::url")]
    control_url: String,
    #[serde(serialize_with = "masking::url_if_any")]
    cluster_url: Option<String>,
    sessions: SessionDriver,
    #[serde(serialize_with = "masking::url_if_any")]
    redis_url: Option<String>,
    #[serde(serialize_with = "masking::url_if_any")]
    smtp_url: Option<String>,
    #[serde(serialize_with = "masking::key_if_any")]
    pub(crate) master_key: Option<String>,
    email_uniqueness: EmailUniqueness,
    rate_limits: bool,
    pub(crate) log: String,
    pub(crate) log_format: LogFormat,
    #[serde(flatten)]
    session_rules: sessions::Sessions,
    #[serde(flatten)]
    tenants: tenants::Tenants,
    #[serde(flatten)]
    domains: domains::Domains,
    #[serde(flatten)]
    passwords: passwords::Passwords,
    #[serde(flatten)]
    mail: mail::Mail,
    #[serde(flatten)]
    pub(crate) http: http::Http,
    #[serde(flatten)]
    hashing: hashing::Hashing,
    #[serde(flatten)]
    databases: databases::Databases,
    #[serde(flatten)]
    workflows: workflows::Workflows,
    #[serde(flatten)]
    credentials: credentials::Credentials,
    #[serde(flatten)]
    reconcile: reconcile::Reconcile,
    #[serde(flatten)]
    keys: keys::Keys,
    #[serde(flatten)]
    audit: audit::Audit,
    #[serde(flatten)]
    webhooks: webhooks::Webhooks,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

/// So many days; none stands for never.
fn days(number: u64) -> Option<Duration> {
    (number > 0).then(|| Duration::from_hours(24 * number))
}

fn parse<T: FromStr>(name: &str, text: Option<&str>, default: T) -> Result<T, Exit>
where
    T::Err: std::fmt::Display,
{
    text.map_or(Ok(default), |text| {
        text.parse().map_err(|error| wrong(name, error))
    })
}

impl Config {
    /// Decides every setting.
    pub(crate) fn load(args: &SettingArgs) -> Result<Self, Exit> {
        let file = match &args.config {
            Some(path) => File::read(path)?,
            None => File::default(),
        };
        let pick =
            |flag: &Option<String>, file: &Option<String>| flag.clone().or_else(|| file.clone());
        let redis_url = pick(&args.redis_url, &file.redis_url);
        let sessions = pick(&args.sessions, &file.sessions.driver);
        let sessions = sessions::driver(sessions.as_deref(), redis_url.as_deref())?;
        let data_dir = args
            .data_dir
            .clone()
            .or(file.data_dir)
            .unwrap_or_else(|| PathBuf::from("./data"));
        let base_domain =
            pick(&args.base_domain, &file.base_domain).unwrap_or_else(|| "localhost".to_owned());
        let base_domain = address::base_domain(&base_domain)?;
        let public_url = pick(&args.public_url, &file.public_url);
        let public_url =
            address::public_url(public_url.as_deref().unwrap_or("http://localhost:8000"))?;
        let config = Self {
            bind: parse(
                "TENANTRY_BIND",
                pick(&args.bind, &file.bind).as_deref(),
                SocketAddr::from(([127, 0, 0, 1], 8000)),
            )?,
            control_url: pick(&args.control_url, &file.control_url)
                .unwrap_or_else(|| format!("sqlite:{}", data_dir.join("control.db").display())),
            data_dir,
            cluster_url: pick(&args.cluster_url, &file.cluster_url),
            sessions,
            redis_url,
            smtp_url: pick(&args.smtp_url, &file.smtp_url),
            master_key: args.master_key.clone(),
            email_uniqueness: uniqueness(
                pick(&args.email_uniqueness, &file.email_uniqueness).as_deref(),
            )?,
            rate_limits: on_or_off(
                "TENANTRY_RATE_LIMITS",
                pick(&args.rate_limits, &file.rate_limits).as_deref(),
            )?,
            log: pick(&args.log, &file.log).unwrap_or_else(|| "info".to_owned()),
            log_format: file.log_format.unwrap_or_default(),
            session_rules: file.sessions,
            tenants: file.tenants.decide()?,
            domains: file.domains,
            passwords: file.passwords,
            mail: file.mail.decide(&base_domain)?,
            http: file.http,
            hashing: file.hashing,
            databases: file.databases,
            workflows: file.workflows,
            credentials: file.credentials,
            reconcile: file.reconcile,
            keys: file.keys,
            audit: file.audit,
            webhooks: file.webhooks.decide(address::is_own_machine(&public_url)),
            base_domain,
            public_url,
        };
        config.check()?;
        Ok(config)
    }

    /// What can only be seen in the settled whole.
    fn check(&self) -> Result<(), Exit> {
        self.session_rules.check()?;
        self.domains.check()?;
        self.passwords.check()?;
        self.hashing.check()?;
        self.databases.check()?;
        self.workflows.check()?;
        self.credentials.check()?;
        self.reconcile.check()?;
        self.keys.check()?;
        self.audit.check()?;
        EnvFilter::try_new(&self.log).map_err(|error| wrong("TENANTRY_LOG", error))?;
        if let Some(key) = &self.master_key {
            MasterKey::parse(key).map_err(|error| wrong("TENANTRY_MASTER_KEY", error))?;
        }
        sessions::redis(self.redis_url.as_deref())?;
        self.control()?;
        self.transport().map(drop)
    }

    /// Where the control database lies.
    pub(crate) fn control(&self) -> Result<ControlUrl, Exit> {
        self.control_url
            .parse()
            .map_err(|error| wrong("TENANTRY_CONTROL_URL", error))
    }

    /// How mail leaves.
    pub(crate) fn transport(&self) -> Result<Transport, Exit> {
        match &self.smtp_url {
            Some(url) => Smtp::from_url(url)
                .map(Transport::Smtp)
                .map_err(|error| wrong("TENANTRY_SMTP_URL", error)),
            None => Ok(Transport::Files(Files::new(self.data_dir.join("mail")))),
        }
    }

    /// The settings as the use cases need them.
    pub(crate) fn settings(&self) -> Result<Settings, Exit> {
        Ok(Settings {
            public_url: self.public_url.clone(),
            base_domain: self.base_domain.clone(),
            data_dir: self.data_dir.clone(),
            email_uniqueness: self.email_uniqueness,
            rate_limits: self.rate_limits,
            code_prefix: self.tenants.code_prefix.clone(),
            signup: self.tenants.signup,
            domains: self.domains.rules(),
            passwords: self.passwords.policy(),
            breach_check: self.passwords.breach_check()?,
            sender: self.mail.sender()?,
            mail_locale: self.mail.locale,
            hash_threads: self.hashing.threads(),
            hash_params: HashParams::default(),
            sessions: self.sessions,
            sessions_per_user: self.session_rules.per_user(),
            lifetimes: self.session_rules.lifetimes(),
            redis: sessions::redis(self.redis_url.as_deref())?,
            cluster_url: self.cluster_url.clone().map(Secret::new),
            clusters: ClusterBounds::default(),
            reconcile: self.reconcile.every(),
            drain: self.credentials.drain(),
            rotate: self.credentials.rotate(),
            rotate_service: self.credentials.rotate_service(),
            rotate_signing: self.keys.rotate_signing(),
            audit_keep: self.audit.keep(),
            webhooks: self.webhooks.deliverer(),
            pools: self.databases.bounds(),
            pace: self.workflows.pace(),
            faults: crate::faults::from_environment(),
        })
    }
}

fn uniqueness(text: Option<&str>) -> Result<EmailUniqueness, Exit> {
    text.map_or(Ok(EmailUniqueness::default()), |text| {
        text.parse().map_err(|_| {
            wrong(
                "TENANTRY_EMAIL_UNIQUENESS",
                "it is `per_tenant` or `global`",
            )
        })
    })
}

/// A switch, on by default.
fn on_or_off(name: &str, text: Option<&str>) -> Result<bool, Exit> {
    match text {
        None | Some("on") => Ok(true),
        Some("off") => Ok(false),
        Some(_) => Err(wrong(name, "it is `on` or `off`")),
    }
}
