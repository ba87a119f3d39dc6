//! A process under way: what it says, its address, its end.

use std::io::{BufRead as _, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// How long a process may take to say or do what is waited for. Reached only where something is
/// broken; generous, since tests share the machine with compilers.
const PATIENCE: Duration = Duration::from_secs(90);

/// A stream's text so far, and whether it has ended.
#[derive(Default)]
struct Said {
    text: Mutex<(String, bool)>,
    more: Condvar,
}

impl Said {
    fn so_far(&self) -> String {
        self.text
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .0
            .clone()
    }

    /// Waits until the text holds `marker`, and gives the line it is in.
    fn line_with(&self, marker: &str) -> Option<String> {
        let until = Instant::now() + PATIENCE;
        let mut text = self.text.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(line) = text.0.lines().find(|line| line.contains(marker)) {
                return Some(line.to_owned());
            }
            let left = until.saturating_duration_since(Instant::now());
            if text.1 || left.is_zero() {
                return None;
            }
            text = self
                .more
                .wait_timeout(text, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    fn add(&self, line: &str, end: bool) {
        let mut text = self.text.lock().unwrap_or_else(PoisonError::into_inner);
        text.0.push_str(line);
        text.1 |= end;
        self.more.notify_all();
    }
}

/// Reads a stream to its end on a thread of its own, so that the process never waits for us.
fn listen(stream: Option<impl Read + Send + 'static>) -> (Arc<Said>, Option<JoinHandle<()>>) {
    let said = Arc::new(Said::default());
    let Some(stream) = stream else {
        return (said, None);
    };
    let thread = std::thread::spawn({
        let said = Arc::clone(&said);
        move || {
            let mut reader = BufReader::new(stream);
            let mut line = Vec::new();
            while reader
                .read_until(b'\n', &mut line)
                .is_ok_and(|read| read > 0)
            {
                said.add(&String::from_utf8_lossy(&line), false);
                line.clear();
            }
            said.add("", true);
        }
    });
    (said, Some(thread))
}

/// A process under way. Dropped, it is killed.
pub struct Running {
    child: Child,
    stdout: (Arc<Said>, Option<JoinHandle<()>>),
    stderr: (Arc<Said>, Option<JoinHandle<()>>),
}

/// What a process left behind.
#[derive(Debug, Clone)]
pub struct Ended {
    /// Its exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// All of its standard output.
    pub stdout: String,
    /// All of its standard error.
    pub stderr: String,
}

impl Running {
    pub(super) fn start(command: &mut Command) -> Result<Self> {
        let mut child = command
            .spawn()
            .with_context(|| format!("{} can't be started", command.get_program().display()))?;
        Ok(Self {
            stdout: listen(child.stdout.take()),
            stderr: listen(child.stderr.take()),
            child,
        })
    }

    /// Its standard input, once, where it is a pipe. Dropping it closes it.
    pub fn stdin(&mut self) -> Option<ChildStdin> {
        self.child.stdin.take()
    }

    /// Its number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it says something with `marker` in it on standard error, and gives the line.
    pub fn says(&self, marker: &str) -> Result<String> {
        self.stderr
            .0
            .line_with(marker)
            .with_context(|| format!("it never said {marker:?}, but:\n{}", self.stderr.0.so_far()))
    }

    /// The address a server listens on, once it says so.
    pub fn address(&self) -> Result<SocketAddr> {
        let line = self.says("Listening on http://")?;
        let (_, rest) = line.split_once("http://").context("no address")?;
        let address = rest.split([',', ' ']).next().unwrap_or_default();
        address
            .parse()
            .with_context(|| format!("no address in {line:?}"))
    }

    /// Everything on standard error so far.
    pub fn stderr(&self) -> String {
        self.stderr.0.so_far()
    }

    /// Everything on standard output so far.
    pub fn stdout(&self) -> String {
        self.stdout.0.so_far()
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        Ok(pidfd_send_signal(self.descriptor()?, signal)?)
    }

    /// Ends it as a power cut would, and waits until it is gone.
    pub fn kill(mut self) -> Result<Ended> {
        self.child.kill()?;
        self.collect()
    }

    /// Waits until it has ended by itself.
    pub fn ended(mut self) -> Result<Ended> {
        ensure!(
            self.ends_within(PATIENCE)?,
            "the process does not end; it said:\n{}",
            self.stderr()
        );
        self.collect()
    }

    /// Whether it ends by itself within a time.
    pub fn ends_within(&self, time: Duration) -> Result<bool> {
        let limit = Timespec::try_from(time)?;
        let process = self.descriptor()?;
        let mut event = [PollFd::new(&process, PollFlags::IN)];
        Ok(poll(&mut event, Some(&limit))? == 1)
    }

    fn descriptor(&self) -> Result<std::os::fd::OwnedFd> {
        // Not yet waited for, so the number is still this process's.
        let id = i32::try_from(self.child.id())?;
        let id = Pid::from_raw(id).context("no process")?;
        Ok(pidfd_open(id, PidfdFlags::empty())?)
    }

    fn collect(&mut self) -> Result<Ended> {
        let status: ExitStatus = self.child.wait()?;
        for stream in [&mut self.stdout.1, &mut self.stderr.1] {
            if let Some(thread) = stream.take()
                && thread.join().is_err()
            {
                bail!("reading what a process said broke off");
            }
        }
        Ok(Ended {
            code: status.code(),
            stdout: self.stdout.0.so_far(),
            stderr: self.stderr.0.so_far(),
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself, and then there is nothing left to do.
        let _ended = self.child.kill();
        let _status = self.child.wait();
    }
}

/// A pipe nobody reads: what a process writes into it is lost, and it is told so.
pub fn broken_pipe() -> Result<Stdio> {
    let (reader, writer) = std::io::pipe()?;
    drop(reader);
    Ok(Stdio::from(writer))
}
