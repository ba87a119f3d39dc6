//! The driver `file`: a file for each session, under a folder for its tenant and generation.
//!
//! `{tenant or platform}/{generation}/s/{session}.json` is a session. Empty files of its name in
//! `p/{person}`, `d/{device}` and `e/{day it runs out}` lead to it, and are there before it is and
//! as long. Sessions that began after other ones had been kept elsewhere lie so below `after-{n}`.
//! A file is replaced whole, by one who holds the lock of its name, which other processes
//! heed too: commands work beside a running server. Names come from ids alone.

mod limit;
mod place;
mod tree;
mod write;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tenantry_core::session::{EndReason, Handle, Subject};
use tenantry_core::user::SecurityVersion;
use tenantry_core::{DeviceId, Generation, SessionId, TenantId, Timestamp};
use tenantry_store::Changes;
use tenantry_store::control::StoredSession;

use crate::SessionError;
use crate::page::begun_last;
use crate::switches::Switches;
use crate::tally::Tally;
use place::Place;
use tree::Tree;

pub use write::PATIENCE;

/// Sessions in files.
#[derive(Clone)]
pub struct FileSessions {
    root: Arc<Path>,
    changes: Changes,
    tally: Tally,
    switches: Switches,
}

impl FileSessions {
    /// The sessions in this folder, which is made with the first of them; what changes is told to
    /// `changes`.
    pub fn new(root: PathBuf, changes: Changes) -> Self {
        Self {
            root: root.into(),
            changes,
            tally: Tally::default(),
            switches: Switches::default(),
        }
    }

    pub(crate) const fn changes(&self) -> &Changes {
        &self.changes
    }

    pub(crate) const fn tally(&self) -> &Tally {
        &self.tally
    }

    pub(crate) const fn switches(&self) -> &Switches {
        &self.switches
    }

    /// Does what waits for the disk where no other task waits for it.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Tree) -> Result<T, SessionError> + Send + 'static,
    ) -> Result<T, SessionError> {
        let tree = Tree::new(place::root(&self.root, self.switches.now()));
        let done = tokio::task::spawn_blocking(move || work(&tree)).await;
        done.map_err(|error| {
            Tree::new(self.root.to_path_buf()).failed("working")(io::Error::other(error))
        })?
    }

    /// The same in the folder of each switch there was, one after the other; what it comes to in all.
    async fn run_in_all(
        &self,
        work: impl Fn(&Tree) -> Result<u64, SessionError> + Send + 'static,
    ) -> Result<u64, SessionError> {
        let root = Arc::clone(&self.root);
        self.run(move |_| {
            let all = place::roots(&root).map_err(|error| {
                Tree::new(root.to_path_buf()).failed("looking through the sessions")(error)
            })?;
            let done = all.into_iter().map(|root| work(&Tree::new(root)));
            done.sum()
        })
        .await
    }

    pub(crate) async fn add(&self, stored: &StoredSession) -> Result<(), SessionError> {
        let stored = stored.clone();
        self.run(move |tree| tree.add(&stored)).await
    }

    pub(crate) async fn lookup(
        &self,
        handle: &Handle,
    ) -> Result<Option<StoredSession>, SessionError> {
        let handle = *handle;
        self.run(move |tree| tree.read(&handle)).await
    }

    /// A person's sessions that began last, whatever became of them.
    pub(crate) async fn of_person(
        &self,
        subject: &Subject,
    ) -> Result<Vec<StoredSession>, SessionError> {
        let subject = *subject;
        self.run(move |tree| {
            let place = Place::of(subject.scope());
            let mut all = Vec::new();
            for id in begun_last(tree.led(&place.of_person(subject.person()))?) {
                let stored = tree.read_or_tell(&place.handle(id))?;
                all.extend(stored.filter(|stored| stored.session.subject == subject));
            }
            Ok(all)
        })
        .await
    }

    pub(crate) async fn rotate(
        &self,
        handle: &Handle,
        from: &[u8; 32],
        to: &[u8; 32],
        now: Timestamp,
    ) -> Result<bool, SessionError> {
        let (handle, from, to) = (*handle, *from, *to);
        self.run(move |tree| {
            tree.change(&handle, |stored| {
                let fits = stored.session.ended_at.is_none() && stored.token_hash == from;
                if fits {
                    stored.token_hash = to;
                    stored.session.last_seen_at = now;
                }
                fits
            })
        })
        .await
    }

    pub(crate) async fn carry_over(
        &self,
        handle: &Handle,
        from: SecurityVersion,
    ) -> Result<bool, SessionError> {
        let handle = *handle;
        self.run(move |tree| {
            tree.change(&handle, |stored| {
                let session = &mut stored.session;
                let fits = session.ended_at.is_none() && session.security_version == from;
                if fits {
                    session.security_version = SecurityVersion(from.0 + 1);
                }
                fits
            })
        })
        .await
    }

    pub(crate) async fn touch(&self, handle: &Handle, now: Timestamp) -> Result<(), SessionError> {
        let handle = *handle;
        self.run(move |tree| {
            tree.change(&handle, |stored| {
                let session = &mut stored.session;
                let later = session.ended_at.is_none() && session.last_seen_at < now;
                if later {
                    session.last_seen_at = now;
                }
                later
            })
        })
        .await
        .map(drop)
    }

    pub(crate) async fn end(
        &self,
        handle: &Handle,
        reason: EndReason,
        now: Timestamp,
    ) -> Result<bool, SessionError> {
        let handle = *handle;
        self.run(move |tree| tree.end(&handle, (reason, now), |_| true))
            .await
    }

    pub(crate) async fn end_device(
        &self,
        tenant: TenantId,
        generation: Generation,
        device: DeviceId,
        now: Timestamp,
    ) -> Result<u64, SessionError> {
        self.run(move |tree| {
            let place = Place::of(Some((tenant, generation)));
            let ids = tree.led(&place.of_device(device))?;
            tree.end_these(&place, &ids, (EndReason::Admin, now), |stored| {
                stored.device == Some(device)
            })
        })
        .await
    }

    pub(crate) async fn end_on_devices(
        &self,
        subject: &Subject,
        now: Timestamp,
    ) -> Result<u64, SessionError> {
        let subject = *subject;
        self.run(move |tree| {
            let place = Place::of(subject.scope());
            let ids = tree.led(&place.of_person(subject.person()))?;
            tree.end_these(&place, &ids, (EndReason::Admin, now), |stored| {
                stored.device.is_some()
            })
        })
        .await
    }

    pub(crate) async fn end_others(
        &self,
        subject: &Subject,
        keep: Option<SessionId>,
        reason: EndReason,
        now: Timestamp,
    ) -> Result<u64, SessionError> {
        let subject = *subject;
        self.run(move |tree| {
            let place = Place::of(subject.scope());
            let mut ids = tree.led(&place.of_person(subject.person()))?;
            ids.retain(|id| Some(*id) != keep);
            tree.end_these(&place, &ids, (reason, now), |stored| {
                stored.session.subject == subject
            })
        })
        .await
    }

    pub(crate) async fn end_tenant(
        &self,
        tenant: TenantId,
        up_to: Generation,
        now: Timestamp,
    ) -> Result<u64, SessionError> {
        self.run(move |tree| {
            let mut ended = 0;
            for place in tree.generations(tenant)? {
                if place.generation() > up_to.number() {
                    continue;
                }
                let ids = tree.sessions(&place)?;
                ended += tree.end_these(&place, &ids, (EndReason::Tenant, now), |_| true)?;
            }
            Ok(ended)
        })
        .await
    }

    /// Takes out every trace of a tenant's sessions, also of those that a switch voided; how many there
    /// were.
    pub async fn remove_tenant(&self, tenant: TenantId) -> Result<u64, SessionError> {
        self.run_in_all(move |tree| tree.remove_tenant(tenant))
            .await
    }

    pub(crate) async fn count_live(
        &self,
        tenant: TenantId,
        now: Timestamp,
    ) -> Result<u64, SessionError> {
        self.run(move |tree| {
            let mut live = 0;
            for place in tree.generations(tenant)? {
                for id in tree.sessions(&place)? {
                    let stored = tree.read_or_tell(&place.handle(id))?;
                    live += u64::from(stored.is_some_and(|stored| stored.session.is_alive(now)));
                }
            }
            Ok(live)
        })
        .await
    }

    /// Forgets sessions that ran out before `before`; how many. Looks only at those that ran out on
    /// that day or earlier.
    pub async fn remove_expired(&self, before: Timestamp) -> Result<u64, SessionError> {
        self.run_in_all(move |tree| tree.remove_expired(before))
            .await
    }
}
