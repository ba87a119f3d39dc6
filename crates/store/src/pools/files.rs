//! Open database files: one list under one bound, whatever the number of tenants.
//!
//! A file is opened when it is needed, checked against its stamp, and closed when it has not been
//! used for a while or when another needs its place; never while a transaction runs in it.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use lru::LruCache;
use tenantry_core::Clock;
use tokio::sync::{OnceCell, OwnedSemaphorePermit, Semaphore};

use super::{Key, PoolBounds, check_stamp};
use crate::files::TenantFiles;
use crate::tenant::TENANT_SCHEMA;
use crate::{Db, StoreError, TenantTx, migrate};

/// How often a file that others close meanwhile is opened anew before the caller learns what came of
/// it. Many callers of one wrong file each find it out once.
const CLOSED_MEANWHILE: usize = 16;

struct Open {
    db: Db,
    /// Set once the stamp was read and is right.
    checked: OnceCell<FileIdentity>,
    last_used: AtomicI64,
}

/// Device and inode: another file under the same name has another one.
type FileIdentity = (u64, u64);

fn identity(path: &Path) -> Result<FileIdentity, StoreError> {
    match std::fs::metadata(path) {
        Ok(metadata) => Ok((metadata.dev(), metadata.ino())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(StoreError::DatabaseMissing)
        }
        Err(error) => Err(StoreError::io("looking at a database file")(error)),
    }
}

/// Keeps a database open while a transaction runs in it.
pub(crate) struct Lease {
    _open: Arc<Open>,
    _permit: OwnedSemaphorePermit,
}

/// The open files.
pub(super) struct FilePools {
    files: TenantFiles,
    bounds: PoolBounds,
    clock: Clock,
    /// As many transactions as databases may be open: whoever holds a permit finds a place, since
    /// at most the others' databases are in use.
    permits: Arc<Semaphore>,
    open: Mutex<LruCache<Key, Arc<Open>>>,
}

impl FilePools {
    pub(super) fn new(files: TenantFiles, bounds: PoolBounds, clock: Clock) -> Self {
        Self {
            files,
            bounds,
            clock,
            permits: Arc::new(Semaphore::new(bounds.open.get())),
            open: Mutex::new(LruCache::unbounded()),
        }
    }

    pub(super) const fn files(&self) -> &TenantFiles {
        &self.files
    }

    pub(super) async fn begin(&self, key: Key) -> Result<TenantTx, StoreError> {
        let (open, lease) = self.lease(key).await?;
        let tx = open.db.begin().await?;
        Ok(TenantTx::leased(tx, key.0, key.1, lease))
    }

    pub(super) async fn read(&self, key: Key) -> Result<TenantTx, StoreError> {
        let (open, lease) = self.lease(key).await?;
        let tx = open.db.read().await?;
        Ok(TenantTx::leased(tx, key.0, key.1, lease))
    }

    /// Files open now.
    pub(super) fn open_count(&self) -> usize {
        self.list().len()
    }

    fn list(&self) -> std::sync::MutexGuard<'_, LruCache<Key, Arc<Open>>> {
        // A panic elsewhere can't leave the list half-changed: each change is one call.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn lease(&self, key: Key) -> Result<(Arc<Open>, Lease), StoreError> {
        let permit =
            tokio::time::timeout(self.bounds.wait, Arc::clone(&self.permits).acquire_owned())
                .await
                .ok()
                .and_then(Result::ok)
                .ok_or(StoreError::Busy)?;
        let path = self.files.path(key.0, key.1);
        let mut closed_meanwhile = 0;
        loop {
            let now = identity(&path)?;
            let open = self.place(key, &path).await;
            if open.checked.get().is_some_and(|then| *then != now) {
                // The file was replaced behind our back. What the old one says counts no more.
                self.discard(key, &open).await;
                continue;
            }
            let checking = open
                .checked
                .get_or_try_init(|| self.check(&open.db, key, now));
            if let Err(error) = checking.await {
                // Somebody else found it wrong too, and closed it under us: that says nothing about it.
                if !self.discard(key, &open).await && closed_meanwhile < CLOSED_MEANWHILE {
                    closed_meanwhile += 1;
                    continue;
                }
                return Err(error);
            }
            open.last_used
                .store(self.clock.now().micros(), Ordering::Relaxed);
            let lease = Lease {
                _open: Arc::clone(&open),
                _permit: permit,
            };
            return Ok((open, lease));
        }
    }

    /// The tenant's place in the list; another's, long unused, is given up where there is none.
    async fn place(&self, key: Key, path: &Path) -> Arc<Open> {
        let (open, evicted) = {
            let mut list = self.list();
            if let Some(open) = list.get(&key) {
                return Arc::clone(open);
            }
            // More than one where a transaction was just ending when the bound was last looked at.
            let mut evicted = Vec::new();
            while list.len() >= self.bounds.open.get() {
                let unused = list
                    .iter()
                    .rev()
                    .find(|(_, open)| Arc::strong_count(open) == 1)
                    .map(|(key, _)| *key);
                match unused.and_then(|key| list.pop(&key)) {
                    Some(unused) => evicted.push(unused),
                    None => break,
                }
            }
            let open = Arc::new(Open {
                db: Db::sqlite(path, self.bounds.readers),
                checked: OnceCell::new(),
                last_used: AtomicI64::new(self.clock.now().micros()),
            });
            list.put(key, Arc::clone(&open));
            (open, evicted)
        };
        for evicted in evicted {
            evicted.db.close().await;
        }
        open
    }

    /// Closes a database that turned out wrong. Whether it still had its place; where it had not, somebody
    /// else closed it before.
    async fn discard(&self, key: Key, wrong: &Arc<Open>) -> bool {
        let had_its_place = {
            let mut list = self.list();
            let is_it = list.peek(&key).is_some_and(|open| Arc::ptr_eq(open, wrong));
            is_it && list.pop(&key).is_some()
        };
        wrong.db.close().await;
        had_its_place
    }

    /// Reads the stamp, and brings an older schema up to date.
    async fn check(
        &self,
        db: &Db,
        key: Key,
        identity: FileIdentity,
    ) -> Result<FileIdentity, StoreError> {
        let stamp = TenantTx::unleased(db.read().await?, key.0, key.1)
            .stamps()
            .find()
            .await?;
        let stamp = check_stamp(key, stamp)?;
        if stamp.schema_version < TENANT_SCHEMA {
            migrate::tenant(db).await?;
            let mut tx = TenantTx::unleased(db.begin().await?, key.0, key.1);
            tx.stamps().set(TENANT_SCHEMA, self.clock.now()).await?;
            tx.commit().await?;
        }
        Ok(identity)
    }

    /// Closes one file and waits until its transactions have ended.
    pub(super) async fn close(&self, key: Key) {
        let closed = self.list().pop(&key);
        if let Some(closed) = closed {
            closed.db.close().await;
        }
    }

    pub(super) async fn close_idle(&self) -> usize {
        let before = (self.clock.now() - self.bounds.idle).micros();
        let idle: Vec<Arc<Open>> = {
            let mut list = self.list();
            let keys: Vec<Key> = list
                .iter()
                .filter(|(_, open)| {
                    Arc::strong_count(open) == 1 && open.last_used.load(Ordering::Relaxed) < before
                })
                .map(|(key, _)| *key)
                .collect();
            keys.iter().filter_map(|key| list.pop(key)).collect()
        };
        for open in &idle {
            open.db.close().await;
        }
        idle.len()
    }

    pub(super) async fn close_all(&self) {
        let all: Vec<Arc<Open>> = {
            let mut list = self.list();
            std::iter::from_fn(|| list.pop_lru())
                .map(|(_, open)| open)
                .collect()
        };
        for open in all {
            open.db.close().await;
        }
    }
}
