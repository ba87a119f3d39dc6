//! The one test command: stages in a row, each with its name, time and outcome.

use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::ValueEnum;

use crate::services::Services;
use crate::shell::{Interrupted, Shell, Terminal};
use crate::{install, tidy};

/// What `cargo xtask test` can be told.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Install nothing; a missing tool is an error of the stage that needs it
    #[arg(long)]
    skip_install: bool,
    /// Run this stage alone; may be given more than once
    #[arg(long, value_name = "STAGE")]
    only: Vec<Stage>,
    /// Check for published vulnerabilities too, which needs the network
    #[arg(long)]
    advisories: bool,
    /// Passed on to the test runner
    #[arg(last = true)]
    runner: Vec<String>,
}

/// The stages, in the order in which they run: what is quick to fail comes first, and the tests
/// come last, so that their closing line stands at the end of the output.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Stage {
    /// Debian packages and cargo's tools
    Install,
    /// The formatting
    Fmt,
    /// The rules of the tree
    Tidy,
    /// Dependencies that nothing uses
    Machete,
    /// Licences, sources, duplicates and boundaries of the dependencies
    Deny,
    /// Lints over all targets
    Clippy,
    /// The examples in the documentation
    Doctest,
    /// All other tests, with the services running
    Test,
}

impl Stage {
    fn name(self) -> &'static str {
        match self {
            Self::Install => "install",
            Self::Fmt => "fmt",
            Self::Tidy => "tidy",
            Self::Machete => "machete",
            Self::Deny => "deny",
            Self::Clippy => "clippy",
            Self::Doctest => "doctest",
            Self::Test => "test",
        }
    }

    fn run(self, shell: &Shell, options: &Options) -> Result<()> {
        let mut command = match self {
            Self::Install => return install::run(shell),
            Self::Tidy => return tidy::run(shell),
            Self::Test => return run_tests(shell, options),
            Self::Fmt => shell.cargo(["fmt", "--all", "--check"]),
            Self::Machete => {
                require(shell, "cargo-machete")?;
                shell.cargo(["machete", "--with-metadata"])
            }
            Self::Deny => {
                require(shell, "cargo-deny")?;
                let mut command = shell.cargo(["deny", "check", "bans", "licenses", "sources"]);
                if options.advisories {
                    command.arg("advisories");
                }
                command
            }
            Self::Clippy => shell.cargo([
                "clippy",
                "--workspace",
                "--all-targets",
                "--",
                "-D",
                "warnings",
            ]),
            Self::Doctest => shell.cargo(["test", "--quiet", "--workspace", "--doc"]),
        };
        shell.run(&mut command, Terminal::Detached)
    }
}

fn require(shell: &Shell, tool: &str) -> Result<()> {
    shell
        .find(tool)
        .map(drop)
        .with_context(|| format!("{tool} is missing; run `cargo xtask test --only install`"))
}

/// Tests at once, unless the runner is told otherwise. Many wait: for a lease to run out, for the
/// server, for another process. On a small machine there are twice as many as cores, so that none of
/// these is idle; more than eight would only crowd the one PostgreSQL.
fn at_once() -> usize {
    let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    cores.max(8.min(2 * cores))
}

fn run_tests(shell: &Shell, options: &Options) -> Result<()> {
    let services = Services::start(shell)?;
    let mut command = if shell.find("cargo-nextest").is_some() {
        shell.cargo(["nextest", "run", "--workspace", "--no-fail-fast"])
    } else {
        // No --all-targets: doc tests have run, and benches are no tests.
        let targets = ["--lib", "--bins", "--tests"];
        shell.cargo(
            ["test", "--workspace", "--no-fail-fast"]
                .into_iter()
                .chain(targets),
        )
    };
    command
        .args(&options.runner)
        .envs(services.environment())
        .env("NEXTEST_TEST_THREADS", at_once().to_string());
    shell.run(&mut command, Terminal::Detached)
}

/// Runs the stages that were asked for. A failed stage does not keep the others from running, so
/// that one run tells everything there is to mend; an interruption ends the run at once.
pub(crate) fn run(shell: &Shell, options: &Options) -> Result<()> {
    let mut rows = Vec::new();
    for stage in chosen(options) {
        eprintln!("\n== {} ==", stage.name());
        let start = Instant::now();
        let outcome = stage.run(shell, options);
        let took = start.elapsed();
        if outcome
            .as_ref()
            .is_err_and(anyhow::Error::is::<Interrupted>)
        {
            return outcome;
        }
        if let Err(error) = &outcome {
            eprintln!("{}: {error:#}", stage.name());
        }
        eprintln!(
            "== {} {} in {} ==",
            stage.name(),
            verdict(outcome.is_ok()),
            seconds(took)
        );
        rows.push((stage, outcome.is_ok(), took));
    }

    eprintln!("\n{:<10}{:<8}{:>10}", "stage", "result", "time");
    for (stage, passed, took) in &rows {
        eprintln!(
            "{:<10}{:<8}{:>10}",
            stage.name(),
            verdict(*passed),
            seconds(*took)
        );
    }
    let failed: Vec<&str> = rows
        .iter()
        .filter(|(_, passed, _)| !passed)
        .map(|(stage, ..)| stage.name())
        .collect();
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    Ok(())
}

fn chosen(options: &Options) -> Vec<Stage> {
    Stage::value_variants()
        .iter()
        .copied()
        .filter(|stage| options.only.is_empty() || options.only.contains(stage))
        .filter(|stage| !(options.skip_install && *stage == Stage::Install))
        .collect()
}

fn verdict(passed: bool) -> &'static str {
    if passed { "ok" } else { "FAILED" }
}

fn seconds(took: Duration) -> String {
    format!("{:.1} s", took.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(only: &[Stage], skip_install: bool) -> Options {
        Options {
            skip_install,
            only: only.to_vec(),
            advisories: false,
            runner: Vec::new(),
        }
    }

    #[test]
    fn every_stage_runs_in_order_and_the_tests_run_last() {
        let stages = chosen(&options(&[], false));
        assert_eq!(stages.len(), 8);
        assert_eq!(stages.first(), Some(&Stage::Install));
        assert_eq!(stages.last(), Some(&Stage::Test));
    }

    #[test]
    fn stages_can_be_picked_and_the_install_left_out() {
        assert_eq!(
            chosen(&options(&[Stage::Tidy, Stage::Fmt], false)),
            [Stage::Fmt, Stage::Tidy]
        );
        assert!(!chosen(&options(&[], true)).contains(&Stage::Install));
    }
}
