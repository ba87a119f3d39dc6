//! The command line: what goes for every command here, and each family of commands in a file of its
//! own. What a command does is in the module of the same name in `commands`.

mod admin;
mod application;
mod audit;
mod cache;
mod cluster;
mod key;
mod page;
mod settings;
mod tenant;
mod user;
mod workflow;

use clap::{Parser, Subcommand};

pub(crate) use admin::AdminCommand;
pub(crate) use application::ApplicationCommand;
pub(crate) use audit::AuditCommand;
pub(crate) use cache::{CacheCommand, ClearArgs};
pub(crate) use cluster::ClusterCommand;
pub(crate) use key::{KeyCommand, RotateArgs};
pub(crate) use page::PageArgs;
pub(crate) use settings::SettingArgs;
pub(crate) use tenant::{AdoptArgs, DomainArgs, DomainCommand, OwnerArgs, TenantCommand, Which};
pub(crate) use user::{ImportArgs, UserCommand};
pub(crate) use workflow::WorkflowCommand;

/// Tenants and their people, for SaaS products.
#[derive(Debug, Parser)]
#[command(
    name = "tenantry",
    version,
    propagate_version = true,
    max_term_width = 100
)]
pub(crate) struct Args {
    /// Answer in JSON, for programs.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) settings: SettingArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the server.
    Serve {
        /// First make two tenants to look around in, and print who is there.
        #[arg(long)]
        demo: bool,
    },
    /// Print the effective settings, secrets masked.
    Config,
    /// Test every connection and say what is wrong and how to mend it.
    Doctor,
    /// Platform admins.
    #[command(subcommand)]
    Admin(AdminCommand),
    /// Tenants.
    #[command(subcommand)]
    Tenant(TenantCommand),
    /// People.
    #[command(subcommand)]
    User(UserCommand),
    /// PostgreSQL servers that tenants are placed on.
    #[command(subcommand)]
    Cluster(ClusterCommand),
    /// Who asks for a tenant.
    #[command(subcommand)]
    Application(ApplicationCommand),
    /// Durable workflows.
    #[command(subcommand)]
    Workflow(WorkflowCommand),
    /// The keys that sign access tokens and that stored secrets are sealed with.
    #[command(subcommand)]
    Key(KeyCommand),
    /// What processes keep in memory.
    #[command(subcommand)]
    Cache(CacheCommand),
    /// Who did what, when, to which tenant, from where.
    #[command(subcommand)]
    Audit(AuditCommand),
}
