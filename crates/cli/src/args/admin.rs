//! `tenantry admin`

use clap::Subcommand;

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
