//! Open database files: one list under one bound, whatever the number of tenants.
//!
//! A file is opened when it is needed, checked against its stamp, opened anew when somebody else
//! changed it, and closed when it has not been used for a while or when another needs its place;
//! never while a transaction runs in it.

mod open;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use lru::LruCache;
use tenantry_core::Clock;
use tokio::sync::Semaphore;
use tokio::time::timeout;

pub(crate) use open::Lease;

use super::{Access, Key, PoolBounds, check_stamp};
use crate::files::TenantFiles;
use crate::tenant::TENANT_SCHEMA;
use crate::{Db, StoreError, TenantTx, migrate};
use open::{Look, Open};

/// How often a file is opened anew for one transaction, while others find it changed each time.
const TRIES: usize = 8;

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

    /// A transaction in the tenant's file.
    pub(super) async fn begin(&self, key: Key, access: Access) -> Result<TenantTx, StoreError> {
        let permit = timeout(self.bounds.wait, Arc::clone(&self.permits).acquire_owned())
            .await
            .ok()
            .and_then(Result::ok)
            .ok_or(StoreError::Busy)?;
        let path = self.files.path(key.0, key.1);
        for _ in 0..TRIES {
            let now = Look::at(&path)?;
            let open = self.place(key, &path).await;
            if open.known() != Some(now) && !self.admit(key, &open, &path).await? {
                continue;
            }
            open.used(self.clock.now());
            let tx = match access {
                Access::Write => open.db.begin().await,
                Access::Read => open.db.read().await,
            };
            if tx.is_err() && open.db.is_closed() {
                // Somebody else has just found it changed, and that says nothing about the new one.
                continue;
            }
            let lease = Lease::new(open, permit);
            return Ok(TenantTx::leased(tx?, key.0, key.1, lease));
        }
        Err(StoreError::Busy)
    }

    /// Files open now.
    pub(super) fn open_count(&self) -> usize {
        self.list().len()
    }

    fn list(&self) -> std::sync::MutexGuard<'_, LruCache<Key, Arc<Open>>> {
        // A panic elsewhere can't leave the list half-changed: each change is one call.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks closer at a file that was not checked yet, or that does not look as it did. Whether it
    /// may be used; if not, another place has to be found for it.
    async fn admit(&self, key: Key, open: &Arc<Open>, path: &Path) -> Result<bool, StoreError> {
        let _turn = timeout(self.bounds.wait, open.turn.lock())
            .await
            .map_err(|_| StoreError::Busy)?;
        if open.db.is_closed() {
            // Whoever gave it up may have gone away before it was done.
            self.discard(key, open).await;
            return Ok(false);
        }
        let now = Look::at(path)?;
        match open.known() {
            // We were changing it ourselves.
            Some(then) if then == now => Ok(true),
            Some(_) => {
                // It was replaced or written over behind our back. What the old one says counts no
                // more, and nobody may open the new one beside it: SQLite would take them for one.
                self.discard(key, open).await;
                Ok(false)
            }
            None => {
                let checked = self.check(&open.db, key).await;
                open.set_known(checked.is_ok().then_some(now));
                let checked = match checked {
                    Ok(()) => open.fold().await,
                    wrong => wrong,
                };
                if checked.is_ok() {
                    return Ok(true);
                }
                let closed = open.db.is_closed();
                self.discard(key, open).await;
                if closed {
                    Ok(false)
                } else {
                    checked.map(|()| true)
                }
            }
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
            let open = Arc::new(Open::new(path, self.bounds.readers, self.clock.now()));
            list.put(key, Arc::clone(&open));
            (open, evicted)
        };
        for evicted in evicted {
            evicted.db.close().await;
        }
        open
    }

    /// Closes a database that turned out wrong and gives up its place, unless another has that by
    /// now.
    async fn discard(&self, key: Key, wrong: &Arc<Open>) {
        wrong.set_known(None);
        wrong.db.close().await;
        let mut list = self.list();
        if list.peek(&key).is_some_and(|open| Arc::ptr_eq(open, wrong)) {
            list.pop(&key);
        }
    }

    /// Reads the stamp, and brings an older schema up to date.
    async fn check(&self, db: &Db, key: Key) -> Result<(), StoreError> {
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
        Ok(())
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
                .filter(|(_, open)| Arc::strong_count(open) == 1 && open.last_used() < before)
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
