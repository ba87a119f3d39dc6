//! `tenantry audit`

use clap::Subcommand;

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
