//! `tenantry workflow`

use clap::Subcommand;

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
