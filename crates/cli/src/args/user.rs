//! `tenantry user`

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};

use super::page::PageArgs;

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
