//! Settings: a file, over it the environment, over it flags.

mod file;

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use ipnet::IpNet;
use serde::Serialize;
use tenantry_core::application::Signup;
use tenantry_core::password::PasswordPolicy;
use tenantry_core::tenant::EmailUniqueness;
use tenantry_core::{Email, Locale, Secret};
use tenantry_keys::sealing::MasterKey;
use tenantry_mail::files::Files;
use tenantry_mail::smtp::Smtp;
use tenantry_mail::{Sender, Transport};
use tenantry_saga::Pace;
use tenantry_service::Settings;
use tenantry_service::domains::ProofRules;
use tenantry_service::password::BreachCheck;
use tenantry_store::PoolBounds;
use tenantry_store::cluster::ClusterBounds;
use tenantry_store::control::ControlUrl;
use tenantry_webhooks::{Deliverer, Rules};
use tracing_subscriber::EnvFilter;
use url::{Host, Url};

use crate::args::SettingArgs;
use crate::exit::Exit;
use file::File;

/// Every setting, decided. Serialised by `tenantry config`.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Config {
    pub(crate) bind: SocketAddr,
    pub(crate) public_url: Url,
    pub(crate) base_domain: String,
    pub(crate) data_dir: PathBuf,
    #[serde(serialize_with = "masked_url")]
    pub(crate) control_url: String,
    #[serde(serialize_with = "masked_option")]
    pub(crate) cluster_url: Option<String>,
    pub(crate) sessions: &'static str,
    #[serde(serialize_with = "masked_option")]
    pub(crate) smtp_url: Option<String>,
    #[serde(serialize_with = "masked_key")]
    pub(crate) master_key: Option<String>,
    pub(crate) email_uniqueness: EmailUniqueness,
    pub(crate) rate_limits: bool,
    pub(crate) log: String,
    pub(crate) log_format: LogFormat,
    pub(crate) code_prefix: String,
    pub(crate) signup: Signup,
    pub(crate) domain_resolver: Option<SocketAddr>,
    pub(crate) domain_lost_after_days: u64,
    pub(crate) password_min: usize,
    pub(crate) password_max: usize,
    #[serde(serialize_with = "masked_option")]
    pub(crate) breach_check_url: Option<String>,
    pub(crate) mail_from: String,
    pub(crate) mail_name: String,
    pub(crate) mail_locale: Locale,
    pub(crate) trusted_proxies: Vec<IpNet>,
    pub(crate) hash_threads: usize,
    pub(crate) open_databases: usize,
    pub(crate) lease_seconds: u64,
    pub(crate) drain_seconds: u64,
    pub(crate) reconcile_minutes: u64,
    pub(crate) rotate_days: u64,
    pub(crate) service_rotate_days: u64,
    pub(crate) audit_keep_days: u64,
    pub(crate) webhooks_allow_http: bool,
    pub(crate) webhooks_allow_private: bool,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

/// How long an application's old database credentials go on working beside its new ones, at most:
/// time enough to hand the new ones to every process of it.
const DRAIN: Duration = Duration::from_mins(15);

/// How long a service outside may take to say whether a password is known from a breach. Somebody
/// waits for it, and without an answer the password is allowed.
const BREACH_PATIENCE: Duration = Duration::from_secs(3);

/// Days after which the server changes its own database credentials.
const SERVICE_ROTATE_DAYS: u64 = 30;

/// Days for which entries of the audit are kept: a year, and what it takes to look at it.
const AUDIT_KEEP_DAYS: u64 = 400;

/// Days without its proof after which a domain is taken from its tenant.
const DOMAIN_LOST_AFTER_DAYS: u64 = ProofRules::LOST_AFTER.as_secs() / (24 * 3600);

/// So many days; none stands for never.
fn days(number: u64) -> Option<Duration> {
    (number > 0).then(|| Duration::from_hours(24 * number))
}

/// How often the server compares every tenant with what should be.
const RECONCILE: Duration = Duration::from_mins(15);

/// What stands in the place of a secret.
const MASK: &str = "********";

/// A URL that may be shown. A password may stand before the host or, for PostgreSQL, among the
/// parameters; what can't be taken apart is masked whole.
fn without_secrets(text: &str) -> String {
    if text.starts_with("sqlite:") {
        return text.to_owned();
    }
    let Ok(mut url) = Url::parse(text) else {
        return MASK.to_owned();
    };
    if url.password().is_some() && url.set_password(Some(MASK)).is_err() {
        return MASK.to_owned();
    }
    if url.query().is_some() {
        let parameters: Vec<(String, String)> = url
            .query_pairs()
            .map(|(name, value)| {
                let secret = name.to_ascii_lowercase().contains("password");
                let value = if secret { MASK } else { &*value };
                (name.clone().into_owned(), value.to_owned())
            })
            .collect();
        url.query_pairs_mut().clear().extend_pairs(parameters);
    }
    url.to_string()
}

fn masked_url<S: serde::Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&without_secrets(text))
}

#[expect(
    clippy::ref_option,
    reason = "serde hands over a reference to the field"
)]
fn masked_option<S: serde::Serializer>(
    text: &Option<String>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match text {
        Some(text) => masked_url(text, serializer),
        None => serializer.serialize_none(),
    }
}

#[expect(
    clippy::ref_option,
    reason = "serde hands over a reference to the field"
)]
fn masked_key<S: serde::Serializer>(
    key: &Option<String>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match key {
        Some(_) => serializer.serialize_str(MASK),
        None => serializer.serialize_none(),
    }
}

/// A setting that can't be used: one line that names it.
fn wrong(name: &str, why: impl std::fmt::Display) -> Exit {
    Exit::refused("invalid_setting", format!("{name}: {why}"))
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
        if pick(&args.redis_url, &file.redis_url).is_some() {
            return Err(wrong(
                "TENANTRY_REDIS_URL",
                "this version does not use Redis; unset it",
            ));
        }
        if pick(&args.sessions, &file.sessions).is_some_and(|driver| driver != "database") {
            return Err(wrong(
                "TENANTRY_SESSIONS",
                "this version keeps sessions in the control database; set it to `database` or unset it",
            ));
        }
        let data_dir = args
            .data_dir
            .clone()
            .or(file.data_dir)
            .unwrap_or_else(|| PathBuf::from("./data"));
        let base_domain =
            pick(&args.base_domain, &file.base_domain).unwrap_or_else(|| "localhost".to_owned());
        let control_url = pick(&args.control_url, &file.control_url)
            .unwrap_or_else(|| format!("sqlite:{}", data_dir.join("control.db").display()));
        let rate_limits = match pick(&args.rate_limits, &file.rate_limits).as_deref() {
            None | Some("on") => true,
            Some("off") => false,
            Some(_) => return Err(wrong("TENANTRY_RATE_LIMITS", "it is `on` or `off`")),
        };
        let public_url = pick(&args.public_url, &file.public_url);
        let public_url =
            checked_public_url(public_url.as_deref().unwrap_or("http://localhost:8000"))?;
        // Whoever reaches this installation at its own machine tries it out or develops with it, and
        // so do the receivers. One that serves others is reached by another name.
        let at_home = is_own_machine(&public_url);
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let config = Self {
            bind: parse(
                "TENANTRY_BIND",
                pick(&args.bind, &file.bind).as_deref(),
                SocketAddr::from(([127, 0, 0, 1], 8000)),
            )?,
            public_url,
            base_domain: checked_domain(&base_domain)?,
            data_dir,
            control_url,
            cluster_url: pick(&args.cluster_url, &file.cluster_url),
            sessions: "database",
            smtp_url: pick(&args.smtp_url, &file.smtp_url),
            master_key: args.master_key.clone(),
            email_uniqueness: uniqueness(
                pick(&args.email_uniqueness, &file.email_uniqueness).as_deref(),
            )?,
            rate_limits,
            log: pick(&args.log, &file.log).unwrap_or_else(|| "info".to_owned()),
            log_format: file.log_format.unwrap_or_default(),
            signup: file
                .tenants
                .signup
                .as_deref()
                .map_or(Ok(Signup::Closed), |text| {
                    text.parse()
                        .map_err(|_| wrong("tenants.signup", "it is `closed`, `apply` or `open`"))
                })?,
            domain_resolver: file.domains.resolver,
            domain_lost_after_days: file
                .domains
                .lost_after_days
                .unwrap_or(DOMAIN_LOST_AFTER_DAYS),
            code_prefix: file.tenants.code_prefix.unwrap_or_else(|| "TEN".to_owned()),
            password_min: file.passwords.min.unwrap_or(PasswordPolicy::default().min),
            password_max: file.passwords.max.unwrap_or(PasswordPolicy::default().max),
            breach_check_url: file.passwords.breach_check_url,
            mail_from: file
                .mail
                .from
                .unwrap_or_else(|| format!("no-reply@{base_domain}")),
            mail_name: file.mail.name.unwrap_or_else(|| "Tenantry".to_owned()),
            mail_locale: file.mail.locale.unwrap_or_default(),
            trusted_proxies: file.http.trusted_proxies,
            hash_threads: file.hashing.threads.unwrap_or(cores),
            open_databases: file.databases.open.unwrap_or_else(affordable_databases),
            drain_seconds: file.credentials.drain_seconds.unwrap_or(DRAIN.as_secs()),
            rotate_days: file.credentials.rotate_days.unwrap_or(0),
            service_rotate_days: file
                .credentials
                .service_rotate_days
                .unwrap_or(SERVICE_ROTATE_DAYS),
            reconcile_minutes: file.reconcile.minutes.unwrap_or(RECONCILE.as_secs() / 60),
            audit_keep_days: file.audit.keep_days.unwrap_or(AUDIT_KEEP_DAYS),
            webhooks_allow_http: file.webhooks.allow_http.unwrap_or(at_home),
            webhooks_allow_private: file.webhooks.allow_private.unwrap_or(at_home),
            lease_seconds: file
                .workflows
                .lease_seconds
                .unwrap_or(Pace::default().lease.as_secs()),
        };
        config.check()?;
        Ok(config)
    }

    /// What can only be seen in the settled whole.
    fn check(&self) -> Result<(), Exit> {
        let prefix = &self.code_prefix;
        if prefix.is_empty() || prefix.len() > 8 || !prefix.bytes().all(|b| b.is_ascii_uppercase())
        {
            return Err(wrong(
                "tenants.code_prefix",
                "it has 1 to 8 capital letters",
            ));
        }
        let (min, max) = (self.password_min, self.password_max);
        if min < 8 || !(64..=256).contains(&max) || min > max {
            return Err(wrong(
                "passwords.min and passwords.max",
                "min is at least 8, max is 64 to 256 and no less than min (NIST SP 800-63B-4, 3.1.1.2)",
            ));
        }
        // Each bound is far past what serves anybody, and far before what a machine can't start.
        if !(1..=1024).contains(&self.hash_threads) {
            return Err(wrong("hashing.threads", "it is 1 to 1024"));
        }
        if !(1..=100_000).contains(&self.open_databases) {
            return Err(wrong("databases.open", "it is 1 to 100000"));
        }
        if !(1..=604_800).contains(&self.drain_seconds) {
            return Err(wrong("credentials.drain_seconds", "it is 1 to 604800"));
        }
        if self.rotate_days > 3650 {
            return Err(wrong("credentials.rotate_days", "it is 0 (never) to 3650"));
        }
        if self.service_rotate_days > 3650 {
            return Err(wrong(
                "credentials.service_rotate_days",
                "it is 0 (never) to 3650",
            ));
        }
        if !(1..=365).contains(&self.domain_lost_after_days) {
            return Err(wrong("domains.lost_after_days", "it is 1 to 365"));
        }
        if self.audit_keep_days > 36_500 {
            return Err(wrong("audit.keep_days", "it is 0 (for ever) to 36500"));
        }
        if !(1..=10_080).contains(&self.reconcile_minutes) {
            return Err(wrong("reconcile.minutes", "it is 1 to 10080"));
        }
        if !(1..=86_400).contains(&self.lease_seconds) {
            return Err(wrong("workflows.lease_seconds", "it is 1 to 86400"));
        }
        EnvFilter::try_new(&self.log).map_err(|error| wrong("TENANTRY_LOG", error))?;
        if let Some(key) = &self.master_key {
            MasterKey::parse(key).map_err(|error| wrong("TENANTRY_MASTER_KEY", error))?;
        }
        self.control()?;
        self.transport().map(drop)?;
        self.breach_check().map(drop)?;
        self.sender().map(drop)
    }

    /// Where the control database lies.
    pub(crate) fn control(&self) -> Result<ControlUrl, Exit> {
        self.control_url
            .parse()
            .map_err(|error| wrong("TENANTRY_CONTROL_URL", error))
    }

    /// Who is asked whether a new password is known from a breach.
    fn breach_check(&self) -> Result<Option<BreachCheck>, Exit> {
        let Some(text) = &self.breach_check_url else {
            return Ok(None);
        };
        // An operator names the service, which may lie inside.
        let rules = Rules {
            allow_http: true,
            allow_private: true,
        };
        let url = rules
            .read(text)
            .map_err(|error| wrong("passwords.breach_check_url", error))?;
        if url.query().is_some() || !url.path().ends_with('/') {
            return Err(wrong(
                "passwords.breach_check_url",
                "it ends with a `/`, behind which five digits are put",
            ));
        }
        let http = Deliverer::new(rules).with_patience(BREACH_PATIENCE);
        Ok(Some(BreachCheck { url, http }))
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

    fn sender(&self) -> Result<Sender, Exit> {
        let address: Email = self
            .mail_from
            .parse()
            .map_err(|error| wrong("mail.from", error))?;
        Ok(Sender::new(&self.mail_name, address))
    }

    /// The settings as the use cases need them.
    pub(crate) fn settings(&self) -> Result<Settings, Exit> {
        Ok(Settings {
            public_url: self.public_url.clone(),
            base_domain: self.base_domain.clone(),
            data_dir: self.data_dir.clone(),
            email_uniqueness: self.email_uniqueness,
            rate_limits: self.rate_limits,
            code_prefix: self.code_prefix.clone(),
            signup: self.signup,
            domains: ProofRules {
                lost_after: Duration::from_hours(24 * self.domain_lost_after_days),
                ..ProofRules::asking(self.domain_resolver)
            },
            passwords: PasswordPolicy {
                min: self.password_min,
                max: self.password_max,
            },
            breach_check: self.breach_check()?,
            sender: self.sender()?,
            mail_locale: self.mail_locale,
            hash_threads: NonZeroUsize::new(self.hash_threads).unwrap_or(NonZeroUsize::MIN),
            cluster_url: self.cluster_url.clone().map(Secret::new),
            clusters: ClusterBounds::default(),
            reconcile: Duration::from_mins(self.reconcile_minutes),
            drain: Duration::from_secs(self.drain_seconds),
            rotate: days(self.rotate_days),
            rotate_service: days(self.service_rotate_days),
            audit_keep: days(self.audit_keep_days),
            webhooks: Deliverer::new(Rules {
                allow_http: self.webhooks_allow_http,
                allow_private: self.webhooks_allow_private,
            }),
            pools: PoolBounds {
                open: NonZeroUsize::new(self.open_databases).unwrap_or(NonZeroUsize::MIN),
                ..PoolBounds::default()
            },
            pace: Pace {
                lease: Duration::from_secs(self.lease_seconds),
                ..Pace::default()
            },
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

fn checked_public_url(text: &str) -> Result<Url, Exit> {
    let url = Url::parse(text).map_err(|error| wrong("TENANTRY_PUBLIC_URL", error))?;
    let plain = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.path() == "/";
    if !matches!(url.scheme(), "http" | "https") || !plain || url.host_str().is_none() {
        return Err(wrong(
            "TENANTRY_PUBLIC_URL",
            "it is http:// or https:// with a host and nothing behind it",
        ));
    }
    Ok(url)
}

/// Whether a URL leads to the machine it is read on.
fn is_own_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

fn checked_domain(text: &str) -> Result<String, Exit> {
    let sane = !text.is_empty()
        && text.len() <= 200
        && text.split('.').all(|label| {
            !label.is_empty()
                && label
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        });
    if sane {
        Ok(text.to_owned())
    } else {
        Err(wrong(
            "TENANTRY_BASE_DOMAIN",
            "it is a host name in lower case",
        ))
    }
}

/// As many open tenant databases as file descriptors allow: each has a writer and a reader, each
/// of those three descriptors, and 256 stay for sockets and the rest.
fn affordable_databases() -> usize {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile)
        .current
        .unwrap_or(u64::MAX);
    let databases = limit.saturating_sub(256) / 6;
    usize::try_from(databases.clamp(8, 512)).unwrap_or(512)
}
