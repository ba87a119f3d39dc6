//! The roles that sign in to a tenant's database, and the life of their secrets.

use crate::text_enum::text_enum;

text_enum! {
    /// Whose secret it is.
    pub enum Slot {
        /// The server's own, which reaches the identity tables.
        Service = "service",
        /// The applications' first slot.
        A = "a",
        /// The applications' second slot.
        B = "b",
    }
}

impl Slot {
    /// The applications' other slot; the service has but one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
            Self::Service => Self::Service,
        }
    }
}

text_enum! {
    /// Whether a secret opens the database. Two of an application's overlap while it changes from
    /// one to the next, so that it is never without one.
    pub enum CredentialState {
        /// Written down; its role may or may not have it yet.
        Pending = "pending",
        /// The one to use.
        Active = "active",
        /// Still works, until whoever uses it has changed over.
        Retiring = "retiring",
        /// Works no more.
        Retired = "retired",
    }
}
