//! Mails as files, for running without a mail server: each one `.eml`, which mail programs open.
//!
//! Owns the folder's layout. A file's name comes from the outbox row alone, so a mail written twice
//! is one file. Files appear whole or not at all, and only the owner may read them: they hold
//! links that open accounts.

mod stored;

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use tenantry_core::{OutboxId, Timestamp};

pub use stored::{Content, Heading, Listed, StoredMail, list, read};

use crate::envelope::Encoding;
use crate::{Cause, Envelope, SendError};

/// The folder that mails are written to.
#[derive(Debug, Clone)]
pub struct Files {
    dir: PathBuf,
}

impl Files {
    /// Mails into `dir`, which is made, with mode 0700, when the first one is written.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into() }
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    pub(crate) async fn send(&self, envelope: &Envelope) -> Result<(), SendError> {
        let mime = envelope
            .compose(Encoding::Readable)
            .map_err(|error| SendError::Permanent(Cause::Compose(error)))?
            .formatted();
        let (dir, name) = (self.dir.clone(), file_name(envelope.id));
        blocking(move || write(&dir, &name, &mime))
            .await
            .map_err(|error| SendError::Retry(Cause::Folder(error)))
    }

    pub(crate) async fn check(&self) -> Result<(), Cause> {
        let dir = self.dir.clone();
        blocking(move || {
            make_dir(&dir)?;
            let probe = temporary(&dir, "check");
            let written = create(&probe).and_then(|mut file| file.write_all(b"check"));
            let removed = std::fs::remove_file(&probe);
            written.and(removed)
        })
        .await
        .map_err(Cause::Folder)
    }
}

/// When the row with this id was made: a `UUIDv7` begins with 48 bits of milliseconds
/// (RFC 9562, section 5.7).
fn made_at(id: OutboxId) -> Timestamp {
    let millis = i64::try_from(id.uuid().as_u128() >> 80).unwrap_or(0);
    Timestamp::from_micros(millis * 1_000)
}

/// `<millis>-<outbox-id>.eml`, which sorts by time.
fn file_name(id: OutboxId) -> String {
    format!("{:013}-{id}.eml", made_at(id).micros() / 1_000)
}

/// The id whose [`file_name`] this is.
fn id_of(name: &str) -> Option<OutboxId> {
    let (_, id) = name.strip_suffix(".eml")?.split_once('-')?;
    let id = id.parse().ok()?;
    (file_name(id) == name).then_some(id)
}

/// A hidden name beside the real one that nobody else writes to: two processes differ in their
/// number, two writers in one process in the count.
fn temporary(dir: &Path, name: &str) -> PathBuf {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    dir.join(format!(".{name}.{}.{count}", std::process::id()))
}

fn make_dir(dir: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

/// Opens `path` empty. A file of this name can only be left from a process that was killed.
fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
}

fn write(dir: &Path, name: &str, mime: &[u8]) -> io::Result<()> {
    make_dir(dir)?;
    let temporary = temporary(dir, name);
    let written = create(&temporary).and_then(|mut file| {
        file.write_all(mime)?;
        file.sync_all()
    });
    let renamed = written.and_then(|()| std::fs::rename(&temporary, dir.join(name)));
    if renamed.is_err() {
        // What is left is hidden and harmless; the first error is the one to tell.
        let _ = std::fs::remove_file(&temporary);
    }
    renamed?;
    File::open(dir)?.sync_all()
}

/// Runs file work where it holds nobody up. It goes on to its end when the caller is cancelled.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(io::Error::other)?
}
