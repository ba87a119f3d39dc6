//! The settings that can be flags.

use std::path::PathBuf;

use clap::Args as ClapArgs;

/// Settings that can be given as flags or in the environment; they win over the file.
#[derive(Debug, Clone, Default, ClapArgs)]
#[command(next_help_heading = "Settings")]
pub(crate) struct SettingArgs {
    /// A TOML file with settings.
    #[arg(long, global = true, env = "TENANTRY_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The address to listen on [default: 127.0.0.1:8000].
    #[arg(long, global = true, env = "TENANTRY_BIND", value_name = "ADDRESS")]
    pub(crate) bind: Option<String>,
    /// What links in mails begin with [default: `http://localhost:8000`].
    #[arg(long, global = true, env = "TENANTRY_PUBLIC_URL", value_name = "URL")]
    pub(crate) public_url: Option<String>,
    /// `{slug}.` is put before it [default: localhost].
    #[arg(
        long,
        global = true,
        env = "TENANTRY_BASE_DOMAIN",
        value_name = "DOMAIN"
    )]
    pub(crate) base_domain: Option<String>,
    /// Where files lie [default: ./data].
    #[arg(long, global = true, env = "TENANTRY_DATA_DIR", value_name = "FOLDER")]
    pub(crate) data_dir: Option<PathBuf>,
    /// `sqlite:PATH` or `postgres://…` [default: SQLite in the data folder].
    #[arg(
        long,
        global = true,
        env = "TENANTRY_CONTROL_URL",
        value_name = "URL",
        hide_env_values = true
    )]
    pub(crate) control_url: Option<String>,
    /// The PostgreSQL cluster for tenant databases.
    #[arg(
        long,
        global = true,
        env = "TENANTRY_CLUSTER_URL",
        value_name = "URL",
        hide = true,
        hide_env_values = true
    )]
    pub(crate) cluster_url: Option<String>,
    /// Where sessions lie: `database`, `redis` or `file` [default: database].
    // `--sessions` alone is what commands call the sessions that they end.
    #[arg(
        id = "sessions_driver",
        long = "sessions-driver",
        global = true,
        env = "TENANTRY_SESSIONS",
        value_name = "DRIVER",
        hide = true
    )]
    pub(crate) sessions: Option<String>,
    /// `redis://…`, or `rediss://…` with TLS.
    #[arg(
        long,
        global = true,
        env = "TENANTRY_REDIS_URL",
        value_name = "URL",
        hide = true,
        hide_env_values = true
    )]
    pub(crate) redis_url: Option<String>,
    /// `smtp://…` [default: each mail is a file in the data folder].
    #[arg(
        long,
        global = true,
        env = "TENANTRY_SMTP_URL",
        value_name = "URL",
        hide_env_values = true
    )]
    pub(crate) smtp_url: Option<String>,
    /// 32 bytes in base64 that stored secrets are sealed under [default: a file in the data folder].
    #[arg(
        long,
        global = true,
        env = "TENANTRY_MASTER_KEY",
        value_name = "KEY",
        hide = true,
        hide_env_values = true
    )]
    pub(crate) master_key: Option<String>,
    /// `per_tenant` or `global` [default: `per_tenant`].
    #[arg(
        long,
        global = true,
        env = "TENANTRY_EMAIL_UNIQUENESS",
        value_name = "RULE"
    )]
    pub(crate) email_uniqueness: Option<String>,
    /// `on` or `off` [default: on].
    #[arg(
        long,
        global = true,
        env = "TENANTRY_RATE_LIMITS",
        value_name = "ON_OR_OFF"
    )]
    pub(crate) rate_limits: Option<String>,
    /// What to log, as tracing filters [default: info].
    #[arg(long, global = true, env = "TENANTRY_LOG", value_name = "FILTER")]
    pub(crate) log: Option<String>,
}
