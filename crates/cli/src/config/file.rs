//! The TOML file. Its keys are the names of the environment without their prefix, and sections
//! for what is too fine for the environment, each of which is a module beside this one.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::audit::Audit;
use super::credentials::Credentials;
use super::databases::Databases;
use super::domains::Domains;
use super::hashing::Hashing;
use super::http::Http;
use super::keys::Keys;
use super::passwords::Passwords;
use super::reconcile::Reconcile;
use super::workflows::Workflows;
use super::{LogFormat, mail, sessions, tenants, webhooks};
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
    #[serde(deserialize_with = "sessions::given")]
    pub(super) sessions: sessions::Sessions,
    pub(super) redis_url: Option<String>,
    pub(super) smtp_url: Option<String>,
    pub(super) email_uniqueness: Option<String>,
    pub(super) rate_limits: Option<String>,
    pub(super) log: Option<String>,
    pub(super) log_format: Option<LogFormat>,
    pub(super) tenants: tenants::Given,
    pub(super) domains: Domains,
    pub(super) passwords: Passwords,
    pub(super) mail: mail::Given,
    pub(super) http: Http,
    pub(super) hashing: Hashing,
    pub(super) databases: Databases,
    pub(super) credentials: Credentials,
    pub(super) workflows: Workflows,
    pub(super) reconcile: Reconcile,
    pub(super) webhooks: webhooks::Given,
    pub(super) keys: Keys,
    pub(super) audit: Audit,
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
