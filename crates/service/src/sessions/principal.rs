//! Somebody who is signed in.

use std::any::Any;
use std::sync::OnceLock;

use tenantry_core::session::Session;
use tenantry_core::{DeviceId, Role};

use crate::Refusal;
use crate::signin::Person;

/// Somebody who is signed in, as of now.
#[derive(Debug, Clone)]
pub struct Principal {
    /// The session.
    pub session: Session,
    /// Who it is.
    pub person: Person,
    /// The device that the session was begun on with a PIN.
    pub device: Option<DeviceId>,
    pub(super) derived: Derived,
}

/// What was worked out from somebody once.
#[derive(Default)]
pub(super) struct Derived(OnceLock<Box<dyn Any + Send + Sync>>);

impl Clone for Derived {
    /// Nothing: a copy may be changed.
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl std::fmt::Debug for Derived {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Derived")
    }
}

impl Principal {
    /// Refuses what a PIN, which is weaker than a password, does not open: whatever decides who gets
    /// into the account (`docs/decisions/0013-pin-on-devices.md`).
    pub(crate) const fn expect_password(&self) -> Result<(), Refusal> {
        match self.device {
            None => Ok(()),
            Some(_) => Err(Refusal::Forbidden),
        }
    }

    /// What a layer above works out from somebody, once for all requests that memory answers. There
    /// is room for one thing; another one is made each time.
    pub fn derived<T: Any + Clone + Send + Sync>(&self, make: impl Fn(&Self) -> T) -> T {
        let derived = self.derived.0.get_or_init(|| Box::new(make(self)));
        let derived = derived.downcast_ref::<T>();
        derived.cloned().unwrap_or_else(|| make(self))
    }

    /// What the person may do.
    pub const fn role(&self) -> Role {
        match &self.person {
            Person::User { user, .. } => user.role,
            Person::Admin(_) => Role::PlatformAdmin,
        }
    }
}
