//! The program as its users meet it: the real binary, real files, real signals.

mod acts;
mod adopt;
mod alike;
mod audit;
mod browser;
mod cache;
mod clusters;
mod crash;
mod credentials;
mod damage;
mod domains;
mod endings;
mod http;
mod keys;
mod mail;
mod newcomer;
mod nodes;
mod postgres;
mod secrets;
mod serving;
mod session_drivers;
mod settings;
mod users;

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use tenantry_testkit::process::Installation;

/// A password long enough for anybody.
const PASSWORD: &str = "correct horse battery staple";

/// How long something may take that happens by itself. Reached only where something is broken;
/// generous, since tests share the machine with compilers.
const PATIENCE: Duration = Duration::from_secs(90);

/// The program with an empty data folder.
fn installation() -> Result<Installation> {
    Installation::fresh(env!("CARGO_BIN_EXE_tenantry"))
}

/// Looks again and again until `look` finds what it looks for.
fn eventually<T>(what: &str, mut look: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().with_context(|| format!("waiting until {what}"))? {
            return Ok(found);
        }
        anyhow::ensure!(Instant::now() < until, "it never came that {what}");
        std::thread::sleep(Duration::from_millis(25));
    }
}
