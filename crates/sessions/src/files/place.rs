//! The names of folders and files. They come from ids alone.

use std::io;
use std::path::{Path, PathBuf};

use tenantry_core::session::{Handle, Scope};
use tenantry_core::{DeviceId, Generation, SessionId, TenantId, Timestamp};
use uuid::Uuid;

use crate::switches::Switches;

/// What a file of a session ends with.
const SUFFIX: &str = ".json";

/// The folder of all sessions that began after so many switches.
pub(super) fn root(base: &Path, switches: i64) -> PathBuf {
    Switches::name(switches).map_or_else(|| base.to_owned(), |name| base.join(name))
}

/// The folders of all sessions, whenever they began.
pub(super) fn roots(base: &Path) -> io::Result<Vec<PathBuf>> {
    let mut all = vec![base.to_owned()];
    let entries = match std::fs::read_dir(base) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(all),
        entries => entries?,
    };
    for entry in entries {
        let name = entry?.file_name();
        if name.to_str().is_some_and(Switches::is_name) {
            all.push(base.join(name));
        }
    }
    Ok(all)
}

/// The folder of one tenant in one generation, or of the platform, below that of all sessions.
#[derive(Debug, Clone)]
pub(super) struct Place {
    scope: Scope,
    folder: PathBuf,
}

impl Place {
    pub(super) fn of(scope: Scope) -> Self {
        let folder = match scope {
            Some((tenant, generation)) => Self::of_tenant(tenant).join(generation.to_string()),
            None => PathBuf::from("platform/0"),
        };
        Self { scope, folder }
    }

    /// The folder of all of a tenant's generations.
    pub(super) fn of_tenant(tenant: TenantId) -> PathBuf {
        PathBuf::from(tenant.to_string())
    }

    /// The place whose folder has these names; nothing for a folder that is none of ours.
    pub(super) fn named(tenant: &str, generation: &str) -> Option<Self> {
        let place = Self::of(match tenant {
            "platform" => None,
            tenant => Some((
                tenant.parse().ok()?,
                Generation::new(generation.parse().ok()?)?,
            )),
        });
        (place.folder == Path::new(tenant).join(generation)).then_some(place)
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The sessions.
    pub(super) fn sessions(&self) -> PathBuf {
        self.folder.join("s")
    }

    /// A session.
    pub(super) fn session(&self, id: SessionId) -> PathBuf {
        self.sessions().join(format!("{id}{SUFFIX}"))
    }

    /// What leads to the sessions of people.
    pub(super) fn people(&self) -> PathBuf {
        self.folder.join("p")
    }

    /// What leads to the sessions of a person.
    pub(super) fn of_person(&self, person: Uuid) -> PathBuf {
        self.people().join(person.to_string())
    }

    /// What leads to the sessions of devices.
    pub(super) fn devices(&self) -> PathBuf {
        self.folder.join("d")
    }

    /// What leads to the sessions that were begun on a device.
    pub(super) fn of_device(&self, device: DeviceId) -> PathBuf {
        self.devices().join(device.to_string())
    }

    /// What leads to the sessions by the day they run out.
    pub(super) fn days(&self) -> PathBuf {
        self.folder.join("e")
    }

    /// What leads to the sessions that run out on a day, counted from 1970.
    pub(super) fn of_day(&self, day: i64) -> PathBuf {
        self.days().join(day.to_string())
    }

    /// The generation's number; 0 for the platform.
    pub(super) fn generation(&self) -> i64 {
        self.scope.map_or(0, |(_, generation)| generation.number())
    }

    /// What a token would say of this session.
    pub(super) const fn handle(&self, id: SessionId) -> Handle {
        Handle {
            scope: self.scope,
            id,
        }
    }
}

/// The day of a time, counted from 1970.
pub(super) const fn day(at: Timestamp) -> i64 {
    at.seconds().div_euclid(86_400)
}

/// The session that a file name means.
pub(super) fn session_named(name: &str) -> Option<SessionId> {
    name.strip_suffix(SUFFIX).unwrap_or(name).parse().ok()
}
