//! A PostgreSQL cluster that lives as long as one test run.
//!
//! It listens on a free port of 127.0.0.1, asks for a random password as a real cluster would, and
//! gives up durability for speed. It must not run as root, so a privileged caller hands it to the
//! `postgres` user. Should this process be killed, the kernel interrupts the server.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal};
use tempfile::TempDir;

use crate::shell::Shell;

/// What the server logs once it can be used.
const READY: &str = "database system is ready to accept connections";

/// How long a start may take; a second is usual, a loaded machine needs more.
const START: Duration = Duration::from_mins(1);

/// Between choosing a free port and binding it another program can take it.
const ATTEMPTS: usize = 3;

/// The room that a cluster needs at most, in octets: a run of all tests leaves a twentieth of it.
const ROOM: u64 = 2 << 30;

/// A running cluster; dropping it stops the server and removes its files.
pub(crate) struct Postgres {
    server: Child,
    port: u16,
    password: String,
    binaries: PathBuf,
    account: Account,
    _folder: TempDir,
}

impl Postgres {
    /// Makes a cluster and waits until it accepts connections.
    pub(crate) fn start(shell: &Shell) -> Result<Self> {
        let binaries = server_binaries(shell).context(
            "PostgreSQL's server binaries are missing; run `cargo xtask test --only install`",
        )?;
        let account = Account::choose(shell)?;
        // Not below target/: the path of a Unix socket has at most 107 bytes, and the server's
        // user must be able to enter every folder above.
        let folder = tempfile::Builder::new()
            .prefix("tenantry-postgres-")
            .tempdir_in(ground())?;
        account.own(folder.path())?;
        let password = random_password()?;
        initialise(shell, &account, &binaries, folder.path(), &password)?;

        let mut attempt = 1;
        let (server, port) = loop {
            match serve(shell, &account, &binaries, folder.path()) {
                Err(error) if attempt < ATTEMPTS && format!("{error:#}").contains("bind") => {
                    attempt += 1;
                }
                outcome => break outcome?,
            }
        };
        Ok(Self {
            server,
            port,
            password,
            binaries,
            account,
            _folder: folder,
        })
    }

    /// The folder with `initdb` and `postgres`, for tests that need a server of their own.
    pub(crate) fn binaries(&self) -> &Path {
        &self.binaries
    }

    /// The user and group that a server must run as, where it can't as we do: `101:104`.
    pub(crate) fn account(&self) -> Option<String> {
        match self.account {
            Account::Own => None,
            Account::Other { user, group } => Some(format!("{user}:{group}")),
        }
    }

    /// The administrator's URL. Its password guards nothing once the run is over.
    pub(crate) fn url(&self) -> String {
        format!(
            "postgres://postgres:{}@127.0.0.1:{}/postgres",
            self.password, self.port
        )
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        end(&mut self.server);
    }
}

/// Where the cluster lies: in memory where there is plenty. Tests make and drop databases by the
/// thousand, of three hundred files each, which on a disk costs up to a fifth more of
/// the server's time.
fn ground() -> PathBuf {
    let memory = Path::new("/dev/shm");
    if has_room(memory) {
        memory.to_owned()
    } else {
        std::env::temp_dir()
    }
}

/// Whether there is room in a file system in memory, and in the memory behind it.
fn has_room(folder: &Path) -> bool {
    let free = |folder| {
        let stat = rustix::fs::statvfs(folder).ok()?;
        Some(stat.f_bavail.saturating_mul(stat.f_frsize))
    };
    let available = || {
        let text = fs::read_to_string("/proc/meminfo").ok()?;
        let (_, rest) = text.split_once("MemAvailable:")?;
        let kib: u64 = rest.split_whitespace().next()?.parse().ok()?;
        Some(kib.saturating_mul(1024))
    };
    free(folder).is_some_and(|free| free >= ROOM)
        && available().is_some_and(|free| free >= 2 * ROOM)
}

/// Asks the server for an immediate shutdown (SIGQUIT) and waits for it.
fn end(server: &mut Child) {
    let _ended = rustix::process::kill_process(Pid::from_child(server), Signal::QUIT);
    if let Err(error) = server.wait() {
        eprintln!("PostgreSQL can't be waited for: {error}");
    }
}

/// The folder with `initdb` and `postgres`: Debian's newest version, or the one on `PATH`.
pub(crate) fn server_binaries(shell: &Shell) -> Option<PathBuf> {
    let mut versions: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .collect();
    versions.sort();
    let on_path = shell
        .find("initdb")
        .and_then(|file| Some(file.parent()?.to_owned()));
    versions
        .into_iter()
        .rev()
        .map(|(_, folder)| folder)
        .chain(on_path)
        .find(|folder| folder.join("initdb").is_file() && folder.join("postgres").is_file())
}

/// The user that the server runs as.
enum Account {
    /// We are not root: the server runs as we do.
    Own,
    /// We are root, which PostgreSQL refuses.
    Other { user: u32, group: u32 },
}

impl Account {
    fn choose(shell: &Shell) -> Result<Self> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self::Own);
        }
        let id = |kind: &str, name: &str| -> Result<u32> {
            Ok(shell
                .output(shell.command("id").args([kind, name]))?
                .trim()
                .parse()?)
        };
        // Debian's package makes `postgres`; binaries from elsewhere may not.
        let name = ["postgres", "nobody"]
            .into_iter()
            .find(|name| id("-u", name).is_ok())
            .context("PostgreSQL can't run as root, and there is no user postgres or nobody")?;
        Ok(Self::Other {
            user: id("-u", name)?,
            group: id("-g", name)?,
        })
    }

    fn own(&self, path: &Path) -> Result<()> {
        if let Self::Other { user, group } = self {
            chown(path, Some(*user), Some(*group))
                .with_context(|| format!("{} can't be given away", path.display()))?;
        }
        Ok(())
    }

    /// A program run as this user, in a folder that the user may enter.
    fn command(&self, shell: &Shell, program: &Path, folder: &Path) -> Command {
        let mut words: Vec<&OsStr> = Vec::new();
        let switch;
        if let Self::Other { user, group } = self {
            switch = [format!("--reuid={user}"), format!("--regid={group}")];
            words.extend(switch.iter().map(OsStr::new));
            words.push(OsStr::new("--clear-groups"));
        }
        let mut command = shell.command("setpriv");
        command
            .args(words)
            .args(["--pdeathsig", "INT", "--"])
            .arg(program);
        command
            .current_dir(folder)
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::null());
        command
    }
}

fn initialise(
    shell: &Shell,
    account: &Account,
    binaries: &Path,
    folder: &Path,
    password: &str,
) -> Result<()> {
    let password_file = folder.join("password");
    fs::write(&password_file, password)?;
    account.own(&password_file)?;
    let mut initdb = account.command(shell, &binaries.join("initdb"), folder);
    initdb
        .args([
            "--username=postgres",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
        ])
        .args(["--locale=C.UTF-8", "--no-sync", "--pwfile"])
        .arg(&password_file)
        .arg("--pgdata")
        .arg(folder.join("data"));
    shell
        .output(&mut initdb)
        .context("the PostgreSQL cluster can't be made")?;
    fs::remove_file(&password_file)?;
    Ok(())
}

fn serve(shell: &Shell, account: &Account, binaries: &Path, folder: &Path) -> Result<(Child, u16)> {
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port();
    let mut command = account.command(shell, &binaries.join("postgres"), folder);
    command.arg("-D").arg(folder.join("data"));
    for setting in [
        "listen_addresses=127.0.0.1".to_owned(),
        format!("port={port}"),
        format!("unix_socket_directories={}", folder.display()),
        "max_connections=300".to_owned(),
        "fsync=off".to_owned(),
        "full_page_writes=off".to_owned(),
        "lc_messages=C".to_owned(),
    ] {
        command.args(["-c", &setting]);
    }
    // A group of its own: Ctrl-C at the terminal must not stop the server under the tests.
    command
        .process_group(0)
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let mut server = command.spawn().context("PostgreSQL can't be started")?;
    let pipe = server
        .stderr
        .take()
        .context("PostgreSQL's log can't be read")?;
    let log = shell.root().join("target/postgres.log");
    match wait_until_ready(&follow(pipe, File::create(&log)?)) {
        Ok(()) => Ok((server, port)),
        Err(error) => {
            end(&mut server);
            Err(error)
        }
    }
}

/// Copies the server's log into a file for as long as the server runs, and hands on each line.
fn follow(pipe: ChildStderr, mut log: File) -> Receiver<String> {
    let (lines, received) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            // Neither may end the loop: a server whose log nobody reads stops at a full pipe.
            let _unwritten = writeln!(log, "{line}");
            let _unheard = lines.send(line);
        }
    });
    received
}

fn wait_until_ready(lines: &Receiver<String>) -> Result<()> {
    let mut told = String::new();
    loop {
        match lines.recv_timeout(START) {
            Ok(line) if line.contains(READY) => return Ok(()),
            Ok(line) => {
                told.push_str(&line);
                told.push('\n');
            }
            Err(RecvTimeoutError::Disconnected) => bail!("PostgreSQL ended at once:\n{told}"),
            Err(RecvTimeoutError::Timeout) => bail!("PostgreSQL is not ready in time:\n{told}"),
        }
    }
}

/// 24 random bytes in hexadecimal.
fn random_password() -> Result<String> {
    let mut bytes = [0_u8; 24];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes
        .iter()
        .fold(String::new(), |text, byte| format!("{text}{byte:02x}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_ends_early_is_an_error_with_its_log() {
        let (lines, received) = mpsc::channel();
        lines
            .send("FATAL:  could not bind IPv4 address".to_owned())
            .unwrap();
        drop(lines);
        let error = wait_until_ready(&received).unwrap_err().to_string();
        assert!(
            error.contains("ended at once") && error.contains("bind"),
            "{error}"
        );
    }

    #[test]
    fn readiness_is_read_from_the_log() {
        let (lines, received) = mpsc::channel();
        lines.send("LOG:  starting PostgreSQL".to_owned()).unwrap();
        lines.send(format!("LOG:  {READY}")).unwrap();
        assert!(wait_until_ready(&received).is_ok());
    }
}
