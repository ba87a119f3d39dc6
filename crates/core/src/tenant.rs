//! Tenants: what they are and which states they go through.

use std::fmt;

use crate::logo::LogoTag;
use crate::text_enum::text_enum;
use crate::{Colour, Slug, TenantId, Timestamp};

/// How often a tenant's database was made: 1 at first, raised by recreate and restore. Everything
/// that was handed out under an earlier generation is void.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(transparent)]
pub struct Generation(i64);

impl Generation {
    /// The generation of a new tenant.
    pub const FIRST: Self = Self(1);

    /// The generation with this number, if it is one.
    pub const fn new(number: i64) -> Option<Self> {
        if number >= 1 {
            Some(Self(number))
        } else {
            None
        }
    }

    /// The number.
    pub const fn number(self) -> i64 {
        self.0
    }

    /// The one after this.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

text_enum! {
    /// Where a tenant is in its life.
    pub enum TenantStatus {
        /// Being made, or being made anew; nobody gets in.
        Provisioning = "provisioning",
        /// In use. The registry allows this only beside a verified database record.
        Active = "active",
        /// Nobody gets in, nothing is lost.
        Suspended = "suspended",
        /// Provisioning gave up and undid itself, or stands still for an operator.
        Failed = "failed",
        /// Nobody gets in; can be restored until it is purged.
        Deleted = "deleted",
        /// On its way out for good.
        Purging = "purging",
    }
}

/// A transition a tenant in this status can't make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a tenant that is {from} can't be {act}")]
pub struct InvalidTransition {
    /// The status it has.
    pub from: TenantStatus,
    /// What was asked for, as a participle.
    pub act: &'static str,
}

impl TenantStatus {
    /// Suspending: only an active tenant.
    pub const fn suspend(self) -> Result<Self, InvalidTransition> {
        match self {
            Self::Active => Ok(Self::Suspended),
            Self::Provisioning | Self::Suspended | Self::Failed | Self::Deleted | Self::Purging => {
                Err(InvalidTransition {
                    from: self,
                    act: "suspended",
                })
            }
        }
    }

    /// Resuming: only a suspended tenant.
    pub const fn resume(self) -> Result<Self, InvalidTransition> {
        match self {
            Self::Suspended => Ok(Self::Active),
            Self::Provisioning | Self::Active | Self::Failed | Self::Deleted | Self::Purging => {
                Err(InvalidTransition {
                    from: self,
                    act: "resumed",
                })
            }
        }
    }

    /// Deleting with a grace: what is whole. A tenant still in the making is left to its workflow.
    pub const fn delete(self) -> Result<Self, InvalidTransition> {
        match self {
            Self::Active | Self::Suspended => Ok(Self::Deleted),
            Self::Provisioning | Self::Failed | Self::Deleted | Self::Purging => {
                Err(InvalidTransition {
                    from: self,
                    act: "deleted",
                })
            }
        }
    }

    /// Restoring: only within the grace.
    pub const fn restore(self) -> Result<Self, InvalidTransition> {
        match self {
            Self::Deleted => Ok(Self::Provisioning),
            Self::Provisioning | Self::Active | Self::Suspended | Self::Failed | Self::Purging => {
                Err(InvalidTransition {
                    from: self,
                    act: "restored",
                })
            }
        }
    }

    /// Making the database anew.
    pub const fn recreate(self) -> Result<Self, InvalidTransition> {
        match self {
            Self::Active | Self::Suspended | Self::Failed => Ok(Self::Provisioning),
            Self::Provisioning | Self::Deleted | Self::Purging => Err(InvalidTransition {
                from: self,
                act: "recreated",
            }),
        }
    }

    /// Removing for good; also what is already on its way out, so that asking twice is harmless.
    pub const fn purge(self) -> Result<Self, InvalidTransition> {
        match self {
            Self::Active | Self::Suspended | Self::Failed | Self::Deleted | Self::Purging => {
                Ok(Self::Purging)
            }
            Self::Provisioning => Err(InvalidTransition {
                from: self,
                act: "purged",
            }),
        }
    }
}

text_enum! {
    /// How a tenant's rows are kept apart from the others'.
    #[derive(Default, PartialOrd, Ord)]
    pub enum Isolation {
        /// A database of its own.
        #[default]
        Database = "database",
        /// A PostgreSQL schema of its own.
        Schema = "schema",
        /// Rows of its own, under row-level security.
        Shared = "shared",
    }
}

text_enum! {
    /// Who may register in a tenant.
    #[derive(Default)]
    pub enum Registration {
        /// Anybody.
        Open = "open",
        /// Nobody.
        #[default]
        Closed = "closed",
        /// Whoever holds an invitation.
        Invite = "invite",
    }
}

text_enum! {
    /// Whether one address may belong to several tenants.
    #[derive(Default)]
    pub enum EmailUniqueness {
        /// An address lives in many tenants, as different people.
        #[default]
        PerTenant = "per_tenant",
        /// An address belongs to one tenant only.
        Global = "global",
    }
}

text_enum! {
    /// The database engine that holds a tenant.
    pub enum Driver {
        /// A file of its own under the data directory.
        Sqlite = "sqlite",
        /// A PostgreSQL server.
        Postgres = "postgres",
    }
}

text_enum! {
    /// What is known about a tenant's database of one generation.
    pub enum DatabaseState {
        /// Reserved; perhaps half-made.
        Pending = "pending",
        /// Made and checked by signing in to it.
        Verified = "verified",
        /// Replaced by a later generation, or about to be removed.
        Retired = "retired",
    }
}

/// A tenant's short human number, such as `TEN00001`.
pub fn tenant_code(prefix: &str, number: i64) -> String {
    format!("{prefix}{number:05}")
}

/// A tenant, as the registry has it.
#[derive(Debug, Clone)]
pub struct Tenant {
    /// The id.
    pub id: TenantId,
    /// The name in addresses.
    pub slug: Slug,
    /// The number its code is made of.
    pub number: i64,
    /// The name to show.
    pub name: String,
    /// Where it is in its life.
    pub status: TenantStatus,
    /// How often its database was made.
    pub generation: Generation,
    /// How its rows are kept apart.
    pub isolation: Isolation,
    /// Who may register.
    pub registration: Registration,
    /// Whether a registered address must be proven first.
    pub verify_email: bool,
    /// The fewest characters of a new password, where it has a number of its own.
    pub password_min: Option<usize>,
    /// The colour of its pages and mails, where it chose one.
    pub colour: Option<Colour>,
    /// What its logo is known by, where it has one.
    pub logo: Option<LogoTag>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was deleted.
    pub deleted_at: Option<Timestamp>,
    /// Until when it can be restored.
    pub purge_at: Option<Timestamp>,
}

impl Tenant {
    /// The colour that it is painted in: its own, or else one of the street.
    pub fn paint(&self) -> Colour {
        self.colour.unwrap_or_else(|| Colour::of_street(&self.slug))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_active_tenant_suspends_and_only_a_suspended_one_resumes() {
        for status in TenantStatus::ALL {
            assert_eq!(status.suspend().is_ok(), *status == TenantStatus::Active);
            assert_eq!(status.resume().is_ok(), *status == TenantStatus::Suspended);
            assert_eq!(status.restore().is_ok(), *status == TenantStatus::Deleted);
        }
    }

    #[test]
    fn a_code_has_five_digits_or_more() {
        assert_eq!(tenant_code("TEN", 1), "TEN00001");
        assert_eq!(tenant_code("COMP", 123_456), "COMP123456");
    }
}
