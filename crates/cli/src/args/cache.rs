//! `tenantry cache`

use clap::{ArgGroup, Args as ClapArgs, Subcommand};

/// What processes keep in memory.
#[derive(Debug, Subcommand)]
pub(crate) enum CacheCommand {
    /// Take out what every process keeps in memory of one tenant, or of everything.
    ///
    /// It changes no answer, since what is kept is compared each time it is used. With --sessions
    /// people are signed out too.
    Clear(ClearArgs),
}

/// What to clear.
#[derive(Debug, ClapArgs)]
#[command(group = ArgGroup::new("which").required(true).args(["tenant", "all"]))]
pub(crate) struct ClearArgs {
    /// The tenant, by slug or id.
    #[arg(long, value_name = "ID or SLUG")]
    pub(crate) tenant: Option<String>,
    /// Every tenant and the platform.
    #[arg(long)]
    pub(crate) all: bool,
    /// End sessions too: everybody signs in anew. With --all the platform admins as well.
    #[arg(long)]
    pub(crate) sessions: bool,
    /// Don't ask.
    #[arg(long)]
    pub(crate) force: bool,
}
