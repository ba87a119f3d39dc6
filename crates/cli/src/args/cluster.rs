//! `tenantry cluster`

use clap::Subcommand;

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
