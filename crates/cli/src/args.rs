//! The command line.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand};

/// Tenants and their people, for SaaS products.
#[derive(Debug, Parser)]
#[command(
    name = "tenantry",
    version,
    propagate_version = true,
    max_term_width = 100
)]
pub(crate) struct Args {
    /// Answer in JSON, for programs.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) settings: SettingArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

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
    /// Where sessions lie.
    #[arg(
        long,
        global = true,
        env = "TENANTRY_SESSIONS",
        value_name = "DRIVER",
        hide = true
    )]
    pub(crate) sessions: Option<String>,
    /// Redis.
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

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the server.
    Serve {
        /// First make two tenants to look around in, and print who is there.
        #[arg(long)]
        demo: bool,
    },
    /// Print the effective settings, secrets masked.
    Config,
    /// Test every connection and say what is wrong and how to mend it.
    Doctor,
    /// Platform admins.
    #[command(subcommand)]
    Admin(AdminCommand),
    /// Tenants.
    #[command(subcommand)]
    Tenant(TenantCommand),
    /// People.
    #[command(subcommand)]
    User(UserCommand),
    /// PostgreSQL servers that tenants are placed on.
    #[command(subcommand)]
    Cluster(ClusterCommand),
    /// Who asks for a tenant.
    #[command(subcommand)]
    Application(ApplicationCommand),
    /// Durable workflows.
    #[command(subcommand)]
    Workflow(WorkflowCommand),
    /// Who did what, when, to which tenant, from where.
    #[command(subcommand)]
    Audit(AuditCommand),
}

/// Platform admins.
#[derive(Debug, Subcommand)]
pub(crate) enum AdminCommand {
    /// Add a platform admin; without a password, prints a setup link.
    Create {
        /// The address.
        #[arg(long)]
        email: String,
        /// Read the password from standard input.
        #[arg(long)]
        password_stdin: bool,
    },
    /// Every platform admin.
    List,
    /// Lift the block that wrong passwords put on an admin's account.
    Unlock {
        /// The address.
        #[arg(long)]
        email: String,
    },
}

/// People to bring along.
#[derive(Debug, ClapArgs)]
pub(crate) struct ImportArgs {
    /// The tenant, by slug or id.
    pub(crate) slug: String,
    /// The file they are in.
    #[arg(long, value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// What the file is: `ndjson` (a JSON object on each line, as the API takes them), `keycloak` (a
    /// realm's export), `auth0` (the export with hashes), `laravel` (the table `users` as CSV or
    /// JSON), or `auto`, which looks at its beginning.
    #[arg(long, value_name = "FORM", default_value = "auto")]
    pub(crate) format: String,
    /// Only look what would come of it.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Which part of a long list.
#[derive(Debug, ClapArgs)]
pub(crate) struct PageArgs {
    /// The most to show.
    #[arg(long, value_name = "COUNT", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) limit: u16,
    /// Where to go on, from an earlier answer.
    #[arg(long)]
    pub(crate) cursor: Option<String>,
}

/// People.
#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Bring people of another system along, with the password hashes they have there. Whose address
    /// is there already is skipped, so that a file can be given again.
    Import(ImportArgs),
    /// A tenant's people.
    List {
        /// The tenant, by slug or id.
        slug: String,
        #[command(flatten)]
        page: PageArgs,
    },
    /// Give somebody a new password, made here and printed once; it must be changed at the first
    /// sign-in. Ends the person's sessions.
    ResetPassword {
        /// The tenant, by slug or id.
        slug: String,
        /// The person's address.
        email: String,
    },
    /// Lift the block that wrong passwords put on a person's account.
    Unlock {
        /// The tenant, by slug or id.
        slug: String,
        /// The person's address.
        email: String,
    },
}

/// The owner of a tenant.
#[derive(Debug, ClapArgs)]
pub(crate) struct OwnerArgs {
    /// The owner's address.
    #[arg(id = "owner_email", long = "owner-email", value_name = "ADDRESS")]
    pub(crate) email: String,
    /// The owner's name.
    #[arg(id = "owner_name", long = "owner-name", value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Read the owner's password from standard input; without it the owner gets a setup link by mail.
    #[arg(id = "owner_password_stdin", long = "owner-password-stdin")]
    pub(crate) password_stdin: bool,
}

/// What to adopt: one database, or those that a file lists.
#[derive(Debug, ClapArgs)]
pub(crate) struct AdoptArgs {
    /// The database, as the server has its name.
    #[arg(
        long,
        value_name = "NAME",
        required_unless_present = "from",
        conflicts_with = "from"
    )]
    pub(crate) database: Option<String>,
    /// The tenant's name in addresses.
    #[arg(long, required_unless_present = "from", conflicts_with = "from")]
    pub(crate) slug: Option<String>,
    /// The tenant's name to show; without it the slug.
    #[arg(long, conflicts_with = "from")]
    pub(crate) name: Option<String>,
    /// The owner's address. Without somebody among the people with it, there is a new owner, who
    /// gets a setup link by mail.
    #[arg(
        long,
        value_name = "ADDRESS",
        required_unless_present = "from",
        conflicts_with = "from"
    )]
    pub(crate) owner_email: Option<String>,
    /// The cluster that the databases lie on; may be left out where there is one.
    #[arg(long)]
    pub(crate) cluster: Option<String>,
    /// The table of the people to bring along, as `schema.table`.
    #[arg(long, value_name = "TABLE", requires = "map")]
    pub(crate) users: Option<String>,
    /// Which of its columns holds what: `email=COLUMN` and, if they are there, `username=`,
    /// `full_name=`, `role=`, `password_hash=` and `disabled=`, with commas between them.
    #[arg(long, value_name = "MAP", requires = "users")]
    pub(crate) map: Option<String>,
    /// A CSV file with a line for each database, under the headings
    /// `slug,name,database,owner_email` and, if needed, `cluster,users,map`. What the options
    /// `--cluster`, `--users` and `--map` say is for lines that say nothing.
    #[arg(long, value_name = "FILE")]
    pub(crate) from: Option<PathBuf>,
    /// Only look whether everything that it takes is there.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Which tenants.
#[derive(Debug, ClapArgs)]
pub(crate) struct Which {
    /// The tenant, by slug or id.
    #[arg(value_name = "SLUG", conflicts_with = "all")]
    pub(crate) slug: Option<String>,
    /// Every tenant; also the default.
    #[arg(long)]
    pub(crate) all: bool,
}

/// Tenants.
#[derive(Debug, Subcommand)]
pub(crate) enum TenantCommand {
    /// Make a tenant.
    Create {
        /// The name to show.
        name: String,
        /// The name in addresses.
        #[arg(long)]
        slug: String,
        #[command(flatten)]
        owner: OwnerArgs,
        /// How its rows are kept apart: database, schema or shared.
        #[arg(long)]
        isolation: Option<String>,
        /// The cluster to place it on.
        #[arg(long)]
        cluster: Option<String>,
    },
    /// Make tenants of databases that were there before. Nothing that is in them is changed.
    Adopt(AdoptArgs),
    /// Every tenant.
    List,
    /// One tenant.
    Show {
        /// The tenant, by slug or id.
        slug: String,
    },
    /// Keep everybody out; nothing is lost.
    Suspend {
        /// The tenant, by slug or id.
        slug: String,
    },
    /// Let people in again.
    Resume {
        /// The tenant, by slug or id.
        slug: String,
    },
    /// Delete a tenant; it can be restored for seven days.
    Delete {
        /// The tenant, by slug or id.
        slug: String,
        /// At once and for good.
        #[arg(long)]
        purge: bool,
        /// Don't ask.
        #[arg(long)]
        force: bool,
    },
    /// Bring a deleted tenant back.
    Restore {
        /// The tenant, by slug or id.
        slug: String,
    },
    /// Drop a tenant's database and make it anew with a fresh owner.
    Recreate {
        /// The tenant, by slug or id.
        slug: String,
        #[command(flatten)]
        owner: OwnerArgs,
        /// Don't ask.
        #[arg(long)]
        force: bool,
    },
    /// Give the tenant's applications new database credentials: its owners get a link by mail, and
    /// nothing changes before one of them uses it.
    RotateCredentials {
        /// The tenant.
        slug: String,
        /// Make them now and print them, once.
        #[arg(long)]
        reveal: bool,
    },
    /// Domains of a tenant's own: claimed, proven, given up.
    #[command(subcommand)]
    Domain(DomainCommand),
    /// Compare what should be with what is; exit code 1 where anything is wrong.
    Check {
        #[command(flatten)]
        which: Which,
    },
    /// Mend what can be mended without guessing.
    Repair {
        #[command(flatten)]
        which: Which,
        /// Only show what would be mended.
        #[arg(long)]
        dry_run: bool,
        /// Also remove databases and roles of no tenant that carry our stamp or marker.
        #[arg(long)]
        prune: bool,
    },
}

/// PostgreSQL servers that tenants are placed on.
#[derive(Debug, Subcommand)]
pub(crate) enum ClusterCommand {
    /// Add a server, once it was reached and nothing lacks there that tenants need.
    Add {
        /// A name for it.
        name: String,
        /// The admin's URL: `postgres://ADMIN:PASSWORD@HOST:PORT/postgres`. The admin needs CREATEDB
        /// and CREATEROLE, and is better no superuser.
        #[arg(long)]
        url: Option<String>,
        /// Read the URL from standard input, so that its password is in no process list.
        #[arg(long, conflicts_with = "url")]
        url_stdin: bool,
        /// Take no new tenants yet.
        #[arg(long)]
        closed: bool,
        /// The most tenants to place there.
        #[arg(long, value_name = "TENANTS")]
        capacity: Option<i64>,
    },
    /// Every server and how full it is.
    List,
    /// Say which privilege or setting lacks; exit code 1 where tenants can't be placed.
    Check {
        /// The server; every one where none is named.
        name: Option<String>,
    },
    /// Place new tenants there again.
    Open {
        /// The server.
        name: String,
    },
    /// Place no new tenants there; those that are there stay.
    Close {
        /// The server.
        name: String,
    },
    /// Forget a server that no tenant lies on.
    Remove {
        /// The server.
        name: String,
    },
}

/// The audit.
#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Look whether an entry was removed, changed, added or moved; exit code 1 where one was.
    Verify,
    /// The newest entries.
    List {
        /// About this tenant, by slug or, also where it is gone, by id.
        #[arg(long, value_name = "TENANT")]
        tenant: Option<String>,
        /// The most entries to show, 1 to 1000.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=1000))]
        limit: u16,
    },
}

/// A tenant's domain.
#[derive(Debug, ClapArgs)]
pub(crate) struct DomainArgs {
    /// The tenant, by slug or id.
    pub(crate) slug: String,
    /// The domain.
    pub(crate) domain: String,
    /// What it is for: host (the tenant's pages) or email (its people's addresses) [default: host].
    #[arg(long)]
    pub(crate) kind: Option<String>,
}

/// Domains of a tenant's own.
#[derive(Debug, Subcommand)]
pub(crate) enum DomainCommand {
    /// Claim a domain, and print what has to be published to prove it.
    Add(DomainArgs),
    /// Look for the proof now; exit code 1 where it is not found.
    Verify(DomainArgs),
    /// Give a domain up.
    Remove(DomainArgs),
    /// Every domain that the tenant claims.
    List {
        /// The tenant, by slug or id.
        slug: String,
    },
}

/// Who asks for a tenant.
#[derive(Debug, Subcommand)]
pub(crate) enum ApplicationCommand {
    /// The newest applications.
    List {
        /// Only those that are `pending_proof`, pending, approved, rejected or expired.
        #[arg(long)]
        state: Option<String>,
        #[command(flatten)]
        page: PageArgs,
    },
    /// Make the tenant that is asked for; whoever asked becomes its owner and gets a setup link.
    Approve {
        /// The application's id.
        id: String,
        /// Another name in addresses.
        #[arg(long)]
        slug: Option<String>,
        /// How its rows are kept apart: database, schema or shared.
        #[arg(long)]
        isolation: Option<String>,
        /// The cluster to place it on.
        #[arg(long)]
        cluster: Option<String>,
    },
    /// Say no, and mail that to whoever asked.
    Reject {
        /// The application's id.
        id: String,
        /// Why, for the mail.
        #[arg(long)]
        reason: Option<String>,
    },
}

/// Durable workflows.
#[derive(Debug, Subcommand)]
pub(crate) enum WorkflowCommand {
    /// The newest runs.
    List,
    /// One run with its log.
    Show {
        /// Its id.
        id: String,
    },
    /// Take up a stuck run again.
    Retry {
        /// Its id.
        id: String,
    },
}
