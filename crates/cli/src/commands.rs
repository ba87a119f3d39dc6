//! Commands, one module each.

mod admin;
mod config;
mod doctor;
pub(crate) mod serve;
mod tenant;
mod workflow;

use std::process::ExitCode;

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
            telemetry::start(&config)?;
            let service = open::service(&config).await?;
            let code = admin::run(&service, command, out).await;
            service.close().await;
            code
        }
        Command::Tenant(command) => {
            telemetry::start(&config)?;
            let service = open::service(&config).await?;
            let code = tenant::run(&service, command, out).await;
            service.close().await;
            code
        }
        Command::Workflow(command) => {
            telemetry::start(&config)?;
            let service = open::service(&config).await?;
            let code = workflow::run(&service, command, out).await;
            service.close().await;
            code
        }
    }
}
