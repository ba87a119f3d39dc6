//! `tenantry tenant domain`

use clap::{Args as ClapArgs, Subcommand};

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
