//! Locks, and files that are there whole or not at all.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tenantry_core::SessionId;

use crate::SessionError;

/// How long is waited for a lock. Holding one takes milliseconds; whoever holds it longer hangs.
pub const PATIENCE: Duration = Duration::from_secs(2);

/// Between two looks at a lock that is held.
const LOOK: Duration = Duration::from_millis(2);

/// The lock under which a session's file is changed, and the name of the file that is written
/// meanwhile. Sessions share 256 of them, so that the locks need not go with the sessions.
pub(super) struct Lock {
    temporary: PathBuf,
    _file: File,
}

impl Lock {
    /// Takes the lock of a session, waiting for whoever holds it.
    pub(super) fn of(root: &Path, id: SessionId) -> Result<Self, SessionError> {
        // The last octet of an id is random.
        let name = format!("{:02x}", id.uuid().as_bytes()[15]);
        let (locks, temporary) = (root.join("locks"), root.join("tmp"));
        let path = locks.join(&name);
        let io = |source| SessionError::Io {
            what: "locking a session",
            place: root.display().to_string(),
            source,
        };
        for folder in [&locks, &temporary] {
            make_folder(folder).map_err(io)?;
        }
        let file = open(&path).map_err(io)?;
        let since = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => {
                    return Ok(Self {
                        temporary: temporary.join(name),
                        _file: file,
                    });
                }
                Err(TryLockError::WouldBlock) if since.elapsed() < PATIENCE => {
                    std::thread::sleep(LOOK);
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(SessionError::Held {
                        place: path.display().to_string(),
                        waited: PATIENCE,
                    });
                }
                Err(TryLockError::Error(source)) => return Err(io(source)),
            }
        }
    }

    /// Gives a file this content, on the disk for good before it returns. Whoever reads it meanwhile
    /// sees what was there before.
    pub(super) fn write(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&self.temporary)?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&self.temporary, path)?;
        sync(path.parent().unwrap_or(path))
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
}

/// Makes a folder with those above it, for this user only.
pub(super) fn make_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Makes an empty file in a folder, which is made too.
pub(super) fn mark(folder: &Path, name: &str) -> io::Result<()> {
    make_folder(folder)?;
    open(&folder.join(name))?;
    sync(folder)?;
    folder.parent().map_or(Ok(()), sync)
}

/// Whether there was such a file.
pub(super) fn remove(path: &Path) -> io::Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
