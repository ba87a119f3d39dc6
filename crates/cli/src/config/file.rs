//! The TOML file. Its keys are the names of the environment without their prefix, and sections
//! for what is too fine for the environment.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use ipnet::IpNet;
use serde::Deserialize;
use tenantry_core::Locale;

use super::LogFormat;
use crate::exit::Exit;

/// The file. A key that is not known stops the start: it is a slip or from another version.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct File {
    pub(super) bind: Option<String>,
    pub(super) public_url: Option<String>,
    pub(super) base_domain: Option<String>,
    pub(super) data_dir: Option<PathBuf>,
    pub(super) control_url: Option<String>,
    pub(super) cluster_url: Option<String>,
    pub(super) sessions: Option<String>,
    pub(super) redis_url: Option<String>,
    pub(super) smtp_url: Option<String>,
    pub(super) email_uniqueness: Option<String>,
    pub(super) rate_limits: Option<String>,
    pub(super) log: Option<String>,
    pub(super) log_format: Option<LogFormat>,
    pub(super) tenants: Tenants,
    pub(super) domains: Domains,
    pub(super) passwords: Passwords,
    pub(super) mail: Mail,
    pub(super) http: Http,
    pub(super) hashing: Hashing,
    pub(super) databases: Databases,
    pub(super) credentials: Credentials,
    pub(super) workflows: Workflows,
    pub(super) reconcile: Reconcile,
    pub(super) webhooks: Webhooks,
    pub(super) audit: Audit,
}

/// `[tenants]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Tenants {
    /// What a tenant's code begins with.
    pub(super) code_prefix: Option<String>,
    /// Who gets a tenant by asking for one: `closed`, `apply` or `open`.
    pub(super) signup: Option<String>,
}

/// `[domains]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Domains {
    /// The name server that is asked for the proof of a domain, as `address:port`.
    pub(super) resolver: Option<SocketAddr>,
    /// Days without its proof after which a domain is taken from its tenant.
    pub(super) lost_after_days: Option<u64>,
}

/// `[passwords]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Passwords {
    /// Fewest characters.
    pub(super) min: Option<usize>,
    /// Most characters.
    pub(super) max: Option<usize>,
    /// What is asked whether a new password is known from a breach, such as
    /// `https://api.pwnedpasswords.com/range/`; five digits of a hash are put behind it.
    pub(super) breach_check_url: Option<String>,
}

/// `[mail]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Mail {
    /// The sender's address.
    pub(super) from: Option<String>,
    /// The sender's name.
    pub(super) name: Option<String>,
    /// The language of mails to people whose language is not known.
    pub(super) locale: Option<Locale>,
}

/// `[http]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Http {
    /// Proxies whose forwarded headers count, as networks.
    pub(super) trusted_proxies: Vec<IpNet>,
}

/// `[hashing]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Hashing {
    /// Threads that hash passwords.
    pub(super) threads: Option<usize>,
}

/// `[databases]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Databases {
    /// Tenant databases open at once.
    pub(super) open: Option<usize>,
}

/// `[credentials]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Credentials {
    /// Seconds for which an application's old database credentials go on working beside its new
    /// ones, at most.
    pub(super) drain_seconds: Option<u64>,
    /// Days after which an owner is asked by mail to change the application's credentials; 0, the
    /// default, never.
    pub(super) rotate_days: Option<u64>,
    /// Days after which the server changes its own credentials; 0 never.
    pub(super) service_rotate_days: Option<u64>,
}

/// `[workflows]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Workflows {
    /// Seconds without a sign of life after which a run is taken up by another process.
    pub(super) lease_seconds: Option<u64>,
}

/// `[reconcile]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Reconcile {
    /// Minutes from one comparison of every tenant with what should be to the next.
    pub(super) minutes: Option<u64>,
}

/// `[webhooks]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Webhooks {
    /// Whether notices may go to any receiver without TLS; to this machine they always may.
    pub(super) allow_http: Option<bool>,
    /// Whether receivers may be on this machine or in a private network.
    pub(super) allow_private: Option<bool>,
}

/// `[audit]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Audit {
    /// Days for which entries are kept; 0 for ever.
    pub(super) keep_days: Option<u64>,
}

impl File {
    pub(super) fn read(path: &Path) -> Result<Self, Exit> {
        let refused = |why: String| {
            Exit::refused(
                "invalid_setting",
                format!("TENANTRY_CONFIG: {}: {why}", path.display()),
            )
        };
        let text = std::fs::read_to_string(path).map_err(|error| refused(error.to_string()))?;
        toml::from_str(&text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start.min(text.len()));
            let before = text.get(..start).unwrap_or_default();
            let number = before.matches('\n').count() + 1;
            // The key alone: what it was set to may be a secret.
            let key = text
                .lines()
                .nth(number - 1)
                .and_then(|line| line.split_once('='))
                .map(|(key, _)| format!(", {}", key.trim()))
                .unwrap_or_default();
            refused(format!("line {number}{key}: {}", error.message()))
        })
    }
}
