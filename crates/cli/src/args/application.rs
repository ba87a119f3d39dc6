//! `tenantry application`

use clap::Subcommand;

use super::page::PageArgs;

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
