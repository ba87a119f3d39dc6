//! A PostgreSQL server of one test, which it may kill, start again and fill up.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::environment;

/// How long a start may take, with the recovery of what a kill left; a second is usual.
const START: Duration = Duration::from_mins(1);

/// The superuser's password. It guards nothing: the server is gone with the test.
const PASSWORD: &str = "private";

/// How a server is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Killed (SIGKILL), as by a lack of memory. Its backends go when they notice.
    Killed,
    /// Told to stop at once (SIGQUIT, `pg_ctl stop -m immediate`), as in a hurried shutdown.
    AtOnce,
}

/// A server with nothing on it but its superuser. Started, ended and started again by the test's
/// own thread: the kernel ends it when that thread is gone. Dropping it removes its files.
pub struct PrivatePostgres {
    server: Option<Child>,
    settings: Vec<String>,
    german: bool,
    port: u16,
    url: String,
    folder: TempDir,
}

impl PrivatePostgres {
    /// A server with these settings, such as `max_connections=12`, beside those of every test.
    pub fn start(settings: &[&str]) -> Result<Self> {
        Self::speaking(false, settings)
    }

    /// A server whose messages are German.
    ///
    /// Without a German locale on the machine: where messages are in any locale but `C`, the
    /// variable `LANGUAGE` chooses among the translations, which come with the server itself.
    pub fn german() -> Result<Self> {
        Self::speaking(true, &[])
    }

    fn speaking(german: bool, settings: &[&str]) -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("tenantry-private-")
            .tempdir()?;
        if let Some((user, group)) = account()? {
            chown(folder.path(), Some(user), Some(group))?;
        }
        let password = folder.path().join("password");
        fs::write(&password, PASSWORD)?;
        let initdb = command("initdb", folder.path())?
            .args(["--username=postgres", "--auth=scram-sha-256"])
            .args(["--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"])
            .arg("--pwfile")
            .arg(&password)
            .arg("--pgdata")
            .arg(folder.path().join("data"))
            .output()?;
        ensure!(initdb.status.success(), "initdb: {initdb:?}");
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
            .local_addr()?
            .port();
        let mut server = Self {
            server: None,
            settings: settings
                .iter()
                .map(|setting| (*setting).to_owned())
                .collect(),
            german,
            port,
            url: format!("postgres://postgres:{PASSWORD}@127.0.0.1:{port}/postgres"),
            folder,
        };
        server.restart()?;
        Ok(server)
    }

    /// The superuser's URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Ends the server; nothing where it does not run.
    pub fn end(&mut self, how: Ending) -> Result<()> {
        let Some(mut server) = self.server.take() else {
            return Ok(());
        };
        let signal = match how {
            Ending::Killed => Signal::KILL,
            Ending::AtOnce => Signal::QUIT,
        };
        kill_process(Pid::from_child(&server), signal)?;
        server.wait()?;
        Ok(())
    }

    /// Starts the server where it does not run, and waits until it takes connections.
    pub fn restart(&mut self) -> Result<()> {
        if self.server.is_some() {
            return Ok(());
        }
        let until = Instant::now() + START;
        loop {
            // Backends of a killed server hold its memory until they notice that it is gone, and
            // until then no other one starts over the same files.
            match self.try_start(until) {
                Err(_) if Instant::now() < until => std::thread::sleep(Duration::from_millis(50)),
                outcome => return outcome,
            }
        }
    }

    fn try_start(&mut self, until: Instant) -> Result<()> {
        let log = self.folder.path().join("log");
        let mut postgres = command("postgres", self.folder.path())?;
        postgres.arg("-D").arg(self.folder.path().join("data"));
        let own = [
            "listen_addresses=127.0.0.1".to_owned(),
            format!("port={}", self.port),
            format!("unix_socket_directories={}", self.folder.path().display()),
            "fsync=off".to_owned(),
            "full_page_writes=off".to_owned(),
            format!("lc_messages={}", if self.german { "C.UTF-8" } else { "C" }),
        ];
        for setting in own.iter().chain(&self.settings) {
            postgres.args(["-c", setting]);
        }
        if self.german {
            postgres.env("LANGUAGE", "de");
        }
        let mut server = postgres
            .process_group(0)
            .stdout(Stdio::null())
            .stderr(File::create(&log)?)
            .spawn()?;
        while server.try_wait()?.is_none() {
            if self.is_ready(server.id())? {
                self.server = Some(server);
                return Ok(());
            }
            if Instant::now() > until {
                server.kill()?;
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        server.wait()?;
        bail!("the server did not start: {}", fs::read_to_string(log)?)
    }

    /// Whether the server with this number says so itself, in the eighth line of its file, which
    /// needs no connection and is the same in every language. A killed one leaves its file behind.
    fn is_ready(&self, server: u32) -> Result<bool> {
        let file = match File::open(self.folder.path().join("data/postmaster.pid")) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        let lines: Vec<String> = BufReader::new(file).lines().collect::<Result<_, _>>()?;
        let line = |number: usize| lines.get(number).map(|line| line.trim());
        Ok(line(0) == Some(&*server.to_string()) && line(7) == Some("ready"))
    }
}

impl Drop for PrivatePostgres {
    fn drop(&mut self) {
        if let Err(error) = self.end(Ending::AtOnce) {
            eprintln!("a private PostgreSQL can't be ended: {error:#}");
        }
    }
}

/// The user and group that a server must run as, where it can't as we do.
fn account() -> Result<Option<(u32, u32)>> {
    let Some(account) = environment("TENANTRY_TEST_POSTGRES_ACCOUNT") else {
        return Ok(None);
    };
    let (user, group) = account.split_once(':').context("user:group")?;
    Ok(Some((user.parse()?, group.parse()?)))
}

/// A program of the server, run as the user that a server may run as.
fn command(program: &str, folder: &Path) -> Result<Command> {
    let binaries = environment("TENANTRY_TEST_POSTGRES_BINARIES").context(
        "this test needs PostgreSQL's programs (TENANTRY_TEST_POSTGRES_BINARIES is not set): run \
         `cargo xtask test`, or `cargo xtask services -- cargo nextest run -p CRATE`",
    )?;
    let mut words: Vec<OsString> = Vec::new();
    if let Some((user, group)) = account()? {
        words.push(format!("--reuid={user}").into());
        words.push(format!("--regid={group}").into());
        words.push("--clear-groups".into());
    }
    let mut command = Command::new("setpriv");
    command
        .args(words)
        .args(["--pdeathsig", "INT", "--"])
        .arg(PathBuf::from(binaries).join(program))
        .current_dir(folder)
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::null());
    Ok(command)
}

#[cfg(test)]
mod tests {
    use sqlx::{Connection as _, PgConnection};

    use super::*;

    #[tokio::test]
    async fn a_server_comes_back_after_every_ending_with_what_was_committed() {
        let mut server = PrivatePostgres::start(&[]).unwrap();
        let mut conn = PgConnection::connect(server.url()).await.unwrap();
        for sql in ["CREATE TABLE kept (a INT)", "INSERT INTO kept VALUES (7)"] {
            sqlx::raw_sql(sql).execute(&mut conn).await.unwrap();
        }
        for how in [Ending::Killed, Ending::AtOnce] {
            server.end(how).unwrap();
            assert!(PgConnection::connect(server.url()).await.is_err());
            server.restart().unwrap();
            let mut conn = PgConnection::connect(server.url()).await.unwrap();
            let kept: i32 = sqlx::query_scalar("SELECT a FROM kept")
                .fetch_one(&mut conn)
                .await
                .unwrap();
            assert_eq!(kept, 7, "{how:?}");
        }
    }

    #[tokio::test]
    async fn a_german_server_speaks_german() {
        let server = PrivatePostgres::german().unwrap();
        let mut conn = PgConnection::connect(server.url()).await.unwrap();
        let error = sqlx::raw_sql("SELECT 1/0").execute(&mut conn).await;
        let error = error.unwrap_err();
        let error = error.as_database_error().unwrap();
        assert_eq!(error.code().as_deref(), Some("22012"));
        assert_eq!(error.message(), "Division durch Null");
    }
}
