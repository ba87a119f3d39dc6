//! The names of keys. They come from ids alone.

use tenantry_core::session::{Handle, Scope};
use tenantry_core::{DeviceId, SessionId};
use uuid::Uuid;

use crate::switches::Switches;

/// The keys of one tenant in one generation, or of the platform.
pub(super) struct Keys {
    scope: Scope,
    /// With what is between the braces a Redis Cluster chooses the place of a key.
    prefix: String,
    generation: i64,
}

impl Keys {
    /// Those of sessions that began after so many switches.
    pub(super) fn of(switches: i64, scope: Scope) -> Self {
        let tenant = scope.map_or_else(|| "platform".to_owned(), |(tenant, _)| tenant.to_string());
        let after = Switches::name(switches).map_or_else(String::new, |name| format!(":{name}"));
        Self {
            scope,
            prefix: format!("tenantry:{{{tenant}}}{after}"),
            generation: scope.map_or(0, |(_, generation)| generation.number()),
        }
    }

    /// Which generations have sessions.
    pub(super) fn generations(&self) -> String {
        format!("{}:generations", self.prefix)
    }

    /// A session.
    pub(super) fn session(&self, id: SessionId) -> String {
        format!("{}:{}:s:{id}", self.prefix, self.generation)
    }

    /// Every session.
    pub(super) fn sessions(&self) -> String {
        format!("{}:{}:all", self.prefix, self.generation)
    }

    /// The sessions of a person.
    pub(super) fn of_person(&self, person: Uuid) -> String {
        format!("{}:{}:p:{person}", self.prefix, self.generation)
    }

    /// The sessions that were begun on a device.
    pub(super) fn of_device(&self, device: DeviceId) -> String {
        format!("{}:{}:d:{device}", self.prefix, self.generation)
    }

    /// The generation's number; 0 for the platform.
    pub(super) const fn generation(&self) -> i64 {
        self.generation
    }

    /// What a token would say of this session.
    pub(super) const fn handle(&self, id: SessionId) -> Handle {
        Handle {
            scope: self.scope,
            id,
        }
    }
}
