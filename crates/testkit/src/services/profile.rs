//! The folder of one browser, and the end of every process that works on it.

use std::ffi::OsStr;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use anyhow::Result;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use tempfile::TempDir;

/// How long a killed process may take to vanish. Reached only where something is broken.
const PATIENCE: Timespec = Timespec {
    tv_sec: 10,
    tv_nsec: 0,
};

/// A fresh folder; when dropped, the browser that uses it is killed before the folder goes, as it
/// would otherwise write on into the folder.
pub(super) struct Profile(TempDir);

impl Profile {
    pub(super) fn fresh() -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("tenantry-browser-")
            .tempdir()?;
        std::fs::create_dir(folder.path().join("temporary"))?;
        Ok(Self(folder))
    }

    /// Where the browser keeps its settings, cookies and caches.
    pub(super) fn path(&self) -> PathBuf {
        self.0.path().join("profile")
    }

    /// Where driver and browser put temporary files, which they leave behind when killed.
    pub(super) fn temporary(&self) -> PathBuf {
        self.0.path().join("temporary")
    }
}

impl Drop for Profile {
    fn drop(&mut self) {
        // A browser that is ending may just start a process more, so one look is not enough.
        loop {
            let users = users_of(self.0.path());
            if users.is_empty() || !end(&users) {
                return;
            }
        }
    }
}

/// The processes whose command line names the folder. They are held by file descriptor, so that
/// a number which is given to another process in between is never hit.
fn users_of(folder: &Path) -> Vec<OwnedFd> {
    std::fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let pid = Pid::from_raw(entry.file_name().to_str()?.parse().ok()?)?;
            let process = pidfd_open(pid, PidfdFlags::empty()).ok()?;
            // Read after it is held: what is read here is what will be killed.
            let line = std::fs::read(entry.path().join("cmdline")).ok()?;
            names(&line, folder.as_os_str()).then_some(process)
        })
        .collect()
}

fn names(line: &[u8], folder: &OsStr) -> bool {
    let folder = folder.as_bytes();
    line.windows(folder.len()).any(|part| part == folder)
}

/// Kills the processes and waits for each; false if one does not go.
fn end(processes: &[OwnedFd]) -> bool {
    for process in processes {
        let _ended = pidfd_send_signal(process, Signal::KILL);
    }
    processes.iter().all(|process| {
        let mut event = [PollFd::new(process, PollFlags::IN)];
        matches!(poll(&mut event, Some(&PATIENCE)), Ok(1))
    })
}
