//! One open database file: whether it is still the one that was checked, and its log.
//!
//! A file can be written over in place (`cp other.db acme.db`) while it is open. SQLite does not
//! notice: it serves what it has in memory and what lies in the log beside it, and writes the log
//! over the new content when it closes. So here a file is changed at known moments alone. No
//! connection folds the log into it by itself; that is done after each commit, and what the file
//! looks like then is remembered. A file that looks otherwise was changed by somebody else, and as
//! its log was folded by then, there is nothing left to write over what is new.
//!
//! What is written over it while a transaction of ours writes is mixed with that transaction; SQLite
//! has no way to keep them apart. No statement finds another tenant's rows even then, since each
//! names its tenant.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tenantry_core::Timestamp;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{sleep, timeout};

use crate::{Db, StoreError};

/// How long the end of a transaction waits for a connection to fold the log with. Whoever holds the
/// only one may be waiting for this transaction. What is left is folded after the next.
const FOLDING: Duration = Duration::from_millis(250);

/// How a file looks from outside. Unlike the time at which it was written, that of its last change
/// (`ctime`) can be set by nobody.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Look {
    device: u64,
    inode: u64,
    size: u64,
    changed: (i64, i64),
}

impl Look {
    /// Looks at a file, which is one call of the system.
    ///
    /// # Errors
    /// [`StoreError::DatabaseMissing`] where there is none.
    pub(super) fn at(path: &Path) -> Result<Self, StoreError> {
        match std::fs::metadata(path) {
            Ok(found) => Ok(Self {
                device: found.dev(),
                inode: found.ino(),
                size: found.size(),
                changed: (found.ctime(), found.ctime_nsec()),
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Err(StoreError::DatabaseMissing)
            }
            Err(error) => Err(StoreError::io("looking at a database file")(error)),
        }
    }
}

/// An open file.
pub(super) struct Open {
    pub(super) db: Db,
    path: PathBuf,
    /// How the file looked when its stamp was found right, or when we last changed it.
    known: Mutex<Option<Look>>,
    /// Held while the file is checked, changed or given up: until then nobody can say whether it is
    /// as it should be.
    pub(super) turn: tokio::sync::Mutex<()>,
    last_used: AtomicI64,
}

impl Open {
    pub(super) fn new(path: &Path, readers: u32, now: Timestamp) -> Self {
        Self {
            db: Db::sqlite_with_log_kept(path, readers),
            path: path.to_owned(),
            known: Mutex::new(None),
            turn: tokio::sync::Mutex::new(()),
            last_used: AtomicI64::new(now.micros()),
        }
    }

    pub(super) fn used(&self, now: Timestamp) {
        self.last_used.store(now.micros(), Ordering::Relaxed);
    }

    pub(super) fn last_used(&self) -> i64 {
        self.last_used.load(Ordering::Relaxed)
    }

    pub(super) fn known(&self) -> Option<Look> {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set_known(&self, look: Option<Look>) {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = look;
    }

    /// Folds the log into the file, so that the file is all there is. Only whoever has the
    /// [`turn`](Self::turn) may. A file that is not as we knew it is left alone.
    pub(super) async fn fold(&self) -> Result<(), StoreError> {
        let Db::Sqlite { readers, .. } = &self.db else {
            return Ok(());
        };
        if readers.is_closed() {
            return Ok(());
        }
        // With the connection of readers: ours are not at work then, and no writer has to wait.
        let Ok(reader) = timeout(FOLDING, readers.acquire()).await else {
            return Ok(());
        };
        let mut reader = reader?;
        for pause in [1, 2, 4] {
            if self.known() != Some(Look::at(&self.path)?) {
                break;
            }
            // https://www.sqlite.org/pragma.html#pragma_wal_checkpoint: it waits for nobody, and
            // says how much there is and how much of it is in the file now.
            let sql = "PRAGMA wal_checkpoint(PASSIVE)";
            let (_, there, folded): (i64, i64, i64) =
                sqlx::query_as(sql).fetch_one(&mut *reader).await?;
            self.set_known(Some(Look::at(&self.path)?));
            if there == folded {
                break;
            }
            // A reader, of ours or of another process, is still at what was before.
            sleep(Duration::from_millis(pause)).await;
        }
        Ok(())
    }
}

/// Keeps a database open while a transaction runs in it.
pub(crate) struct Lease {
    open: Arc<Open>,
    _permit: OwnedSemaphorePermit,
}

impl Lease {
    pub(super) const fn new(open: Arc<Open>, permit: OwnedSemaphorePermit) -> Self {
        Self {
            open,
            _permit: permit,
        }
    }

    /// To be called when something was committed. What could not be folded into the file is, with
    /// the next commit.
    pub(crate) async fn committed(self) {
        let _turn = self.open.turn.lock().await;
        if let Err(error) = self.open.fold().await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                path = %self.open.path.display(),
                "the log of a database file could not be folded into it"
            );
        }
    }
}
