//! The throw-away services that tests talk to, and the names under which tests find them.
//!
//! `cargo xtask test` and `cargo xtask services` start them; dropping [`Services`] ends them. The
//! counterpart that reads these names is `tenantry_testkit::services`.

mod postgres;

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::services::postgres::Postgres;
use crate::shell::Shell;

pub(crate) use postgres::server_binaries;

/// The running services.
pub(crate) struct Services {
    postgres: Postgres,
    programs: Vec<(&'static str, PathBuf)>,
}

impl Services {
    /// Starts all services; each is ended again if a later one fails.
    pub(crate) fn start(shell: &Shell) -> Result<Self> {
        let postgres = Postgres::start(shell)?;
        let programs = [
            ("TENANTRY_TEST_CHROMIUM", chromium(shell)),
            ("TENANTRY_TEST_CHROMEDRIVER", chromedriver(shell)),
            ("TENANTRY_TEST_REDIS", redis_server(shell)),
            ("TENANTRY_TEST_PYTHON", python_with_smtp(shell)),
        ];
        let programs = programs
            .into_iter()
            .filter_map(|(name, file)| Some((name, file?)))
            .collect();
        Ok(Self { postgres, programs })
    }

    /// The administrator's URL of the PostgreSQL cluster.
    pub(crate) fn postgres_url(&self) -> String {
        self.postgres.url()
    }

    /// The environment in which tests find the services. Redis, Chromium, its driver and the SMTP
    /// server are started by the tests themselves; only where they are is told.
    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        let binaries = self.postgres.binaries().display().to_string();
        let mut environment = vec![
            ("TENANTRY_TEST_POSTGRES", self.postgres_url()),
            ("TENANTRY_TEST_POSTGRES_BINARIES", binaries),
        ];
        if let Some(account) = self.postgres.account() {
            environment.push(("TENANTRY_TEST_POSTGRES_ACCOUNT", account));
        }
        for (name, file) in &self.programs {
            environment.push((*name, file.display().to_string()));
        }
        environment
    }
}

/// Chromium, under any of the names that distributions give it.
pub(crate) fn chromium(shell: &Shell) -> Option<PathBuf> {
    ["chromium", "chromium-browser", "google-chrome"]
        .iter()
        .find_map(|name| shell.find(name))
}

/// Redis' server; Valkey's is one too. Debian puts it where administrators look.
pub(crate) fn redis_server(shell: &Shell) -> Option<PathBuf> {
    let system = Path::new("/usr/bin/redis-server").to_owned();
    ["redis-server", "valkey-server"]
        .iter()
        .find_map(|name| shell.find(name))
        .or_else(|| Some(system).filter(|file| file.is_file()))
}

/// The driver of Chromium.
pub(crate) fn chromedriver(shell: &Shell) -> Option<PathBuf> {
    shell.find("chromedriver")
}

/// A Python that has aiosmtpd. The system's comes first: the distribution's package is seen by it
/// alone, and a version manager may have put another Python before it on `PATH`.
pub(crate) fn python_with_smtp(shell: &Shell) -> Option<PathBuf> {
    let system = Some(Path::new("/usr/bin/python3").to_owned()).filter(|file| file.is_file());
    [system, shell.find("python3")]
        .into_iter()
        .flatten()
        .find(|python| {
            shell
                .output(shell.command(python).args(["-c", "import aiosmtpd"]))
                .is_ok()
        })
}
