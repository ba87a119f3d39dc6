//! The names of databases and roles, as types. Made from ids only, never from what a person chose,
//! and the only identifiers that [`ddl`](super::ddl) accepts.

use std::fmt;

use tenantry_core::{Generation, TenantId};
use uuid::Uuid;

use crate::tenant::TENANT_SCHEMA;

/// The most bytes an identifier may have; PostgreSQL cuts longer ones with a mere notice, so that
/// two of them may become one (manual, 4.1.1).
const LONGEST: usize = 63;

/// The digits of the greatest generation.
const DIGITS: usize = 19;

// The longest name of each kind fits.
const _: () = assert!("t__g_app".len() + 26 + DIGITS <= LONGEST);
const _: () = assert!("tenantry_template_v_".len() + 10 + 32 <= LONGEST);
const _: () = assert!(TENANT_SCHEMA > 0 && TENANT_SCHEMA <= u32::MAX as i64);

/// One generation of one tenant: what its names and its marker are made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Placement {
    /// The tenant.
    pub tenant: TenantId,
    /// Which life of it.
    pub generation: Generation,
}

impl Placement {
    /// This generation of this tenant.
    pub const fn new(tenant: TenantId, generation: Generation) -> Self {
        Self { tenant, generation }
    }

    fn stem(self) -> String {
        format!("t_{}_g{}", self.tenant.short(), self.generation)
    }

    /// The name of its database.
    pub fn database(self) -> DatabaseName {
        DatabaseName(self.stem())
    }

    /// The name of one of its roles.
    pub fn role(self, kind: RoleKind) -> RoleName {
        RoleName(format!("{}_{}", self.stem(), kind.suffix()))
    }

    /// Whose database or role this is, if the name is one that this program makes.
    pub fn from_name(name: &str) -> Option<Self> {
        let (short, rest) = name.strip_prefix("t_")?.split_once("_g")?;
        let number = rest.split('_').next()?;
        let placement = Self {
            tenant: TenantId::from_short(short)?,
            generation: Generation::new(number.parse().ok()?)?,
        };
        let made = placement.database().0 == name
            || RoleKind::ALL
                .into_iter()
                .any(|kind| placement.role(kind).0 == name);
        made.then_some(placement)
    }
}

/// What a role of a tenant is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RoleKind {
    /// Owns database, schemas and identity tables; can't sign in.
    Owner,
    /// What applications act as; can't sign in.
    Application,
    /// A role that signs in.
    Login(Login),
}

/// A role that signs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Login {
    /// The applications' first slot.
    A,
    /// The applications' second slot.
    B,
    /// The server's own.
    Service,
}

impl Login {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::A, Self::B, Self::Service];

    /// The role it acts as.
    pub const fn acts_as(self) -> RoleKind {
        match self {
            Self::A | Self::B => RoleKind::Application,
            Self::Service => RoleKind::Owner,
        }
    }

    /// Where it finds its tables. `pg_catalog` is searched before, as it is not named.
    pub(super) const fn search_path(self) -> &'static str {
        match self {
            Self::A | Self::B => "app, pg_temp",
            Self::Service => "tenantry, pg_temp",
        }
    }
}

impl RoleKind {
    /// All of them, groups first.
    pub const ALL: [Self; 5] = [
        Self::Owner,
        Self::Application,
        Self::Login(Login::A),
        Self::Login(Login::B),
        Self::Login(Login::Service),
    ];

    const fn suffix(self) -> &'static str {
        match self {
            Self::Owner => "o",
            Self::Application => "app",
            Self::Login(Login::A) => "a",
            Self::Login(Login::B) => "b",
            Self::Login(Login::Service) => "s",
        }
    }
}

macro_rules! names {
    ($($(#[$meta:meta])* $vis:vis $name:ident)+) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        $vis struct $name(String);

        impl $name {
            /// The name as the catalogue has it, for a comparison or a connection's settings.
            $vis fn as_str(&self) -> &str { &self.0 }
        }

        /// Quoted, as a statement needs it.
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { write!(f, "\"{}\"", self.0) }
        }
    )+};
}

names! {
    /// The database of one generation of a tenant: `t_<26 digits>_g<generation>`.
    pub DatabaseName
    /// A role of one generation of a tenant: the database's name and `_o`, `_app`, `_a`, `_b`, `_s`.
    pub RoleName
    /// Our template: `tenantry_template_v<schema>_<instance>`. The installation is part of it, so
    /// that two installations on one server neither share nor block each other's.
    pub TemplateName
    /// The role that owns what lies in the template; a clone's objects pass from it to the owner.
    pub(super) ObjectsRole
}

impl TemplateName {
    pub(super) fn of(instance: Uuid) -> Self {
        Self(format!(
            "tenantry_template_v{TENANT_SCHEMA}_{}",
            instance.simple()
        ))
    }
}

impl ObjectsRole {
    pub(super) fn of(instance: Uuid) -> Self {
        Self(format!("tenantry_objects_{}", instance.simple()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placements() -> Vec<Placement> {
        let mut all = Vec::new();
        for id in [0, 1, u128::MAX] {
            for generation in [1, 42, i64::MAX] {
                let tenant = TenantId::from_uuid(Uuid::from_u128(id));
                all.push(Placement::new(tenant, Generation::new(generation).unwrap()));
            }
        }
        all
    }

    #[test]
    fn no_name_is_longer_than_an_identifier_or_needs_escaping() {
        let instance = Uuid::from_u128(u128::MAX);
        let mut names = vec![TemplateName::of(instance).0, ObjectsRole::of(instance).0];
        for placement in placements() {
            names.push(placement.database().0);
            names.extend(RoleKind::ALL.map(|kind| placement.role(kind).0));
        }
        for name in names {
            assert!(name.len() <= LONGEST, "{name}");
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            assert!(name.chars().all(plain), "{name}");
        }
    }

    #[test]
    fn names_lead_back_to_the_tenant_and_others_do_not() {
        for placement in placements() {
            let database = placement.database();
            assert_eq!(Placement::from_name(database.as_str()), Some(placement));
            for kind in RoleKind::ALL {
                let role = placement.role(kind);
                assert_eq!(Placement::from_name(role.as_str()), Some(placement));
                assert_ne!(role.as_str(), database.as_str());
            }
        }
        let name = placements()[0].database().0;
        for other in [
            "postgres",
            "t_",
            "t_x_g1",
            &format!("{name}_x"),
            &format!("{name}\""),
            &name.replace("_g1", "_g01"),
            &name.replace("_g1", "_g0"),
            &name.replace("_g1", "_g+1"),
            &name.to_uppercase(),
        ] {
            assert_eq!(Placement::from_name(other), None, "{other}");
        }
    }

    #[test]
    fn a_name_is_shown_quoted() {
        let role = placements()[0].role(RoleKind::Login(Login::A));
        assert_eq!(role.to_string(), "\"t_00000000000000000000000000_g1_a\"");
    }
}
