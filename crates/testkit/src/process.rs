//! The program itself as a process, with a data folder of its own: started, asked, signalled and
//! killed as an operator, or an accident, would.
//!
//! Owns the processes it starts: each ends when dropped. Refuses to hand down settings from the
//! environment of the tests. The path of the program is passed in, since Cargo tells it to the
//! tests of its crate alone.

mod running;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection};
use tempfile::TempDir;

pub use running::{Ended, Running, broken_pipe};
pub use rustix::process::Signal;

/// A program and a data folder, both of one test.
pub struct Installation {
    program: PathBuf,
    folder: TempDir,
    variables: BTreeMap<String, OsString>,
}

impl Installation {
    /// An installation that nobody has started yet, listening on a port that the system chooses.
    pub fn fresh(program: impl Into<PathBuf>) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("tenantry-").tempdir()?;
        let mut installation = Self {
            program: program.into(),
            folder,
            variables: BTreeMap::new(),
        };
        let data = installation.folder.path().join("data");
        installation.set("TENANTRY_DATA_DIR", data);
        installation.set("TENANTRY_BIND", "127.0.0.1:0");
        Ok(installation)
    }

    /// Another installation with the same settings and a copy of the data. Nobody may have it open.
    pub fn copy(&self) -> Result<Self> {
        let mut copy = Self::fresh(&self.program)?;
        for (name, value) in &self.variables {
            if name != "TENANTRY_DATA_DIR" {
                copy.set(name, value);
            }
        }
        copy_folder(&self.data(), &copy.data())?;
        Ok(copy)
    }

    /// Settles a variable of the environment for every process from now on.
    pub fn set(&mut self, name: &str, value: impl AsRef<OsStr>) -> &mut Self {
        self.variables
            .insert(name.to_owned(), value.as_ref().to_owned());
        self
    }

    /// Takes a variable back.
    pub fn unset(&mut self, name: &str) -> &mut Self {
        self.variables.remove(name);
        self
    }

    /// Writes a configuration file and has every process from now on read it.
    pub fn configure(&mut self, toml: &str) -> Result<&mut Self> {
        let path = self.folder.path().join("tenantry.toml");
        fs::write(&path, toml)?;
        Ok(self.set("TENANTRY_CONFIG", path))
    }

    /// The data folder. It is made by the first process.
    pub fn data(&self) -> PathBuf {
        self.variables
            .get("TENANTRY_DATA_DIR")
            .map_or_else(|| self.folder.path().join("data"), PathBuf::from)
    }

    /// A folder beside the data folder, for the test's own files. It goes with the installation.
    pub fn scratch(&self) -> &Path {
        self.folder.path()
    }

    /// A command that was not started, for what the other ways don't offer.
    pub fn command<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(args)
            .env_clear()
            .envs(&self.variables)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Starts a process that goes on beside the test.
    pub fn start<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Result<Running> {
        Running::start(&mut self.command(args))
    }

    /// Starts the server and waits until it listens.
    pub fn serve(&self) -> Result<Running> {
        let server = self.start(["serve"])?;
        server.address()?;
        Ok(server)
    }

    /// Runs a command to its end.
    pub fn run<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Result<Ended> {
        self.start(args)?.ended()
    }

    /// Runs a command to its end, with this on its standard input.
    pub fn run_with_input<S: AsRef<OsStr>>(
        &self,
        args: impl IntoIterator<Item = S>,
        input: &str,
    ) -> Result<Ended> {
        let mut running = Running::start(self.command(args).stdin(Stdio::piped()))?;
        if let Some(mut stdin) = running.stdin() {
            // A command that refuses before it reads is fine; its answer tells.
            let _unread = stdin.write_all(input.as_bytes());
        }
        running.ended()
    }

    /// Runs a command to its end at a terminal on which this is typed.
    pub fn run_at_terminal<S: AsRef<OsStr>>(
        &self,
        args: impl IntoIterator<Item = S>,
        typed: &str,
    ) -> Result<Ended> {
        let mut terminal = File::from(openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?);
        grantpt(&terminal)?;
        unlockpt(&terminal)?;
        let name = ptsname(&terminal, Vec::new())?;
        let end = File::options()
            .read(true)
            .write(true)
            .open(OsStr::from_bytes(name.as_bytes()))?;
        // Kept by the terminal until somebody reads a line.
        terminal.write_all(typed.as_bytes())?;
        Running::start(self.command(args).stdin(Stdio::from(end)))?.ended()
    }
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| format!("reading {}", from.display()))? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// Runs one statement on a SQLite file as somebody would who repairs or breaks it by hand; how
/// many rows it changed.
pub fn alter_sqlite(path: &Path, statement: &str) -> Result<u64> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .foreign_keys(true)
        .busy_timeout(std::time::Duration::from_secs(10));
    let altering = async || {
        let mut connection = SqliteConnection::connect_with(&options).await?;
        let done = sqlx::raw_sql(AssertSqlSafe(statement.to_owned()))
            .execute(&mut connection)
            .await?;
        connection.close().await?;
        Ok(done.rows_affected())
    };
    // The test may be in a runtime already, which can't be waited in, so a thread brings another.
    std::thread::scope(|scope| {
        let altered = scope.spawn(|| {
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?
                .block_on(altering())
        });
        altered
            .join()
            .unwrap_or_else(|_| bail!("the statement broke off"))
    })
}
