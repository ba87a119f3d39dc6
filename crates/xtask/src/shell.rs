//! Running other programs: where they are found, what they inherit, and how they are ended.
//!
//! Every other module starts programs through [`Shell`], so that a signal to this process reaches
//! the program at work and the services are still stopped afterwards.

use std::ffi::OsString;
use std::fmt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// How long a program may take to end after the signal was passed on, before it is killed.
const GRACE: Duration = Duration::from_secs(10);

/// How often a running program and the signal flag are looked at.
const PULSE: Duration = Duration::from_millis(20);

/// The user asked us to stop.
#[derive(Debug)]
pub(crate) struct Interrupted;

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("interrupted")
    }
}

impl std::error::Error for Interrupted {}

/// Whether a program may read from the terminal.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Terminal {
    /// It reads the terminal and gets the terminal's signals itself.
    Shared,
    /// It reads nothing and has a process group of its own: a signal is passed on to all of it,
    /// so no test binary outlives the runner.
    Detached,
}

/// The workspace and the programs that can be run in it.
pub(crate) struct Shell {
    root: PathBuf,
    path: OsString,
    signal: Arc<AtomicUsize>,
}

impl Shell {
    /// Finds the workspace and begins to watch for SIGINT, SIGTERM and SIGHUP.
    pub(crate) fn open() -> Result<Self> {
        let root = workspace()?;
        let mut folders = vec![root.join("target/tools/bin")];
        folders.extend(std::env::split_paths(
            &std::env::var_os("PATH").unwrap_or_default(),
        ));
        let path = std::env::join_paths(folders).context("PATH can't be extended")?;
        let signal = Arc::new(AtomicUsize::new(0));
        for (number, value) in [(SIGINT, 2), (SIGTERM, 15), (SIGHUP, 1)] {
            signal_hook::flag::register_usize(number, Arc::clone(&signal), value)
                .context("can't watch for signals")?;
        }
        Ok(Self { root, path, signal })
    }

    /// The folder of the workspace.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The program of this name on `PATH` or among the installed tools.
    pub(crate) fn find(&self, program: &str) -> Option<PathBuf> {
        std::env::split_paths(&self.path)
            .map(|folder| folder.join(program))
            .find(|file| file.is_file())
    }

    /// A program to be run in the workspace, free of what `cargo run` and the user's own settings
    /// would leak into it: the first rebuild crates whose build scripts watch such variables, the
    /// second would make tests depend on the machine.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root).env("PATH", &self.path);
        for (name, _) in std::env::vars_os() {
            if name.to_str().is_some_and(leaks) {
                command.env_remove(&name);
            }
        }
        command
    }

    /// Cargo with these arguments.
    pub(crate) fn cargo<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = self.command("cargo");
        command.args(arguments);
        command
    }

    /// Runs a program to its end; an error if it fails, or [`Interrupted`] if we are told to stop.
    pub(crate) fn run(&self, command: &mut Command, terminal: Terminal) -> Result<()> {
        self.check_interrupted()?;
        let name = command.get_program().to_string_lossy().into_owned();
        if terminal == Terminal::Detached {
            command.stdin(Stdio::null()).process_group(0);
        }
        let mut child = command
            .spawn()
            .with_context(|| format!("{name} can't be started"))?;
        let status = self.wait(&mut child, terminal)?;
        self.check_interrupted()?;
        if !status.success() {
            bail!("{name} failed ({status})");
        }
        Ok(())
    }

    /// The standard output of a program that is expected to succeed.
    pub(crate) fn output(&self, command: &mut Command) -> Result<String> {
        self.check_interrupted()?;
        let name = command.get_program().to_string_lossy().into_owned();
        let output = command
            .stdin(Stdio::null())
            .output()
            .with_context(|| format!("{name} can't be started"))?;
        if !output.status.success() {
            let told = String::from_utf8_lossy(&output.stderr);
            bail!("{name} failed ({}): {}", output.status, told.trim());
        }
        String::from_utf8(output.stdout).with_context(|| format!("{name} printed no UTF-8"))
    }

    fn check_interrupted(&self) -> Result<()> {
        if self.signal.load(Ordering::SeqCst) == 0 {
            Ok(())
        } else {
            Err(Interrupted.into())
        }
    }

    fn wait(&self, child: &mut Child, terminal: Terminal) -> Result<ExitStatus> {
        let mut asked: Option<Instant> = None;
        loop {
            if let Some(status) = child.try_wait()? {
                return Ok(status);
            }
            let signal = self.signal.load(Ordering::SeqCst);
            match asked {
                None if signal != 0 => {
                    // A shared terminal has delivered its SIGINT to the program already.
                    if terminal == Terminal::Detached || signal != 2 {
                        send(
                            child,
                            terminal,
                            if signal == 2 {
                                Signal::INT
                            } else {
                                Signal::TERM
                            },
                        );
                    }
                    asked = Some(Instant::now());
                }
                Some(since) if since.elapsed() > GRACE => send(child, terminal, Signal::KILL),
                _ => {}
            }
            thread::sleep(PULSE);
        }
    }
}

/// The workspace around the crate that cargo runs, or else around the folder we are in. Not where
/// this program was compiled: a checkout that was moved keeps its old build.
fn workspace() -> Result<PathBuf> {
    let start = match std::env::var_os("CARGO_MANIFEST_DIR") {
        Some(folder) => PathBuf::from(folder),
        None => std::env::current_dir()?,
    };
    start
        .ancestors()
        .find(|folder| folder.join("crates/xtask").is_dir())
        .map(Path::to_owned)
        .with_context(|| format!("{} lies in no checkout of Tenantry", start.display()))
}

/// Sends a signal to a child that has not been waited for, or to its whole group.
fn send(child: &Child, terminal: Terminal, signal: Signal) {
    let pid = Pid::from_child(child);
    // The only failure left is that it has ended by itself, which the next look will show.
    let _ended = match terminal {
        Terminal::Shared => rustix::process::kill_process(pid, signal),
        Terminal::Detached => rustix::process::kill_process_group(pid, signal),
    };
}

fn leaks(name: &str) -> bool {
    ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "TENANTRY_"]
        .iter()
        .any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_program_is_an_error_that_names_it() {
        let shell = Shell::open().unwrap();
        let error = shell
            .run(&mut shell.command("false"), Terminal::Detached)
            .unwrap_err();
        assert!(error.to_string().starts_with("false failed"), "{error}");
    }

    #[test]
    fn a_signal_ends_the_program_and_is_reported() {
        let shell = Shell::open().unwrap();
        let flag = Arc::clone(&shell.signal);
        let mut command = shell.command("sleep");
        command.arg("600").stdin(Stdio::null()).process_group(0);
        let mut child = command.spawn().unwrap();
        flag.store(15, Ordering::SeqCst);
        let status = shell.wait(&mut child, Terminal::Detached).unwrap();
        assert!(!status.success());
        let error = shell
            .run(&mut shell.command("true"), Terminal::Detached)
            .unwrap_err();
        assert!(error.is::<Interrupted>());
    }

    #[test]
    fn what_cargo_and_the_user_set_does_not_leak() {
        assert!(leaks("CARGO_PKG_NAME"));
        assert!(leaks("TENANTRY_DATA_DIR"));
        assert!(!leaks("CARGO_HOME"));
    }
}
