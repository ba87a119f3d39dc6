//! Development tasks, reached as `cargo xtask`.
//!
//! Owns what a contributor and the continuous integration run: the one test command, the
//! throw-away services the tests talk to, and the rules about the tree that no compiler checks.
//! Refuses to know anything of the product: it depends on no other crate of the workspace.

mod install;
mod services;
mod shell;
mod test;
mod tidy;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::services::Services;
use crate::shell::{Interrupted, Shell, Terminal};

#[derive(Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    about = "Development tasks"
)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Install what the tests need, check the tree, start the services and run every test
    Test(test::Options),
    /// Start the throw-away services, run a command with their addresses set, stop them
    Services {
        /// The command and its arguments
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<String>,
    },
    /// Check the rules of the tree that no compiler checks
    Tidy,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments.task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is::<Interrupted>() => {
            eprintln!("interrupted");
            ExitCode::from(130)
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: &Task) -> Result<()> {
    let shell = Shell::open()?;
    match task {
        Task::Test(options) => test::run(&shell, options),
        Task::Services { command } => with_services(&shell, command),
        Task::Tidy => tidy::run(&shell),
    }
}

fn with_services(shell: &Shell, words: &[String]) -> Result<()> {
    let services = Services::start(shell)?;
    eprintln!("TENANTRY_TEST_POSTGRES={}", services.postgres_url());
    let mut command = shell.command(&words[0]);
    // The command belongs to whoever typed it, so it runs where it was typed.
    command
        .args(&words[1..])
        .current_dir(std::env::current_dir()?)
        .envs(services.environment());
    shell.run(&mut command, Terminal::Shared)
}
