//! The binary `tenantry`: settings, commands, wiring, exit codes.
//!
//! Data goes to stdout, talk to stderr. Every command works beside a running server, over the same
//! database, and the server notices at once.

mod args;
mod commands;
mod config;
mod exit;
mod faults;
mod master_key;
mod open;
mod output;
mod telemetry;

use std::process::ExitCode;

use clap::Parser as _;

use crate::args::Args;
use crate::exit::Exit;

/// Made for many small things that come and go on several threads, which is what a request is: beside
/// the system's it takes a tenth off the cost of one.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let args = Args::parse();
    let json = args.json;
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return Exit::failed("starting", error).report(json),
    };
    let outcome = runtime.block_on(async {
        tokio::select! {
            outcome = commands::run(args) => outcome,
            () = interrupted() => Err(Exit::Interrupted),
        }
    });
    // Work a command left in the background was recorded first; the next process takes it up.
    runtime.shutdown_background();
    match outcome {
        Ok(code) => code,
        Err(exit) => exit.report(json),
    }
}

/// Resolves on Ctrl-C, except while the server handles it itself.
async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() || commands::serve::handles_signals() {
        std::future::pending::<()>().await;
    }
}
