//! A child process that tells line by line, on its standard output, what it does.
//!
//! Waiting for a line takes the place of waiting for a time. The child ends when this is dropped.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::sync::mpsc::{self, UnboundedReceiver};

/// How long a line may take to come. Reached only where something is broken.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) struct Dialogue {
    name: String,
    child: Child,
    lines: UnboundedReceiver<String>,
    /// Held open: a child that watches it learns of our end even if we are killed.
    _stdin: Option<ChildStdin>,
}

impl Dialogue {
    /// Starts the program.
    pub(super) fn start(command: &mut Command) -> Result<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("{name} can't be started"))?;
        let stdin = child.stdin.take();
        let stdout = child
            .stdout
            .take()
            .context("the child has no standard output")?;
        let (sender, lines) = mpsc::unbounded_channel();
        // A thread of its own, not a task: it must read on while a test blocks its runtime.
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let _unheard = sender.send(line);
            }
        });
        Ok(Self {
            name,
            child,
            lines,
            _stdin: stdin,
        })
    }

    /// The next line.
    pub(super) async fn line(&mut self) -> Result<String> {
        match tokio::time::timeout(PATIENCE, self.lines.recv()).await {
            Ok(Some(line)) => Ok(line),
            Ok(None) => bail!("{} has ended", self.name),
            Err(_) => bail!("{} says nothing more", self.name),
        }
    }

    /// A line that has come already, if there is one.
    pub(super) fn line_at_hand(&mut self) -> Option<String> {
        self.lines.try_recv().ok()
    }

    /// The port in the first line that holds one after `marker`.
    pub(super) async fn port_after(&mut self, marker: &str) -> Result<u16> {
        loop {
            let line = self.line().await?;
            if let Some((_, rest)) = line.split_once(marker) {
                let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
                return digits
                    .parse()
                    .with_context(|| format!("no port in {line:?}"));
            }
        }
    }
}

impl Drop for Dialogue {
    fn drop(&mut self) {
        // It may have ended by itself, and then there is nothing left to do.
        let _ended = self.child.kill();
        let _status = self.child.wait();
    }
}
