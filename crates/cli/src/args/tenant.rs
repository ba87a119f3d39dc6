//! `tenantry tenant`

mod adopt;
mod domain;

use clap::{Args as ClapArgs, Subcommand};

pub(crate) use adopt::AdoptArgs;
pub(crate) use domain::{DomainArgs, DomainCommand};

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
    /// Drop a tenant's database and make it anew with a fresh owner. Where none is named, the
    /// first of the owners who can get in now is invited anew.
    Recreate {
        /// The tenant, by slug or id.
        slug: String,
        #[command(flatten)]
        owner: FreshOwnerArgs,
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

/// The owner of a tenant that is made anew, where one is named.
#[derive(Debug, ClapArgs)]
pub(crate) struct FreshOwnerArgs {
    /// The owner's address.
    #[arg(id = "owner_email", long = "owner-email", value_name = "ADDRESS")]
    email: Option<String>,
    /// The owner's name.
    #[arg(
        id = "owner_name",
        long = "owner-name",
        value_name = "NAME",
        requires = "owner_email"
    )]
    name: Option<String>,
    /// Read the owner's password from standard input; without it the owner gets a setup link by mail.
    #[arg(
        id = "owner_password_stdin",
        long = "owner-password-stdin",
        requires = "owner_email"
    )]
    password_stdin: bool,
}

impl FreshOwnerArgs {
    /// Who is named.
    pub(crate) fn named(self) -> Option<OwnerArgs> {
        self.email.map(|email| OwnerArgs {
            email,
            name: self.name,
            password_stdin: self.password_stdin,
        })
    }
}
