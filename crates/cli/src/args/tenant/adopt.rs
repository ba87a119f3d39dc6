//! `tenantry tenant adopt`

use std::path::PathBuf;

use clap::Args as ClapArgs;

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
