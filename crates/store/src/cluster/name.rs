//! The names of databases, schemas and roles, as types. Made from ids only, never from what a person
//! chose. [`ddl`](super::ddl) accepts no other identifiers, but for the one of a database that was
//! there before its tenant, which is a type of its own.

use std::fmt;

use tenantry_core::credential::Slot;
use tenantry_core::tenant::Isolation;
use tenantry_core::{Generation, TenantId};
use uuid::Uuid;

use crate::tenant::TENANT_SCHEMA;

/// The most bytes an identifier may have; PostgreSQL cuts longer ones with a mere notice, so that
/// two of them may become one (manual, 4.1.1).
pub(super) const LONGEST: usize = 63;

/// The digits of the greatest generation.
const DIGITS: usize = 19;

// The longest name of each kind fits.
const _: () = assert!("t__g_app".len() + 26 + DIGITS <= LONGEST);
const _: () = assert!("tenantry_template_v_".len() + 10 + 32 <= LONGEST);
const _: () = assert!("tenantry_schemas__guests".len() + 32 <= LONGEST);
const _: () = assert!(TENANT_SCHEMA > 0 && TENANT_SCHEMA <= u32::MAX as i64);

/// One generation of one tenant and how it is kept apart: what its names and its marker are made
/// from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Placement {
    /// The tenant.
    pub tenant: TenantId,
    /// Which life of it.
    pub generation: Generation,
    /// How it is kept apart, which never changes.
    pub isolation: Isolation,
}

impl Placement {
    /// This generation of this tenant.
    pub const fn new(tenant: TenantId, generation: Generation, isolation: Isolation) -> Self {
        Self {
            tenant,
            generation,
            isolation,
        }
    }

    fn stem(self) -> String {
        format!("t_{}_g{}", self.tenant.short(), self.generation)
    }

    /// What the names of all generations of this tenant begin with.
    pub(super) fn tenant_stem(self) -> String {
        format!("t_{}_g", self.tenant.short())
    }

    /// The schema of the identity tables.
    pub fn identity_schema(self) -> SchemaName {
        SchemaName(match self.isolation {
            Isolation::Database | Isolation::Shared => return SchemaName::tenantry(),
            Isolation::Schema => self.stem(),
        })
    }

    /// The schema of the applications, with the view of people.
    pub fn application_schema(self) -> SchemaName {
        SchemaName(match self.isolation {
            Isolation::Database => return SchemaName::app(),
            Isolation::Schema | Isolation::Shared => format!("{}_app", self.stem()),
        })
    }

    /// The schemas that are the tenant's own in a database it shares with others.
    pub(super) fn own_schemas(self) -> Vec<SchemaName> {
        match self.isolation {
            Isolation::Database => Vec::new(),
            Isolation::Schema => vec![self.identity_schema(), self.application_schema()],
            Isolation::Shared => vec![self.application_schema()],
        }
    }

    /// The name of one of its roles.
    pub fn role(self, kind: RoleKind) -> RoleName {
        RoleName(format!("{}_{}", self.stem(), kind.suffix()))
    }

    /// Its roles, groups first.
    pub const fn role_kinds(self) -> &'static [RoleKind] {
        RoleKind::all(self.isolation)
    }

    /// The kind of its role that has this name, if one has.
    pub(super) fn role_named(self, name: &str) -> Option<RoleKind> {
        self.role_kinds()
            .iter()
            .copied()
            .find(|kind| self.role(*kind).0 == name)
    }

    /// The schemas that a role looks into. `pg_catalog` is searched before, as it is not named.
    pub(super) fn search_path(self, login: Login) -> SearchPath {
        SearchPath(match login {
            Login::A | Login::B => self.application_schema(),
            Login::Service => self.identity_schema(),
        })
    }
}

/// What a role of a tenant is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RoleKind {
    /// Owns the schemas, and what else is the tenant's alone: identity tables, database; can't sign
    /// in.
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
    /// The applications' slots.
    pub const SLOTS: [Self; 2] = [Self::A, Self::B];

    /// All of them.
    pub const ALL: [Self; 3] = [Self::A, Self::B, Self::Service];

    /// The one that a slot's secrets are for.
    pub const fn of(slot: Slot) -> Self {
        match slot {
            Slot::Service => Self::Service,
            Slot::A => Self::A,
            Slot::B => Self::B,
        }
    }

    /// The role it acts as.
    pub const fn acts_as(self) -> RoleKind {
        match self {
            Self::A | Self::B => RoleKind::Application,
            Self::Service => RoleKind::Owner,
        }
    }
}

impl RoleKind {
    /// All there are, groups first.
    const ALL: [Self; 5] = [
        Self::Owner,
        Self::Application,
        Self::Login(Login::A),
        Self::Login(Login::B),
        Self::Login(Login::Service),
    ];

    /// Those that a tenant kept apart like this has, groups first. Where rows are shared, the
    /// server reaches them by one login for all tenants.
    pub const fn all(isolation: Isolation) -> &'static [Self] {
        match isolation {
            Isolation::Database | Isolation::Schema => &Self::ALL,
            Isolation::Shared => Self::ALL.split_at(4).0,
        }
    }

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
    /// A database that tenants lie in: `t_<26 digits>_g<generation>` of one generation of a tenant,
    /// `tenantry_schemas_<instance>` and `tenantry_shared_<instance>` of many tenants.
    pub DatabaseName
    /// A schema: `t_<26 digits>_g<generation>` and the same with `_app` where a database is shared.
    pub SchemaName
    /// A role of one generation of a tenant: `t_<26 digits>_g<generation>` and `_o`, `_app`, `_a`,
    /// `_b`, `_s`.
    pub RoleName
    /// Our template: `tenantry_template_v<schema>_<instance>`. The installation is part of it, so
    /// that two installations on one server neither share nor block each other's.
    pub TemplateName
    /// A role that serves all tenants of the installation.
    pub(super) CommonRole
}

impl TemplateName {
    pub(super) fn of(instance: Uuid) -> Self {
        Self(format!(
            "tenantry_template_v{TENANT_SCHEMA}_{}",
            instance.simple()
        ))
    }
}

impl SchemaName {
    /// Of identity tables where there are no others' schemas beside it.
    pub(super) fn tenantry() -> Self {
        Self("tenantry".to_owned())
    }

    /// Of applications where there are no others' beside it.
    pub(super) fn app() -> Self {
        Self("app".to_owned())
    }
}

/// A database that many tenants lie in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Common {
    /// Each in schemas of its own.
    Schemas,
    /// All in the same identity tables.
    Shared,
}

impl Common {
    pub(super) const ALL: [Self; 2] = [Self::Schemas, Self::Shared];

    /// The one for tenants that are kept apart like this.
    pub(super) const fn of(isolation: Isolation) -> Option<Self> {
        match isolation {
            Isolation::Database => None,
            Isolation::Schema => Some(Self::Schemas),
            Isolation::Shared => Some(Self::Shared),
        }
    }

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Schemas => "schemas",
            Self::Shared => "shared",
        }
    }
}

impl DatabaseName {
    /// The database that the tenant lies in, alone or with others of the installation.
    pub fn of(instance: Uuid, placement: Placement) -> Self {
        match Common::of(placement.isolation) {
            None => Self::own(placement),
            Some(common) => Self::common(instance, common),
        }
    }

    /// The database of a tenant that has one of its own; also what the homes of the others are known
    /// by in the registry.
    pub fn own(placement: Placement) -> Self {
        Self(placement.stem())
    }

    pub(super) fn common(instance: Uuid, common: Common) -> Self {
        Self(format!("tenantry_{}_{}", common.word(), instance.simple()))
    }
}

impl CommonRole {
    /// Owns what lies in the template, from where a clone's objects pass to its owner, and the
    /// identity tables that tenants share.
    pub(super) fn objects(instance: Uuid) -> Self {
        Self(format!("tenantry_objects_{}", instance.simple()))
    }

    /// May connect to a common database; tenants' roles are let in by being its members.
    pub(super) fn guests(instance: Uuid, common: Common) -> Self {
        Self(format!(
            "tenantry_{}_{}_guests",
            common.word(),
            instance.simple()
        ))
    }

    /// Signs in for all tenants that share the identity tables.
    pub(super) fn service(instance: Uuid) -> Self {
        Self(format!("tenantry_shared_{}_s", instance.simple()))
    }

    /// Owns the views through which applications see people in the shared identity tables.
    pub(super) fn viewer(instance: Uuid) -> Self {
        Self(format!("tenantry_viewer_{}", instance.simple()))
    }
}

/// Where a role finds its tables.
pub(super) struct SearchPath(SchemaName);

impl SearchPath {
    /// As the catalogue has it. None of our names is one that has to be quoted.
    pub(super) fn setting(&self) -> String {
        format!("{}, pg_temp", self.0.as_str())
    }
}

impl fmt::Display for SearchPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, pg_temp", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placements() -> Vec<Placement> {
        let mut all = Vec::new();
        for id in [0, 1, u128::MAX] {
            for generation in [1, 42, i64::MAX] {
                for isolation in Isolation::ALL {
                    let tenant = TenantId::from_uuid(Uuid::from_u128(id));
                    let generation = Generation::new(generation).unwrap();
                    all.push(Placement::new(tenant, generation, *isolation));
                }
            }
        }
        all
    }

    #[test]
    fn no_name_is_longer_than_an_identifier_or_needs_escaping() {
        let instance = Uuid::from_u128(u128::MAX);
        let mut names = vec![
            TemplateName::of(instance).0,
            CommonRole::objects(instance).0,
            CommonRole::service(instance).0,
            CommonRole::viewer(instance).0,
        ];
        for common in Common::ALL {
            names.push(DatabaseName::common(instance, common).0);
            names.push(CommonRole::guests(instance, common).0);
        }
        for placement in placements() {
            names.push(DatabaseName::of(instance, placement).0);
            names.push(placement.identity_schema().0);
            names.push(placement.application_schema().0);
            names.extend(
                placement
                    .role_kinds()
                    .iter()
                    .map(|kind| placement.role(*kind).0),
            );
        }
        for name in names {
            assert!(name.len() <= LONGEST, "{name}");
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            assert!(name.chars().all(plain), "{name}");
        }
    }

    #[test]
    fn no_two_generations_share_a_name() {
        let mut names = std::collections::HashSet::new();
        let mut count = 0;
        for placement in placements() {
            if placement.isolation != Isolation::Schema {
                continue;
            }
            for kind in placement.role_kinds() {
                count += 1;
                names.insert(placement.role(*kind).0);
                assert_eq!(
                    placement.role_named(placement.role(*kind).as_str()),
                    Some(*kind)
                );
            }
            for schema in placement.own_schemas() {
                assert!(schema.as_str().starts_with(&placement.tenant_stem()));
                count += 1;
                names.insert(schema.0);
            }
            assert_eq!(placement.role_named("t_"), None);
        }
        // The schema of applications has the name of their role, which is no clash: they are
        // different kinds of things.
        assert_eq!(names.len(), count - 9);
    }

    #[test]
    fn a_name_is_shown_quoted() {
        let role = placements()[0].role(RoleKind::Login(Login::A));
        assert_eq!(role.to_string(), "\"t_00000000000000000000000000_g1_a\"");
        let path = placements()[1].search_path(Login::A);
        assert_eq!(
            path.setting(),
            "t_00000000000000000000000000_g1_app, pg_temp"
        );
        assert_eq!(
            path.to_string(),
            "\"t_00000000000000000000000000_g1_app\", pg_temp"
        );
    }
}
