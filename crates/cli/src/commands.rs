//! Commands, one module each.

mod admin;
mod cluster;
mod config;
mod doctor;
pub(crate) mod serve;
mod tenant;
mod user;
mod workflow;

use std::process::ExitCode;

use tenantry_service::Service;

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
    match args.command {
        Command::Config => config::run(&config, out),
        Command::Doctor => Box::pin(doctor::run(&config, out)).await,
        Command::Serve { demo } => {
            telemetry::start(&config)?;
            serve::run(&config, demo, out).await
        }
        Command::Admin(command) => {
            over(&config, async |service| {
                admin::run(service, command, out).await
            })
            .await
        }
        Command::Tenant(command) => {
            over(&config, async |service| {
                Box::pin(tenant::run(service, command, out)).await
            })
            .await
        }
        Command::User(command) => {
            over(&config, async |service| {
                user::run(service, command, out).await
            })
            .await
        }
        Command::Cluster(command) => {
            over(&config, async |service| {
                cluster::run(service, command, out).await
            })
            .await
        }
        Command::Workflow(command) => {
            over(&config, async |service| {
                workflow::run(service, command, out).await
            })
            .await
        }
    }
}

/// Runs a command over the service, and closes it whatever came of it.
async fn over(
    config: &Config,
    command: impl AsyncFnOnce(&Service) -> Result<ExitCode, Exit>,
) -> Result<ExitCode, Exit> {
    telemetry::start(config)?;
    let service = open::service(config).await?;
    let code = command(&service).await;
    service.close().await;
    code
}
