//! Reading and changing the files.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use tenantry_core::session::{EndReason, Handle};
use tenantry_core::{SessionId, TenantId, Timestamp};
use tenantry_store::control::StoredSession;

use super::place::{Place, day, session_named};
use super::write::{Lock, mark, remove};
use crate::{SessionError, record};

/// How often adding a session is begun again because somebody took its folder away at the same
/// moment, as clearing up does with empty ones.
const TRIES: usize = 16;

/// The folder of all sessions.
pub(super) struct Tree {
    root: PathBuf,
}

impl Tree {
    pub(super) const fn new(root: PathBuf) -> Self {
        Self { root }
    }

    pub(super) fn failed(&self, what: &'static str) -> impl Fn(io::Error) -> SessionError {
        move |source| SessionError::Io {
            what,
            place: self.root.display().to_string(),
            source,
        }
    }

    pub(super) fn add(&self, stored: &StoredSession) -> Result<(), SessionError> {
        let session = &stored.session;
        let place = Place::of(session.subject.scope());
        let name = session.id.to_string();
        let path = self.root.join(place.session(session.id));
        let content = content(stored);
        let lock = Lock::of(&self.root, session.id)?;
        let mut leads = vec![
            place.of_person(session.subject.person()),
            place.of_day(day(session.expires_at)),
        ];
        leads.extend(stored.device.map(|device| place.of_device(device)));
        let add = || -> io::Result<()> {
            // What leads to it comes first: a session that nothing leads to could not be ended with
            // its person's others.
            for lead in &leads {
                mark(&self.root.join(lead), &name)?;
            }
            super::write::make_folder(&self.root.join(place.sessions()))?;
            lock.write(&path, content.as_bytes())?;
            // Whoever takes its tenant out at this moment may have taken only what leads to it.
            let led = leads
                .iter()
                .all(|lead| self.root.join(lead).join(&name).exists());
            if led {
                Ok(())
            } else {
                Err(io::ErrorKind::NotFound.into())
            }
        };
        if path.exists() {
            let there = io::ErrorKind::AlreadyExists.into();
            return Err(self.failed("adding a session")(there));
        }
        let mut tried = 1;
        loop {
            match add() {
                Err(error) if error.kind() == io::ErrorKind::NotFound && tried < TRIES => {
                    tried += 1;
                }
                outcome => return outcome.map_err(self.failed("adding a session")),
            }
        }
    }

    pub(super) fn read(&self, handle: &Handle) -> Result<Option<StoredSession>, SessionError> {
        let path = self.root.join(Place::of(handle.scope).session(handle.id));
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.failed("reading a session")(error)),
        };
        let damaged = |field| SessionError::Damaged {
            place: path.display().to_string(),
            field,
        };
        let fields: BTreeMap<String, String> =
            serde_json::from_slice(&text).map_err(|_| damaged("it is no JSON of ours"))?;
        let value = |name: &str| fields.get(name).map(String::as_str);
        let stored = record::decode(handle, value).map_err(damaged)?;
        Ok(Some(stored))
    }

    /// The same; a damaged one, which is nobody's, is told to the log and is none. It keeps nobody
    /// from the others.
    pub(super) fn read_or_tell(
        &self,
        handle: &Handle,
    ) -> Result<Option<StoredSession>, SessionError> {
        match self.read(handle) {
            Err(error @ SessionError::Damaged { .. }) => {
                tracing::error!(%error, "a session is left out");
                Ok(None)
            }
            outcome => outcome,
        }
    }

    /// Changes a session under its lock where `change` says that it did; whether it did.
    pub(super) fn change(
        &self,
        handle: &Handle,
        change: impl FnOnce(&mut StoredSession) -> bool,
    ) -> Result<bool, SessionError> {
        let lock = Lock::of(&self.root, handle.id)?;
        let Some(mut stored) = self.read(handle)? else {
            return Ok(false);
        };
        if !change(&mut stored) {
            return Ok(false);
        }
        let path = self.root.join(Place::of(handle.scope).session(handle.id));
        match lock.write(&path, content(&stored).as_bytes()) {
            Ok(()) => Ok(true),
            // Its tenant was taken out meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(self.failed("changing a session")(error)),
        }
    }

    pub(super) fn end(
        &self,
        handle: &Handle,
        (reason, now): (EndReason, Timestamp),
        is_meant: impl FnOnce(&StoredSession) -> bool,
    ) -> Result<bool, SessionError> {
        self.change(handle, |stored| {
            let ends = stored.session.ended_at.is_none() && is_meant(stored);
            if ends {
                stored.session.ended_at = Some(now);
                stored.end_reason = Some(reason);
            }
            ends
        })
    }

    /// Ends those of these sessions that are meant; how many were alive. A damaged one is told to the
    /// log, and the others end.
    pub(super) fn end_these(
        &self,
        place: &Place,
        ids: &[SessionId],
        why: (EndReason, Timestamp),
        is_meant: impl Fn(&StoredSession) -> bool,
    ) -> Result<u64, SessionError> {
        let mut ended = 0;
        for id in ids {
            let mut alive = false;
            let is_meant = |stored: &StoredSession| {
                alive = stored.session.is_alive(why.1);
                is_meant(stored)
            };
            match self.end(&place.handle(*id), why, is_meant) {
                Ok(done) => ended += u64::from(done && alive),
                Err(error @ SessionError::Damaged { .. }) => {
                    tracing::error!(%error, "a session can't be ended");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(ended)
    }

    /// The names in a folder; none where there is no such folder.
    fn names(&self, folder: &Path) -> Result<Vec<String>, SessionError> {
        let failed = self.failed("looking through the sessions");
        let entries = match std::fs::read_dir(self.root.join(folder)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(error)),
        };
        entries
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect::<io::Result<_>>()
            .map_err(failed)
    }

    /// The sessions that the files in a folder are named after.
    pub(super) fn led(&self, folder: &Path) -> Result<Vec<SessionId>, SessionError> {
        let names = self.names(folder)?;
        Ok(names
            .iter()
            .filter_map(|name| session_named(name))
            .collect())
    }

    /// Every session of a place.
    pub(super) fn sessions(&self, place: &Place) -> Result<Vec<SessionId>, SessionError> {
        self.led(&place.sessions())
    }

    /// The places of a tenant's generations.
    pub(super) fn generations(&self, tenant: TenantId) -> Result<Vec<Place>, SessionError> {
        let folder = Place::of_tenant(tenant);
        let names = self.names(&folder)?;
        let tenant = folder.to_string_lossy();
        let places = names.iter().map(|name| Place::named(&tenant, name));
        Ok(places.flatten().collect())
    }

    pub(super) fn remove_tenant(&self, tenant: TenantId) -> Result<u64, SessionError> {
        let mut removed = 0;
        let folder = self.root.join(Place::of_tenant(tenant));
        for _ in 0..TRIES {
            for place in self.generations(tenant)? {
                for id in self.sessions(&place)? {
                    let _lock = Lock::of(&self.root, id)?;
                    let path = self.root.join(place.session(id));
                    let gone = remove(&path).map_err(self.failed("removing a session"))?;
                    removed += u64::from(gone);
                }
            }
            let error = match std::fs::remove_dir_all(&folder) {
                Ok(()) => return Ok(removed),
                Err(error) => error,
            };
            match error.kind() {
                // Somebody adds or removes the same at this moment.
                io::ErrorKind::NotFound | io::ErrorKind::DirectoryNotEmpty if folder.exists() => {}
                io::ErrorKind::NotFound => return Ok(removed),
                _ => return Err(self.failed("removing a tenant's sessions")(error)),
            }
        }
        let busy = io::ErrorKind::DirectoryNotEmpty.into();
        Err(self.failed("removing a tenant's sessions")(busy))
    }

    pub(super) fn remove_expired(&self, before: Timestamp) -> Result<u64, SessionError> {
        let mut removed = 0;
        for tenant in self.names(Path::new(""))? {
            for generation in self.names(Path::new(&tenant))? {
                if let Some(place) = Place::named(&tenant, &generation) {
                    removed += self.sweep(&place, before)?;
                }
            }
        }
        Ok(removed)
    }

    fn sweep(&self, place: &Place, before: Timestamp) -> Result<u64, SessionError> {
        let mut removed = 0;
        for name in self.names(&place.days())? {
            let Ok(on) = name.parse::<i64>() else {
                continue;
            };
            if on > day(before) {
                continue;
            }
            let folder = place.of_day(on);
            for id in self.led(&folder)? {
                let lock = Lock::of(&self.root, id)?;
                let stored = match self.read(&place.handle(id)) {
                    Err(SessionError::Damaged { .. }) => None,
                    outcome => outcome?,
                };
                // Of one that is damaged, or was never written to the end, the day tells.
                let expired = stored.as_ref().map_or(on < day(before), |stored| {
                    stored.session.expires_at < before
                });
                if expired {
                    removed += u64::from(self.forget((place, id), stored.as_ref(), &folder)?);
                }
                drop(lock);
            }
            self.remove_if_empty(&folder);
        }
        if removed > 0 {
            let folders = [
                place.sessions(),
                place.people(),
                place.devices(),
                place.days(),
            ];
            for folder in folders {
                self.remove_if_empty(&folder);
            }
            self.remove_if_empty(place.folder());
        }
        Ok(removed)
    }

    /// Removes a session, and then what leads to it; whether there was one.
    fn forget(
        &self,
        (place, id): (&Place, SessionId),
        stored: Option<&StoredSession>,
        day: &Path,
    ) -> Result<bool, SessionError> {
        let failed = self.failed("removing a session");
        let gone = remove(&self.root.join(place.session(id))).map_err(&failed)?;
        let mut leads = if let Some(stored) = stored {
            let mut leads = vec![place.of_person(stored.session.subject.person())];
            leads.extend(stored.device.map(|device| place.of_device(device)));
            leads
        } else {
            let all = [place.people(), place.devices()].into_iter();
            let named = all.map(|all| Ok((self.names(&all)?, all)));
            let named = named.collect::<Result<Vec<_>, SessionError>>()?;
            let joined = named
                .iter()
                .flat_map(|(names, all)| names.iter().map(move |name| all.join(name)));
            joined.collect()
        };
        leads.push(day.to_owned());
        for lead in leads {
            if remove(&self.root.join(&lead).join(id.to_string())).map_err(&failed)? {
                self.remove_if_empty(&lead);
            }
        }
        Ok(gone)
    }

    /// Removes what leads to a session from somewhere.
    pub(super) fn forget_lead(&self, lead: &Path, id: SessionId) -> Result<(), SessionError> {
        let path = self.root.join(lead).join(id.to_string());
        remove(&path).map_err(self.failed("forgetting a session"))?;
        Ok(())
    }

    /// One that is not empty stays, whatever is said about it.
    fn remove_if_empty(&self, folder: &Path) {
        let _stays = std::fs::remove_dir(self.root.join(folder));
    }
}

fn content(stored: &StoredSession) -> String {
    let fields: BTreeMap<&str, String> = record::encode(stored).into_iter().collect();
    // Texts under texts: there is nothing that JSON could not say.
    serde_json::to_string_pretty(&fields).unwrap_or_default()
}
