//! Commands, one module each.

mod acts;
mod admin;
mod application;
mod audit;
mod cache;
mod cluster;
mod config;
mod doctor;
mod key;
pub(crate) mod serve;
mod tenant;
mod user;
mod workflow;

use std::process::ExitCode;

use tenantry_service::Service;

use self::acts::Doing;
use crate::args::{Args, Command};
use crate::config::Config;
use crate::exit::Exit;
use crate::output::Output;
use crate::{open, telemetry};

/// Runs what the command line asks for.
pub(crate) async fn run(args: Args) -> Result<ExitCode, Exit> {
    let mut config = Config::load(&args.settings)?;
    let out = Output { json: args.json };
    let serving = matches!(args.command, Command::Serve { .. });
    let showing = matches!(args.command, Command::Config);
    if !serving && !showing && args.settings.log.is_none() {
        // A command answers; what it does on the way is for whoever asks.
        "warn".clone_into(&mut config.log);
    }
    let doing = acts::of(&args.command);
    match args.command {
        Command::Config => config::run(&config, out),
        Command::Doctor => Box::pin(doctor::run(&config, out)).await,
        Command::Serve { demo } => {
            telemetry::start(&config)?;
            serve::run(&config, demo, out).await
        }
        Command::Admin(command) => {
            over(&config, doing, async |service| {
                admin::run(service, command, out).await
            })
            .await
        }
        Command::Tenant(command) => {
            over(&config, doing, async |service| {
                Box::pin(tenant::run(service, command, out)).await
            })
            .await
        }
        Command::User(command) => {
            over(&config, doing, async |service| {
                user::run(service, command, out).await
            })
            .await
        }
        Command::Cluster(command) => {
            over(&config, doing, async |service| {
                cluster::run(service, command, out).await
            })
            .await
        }
        Command::Application(command) => {
            over(&config, doing, async |service| {
                application::run(service, command, out).await
            })
            .await
        }
        Command::Workflow(command) => {
            over(&config, doing, async |service| {
                workflow::run(service, command, out).await
            })
            .await
        }
        Command::Key(command) => {
            over(&config, doing, async |service| {
                key::run(service, command, out).await
            })
            .await
        }
        Command::Cache(command) => {
            over(&config, doing, async |service| {
                cache::run(service, command, out).await
            })
            .await
        }
        Command::Audit(command) => {
            over(&config, doing, async |service| {
                audit::run(service, command, out).await
            })
            .await
        }
    }
}

/// Runs a command over the service, with an entry in the audit where it changes something, and closes
/// the service whatever came of it.
async fn over(
    config: &Config,
    doing: Option<Doing>,
    command: impl AsyncFnOnce(&Service) -> Result<ExitCode, Exit>,
) -> Result<ExitCode, Exit> {
    telemetry::start(config)?;
    let service = open::service(config).await?;
    let code = match doing {
        Some(doing) => acts::around(&service, doing, Box::pin(command(&service))).await,
        None => Box::pin(command(&service)).await,
    };
    if let Err(error) = service.settle_everywhere().await {
        tracing::warn!(%error, "whether it counts in every node by now is not known; it does within a second");
    }
    service.close().await;
    code
}
