//! Statements that can't have parameters, put together from fixed words and our own types alone.
//!
//! The one place where text that was put together becomes a statement. What can stand in one is
//! what implements the private trait [`Part`]: words of this program's source, names and markers
//! made from ids, verifiers, and numbers.

use std::fmt::Write as _;

use sqlx::AssertSqlSafe;
use tenantry_core::TenantId;

use super::Version;
use super::adopted::AdoptedDatabase;
use super::credentials::Verifier;
use super::marker::Marker;
use super::name::{
    CommonRole, DatabaseName, Placement, RoleName, SchemaName, SearchPath, TemplateName,
};

/// Something that may stand in a statement.
pub(super) trait Part: Sync {
    fn append(&self, sql: &mut String);
}

impl Part for &'static str {
    fn append(&self, sql: &mut String) {
        sql.push_str(self);
    }
}

macro_rules! displayed {
    ($($part:ty),+) => {$(
        impl Part for $part {
            fn append(&self, sql: &mut String) {
                // Writing to a string can't fail.
                let _written = write!(sql, "{self}");
            }
        }
    )+};
}

displayed!(
    AdoptedDatabase,
    DatabaseName,
    SchemaName,
    SearchPath,
    RoleName,
    TemplateName,
    CommonRole,
    u32,
    i64
);

/// One of our names, or the beginning of some, as a literal: it holds lower-case letters, digits
/// and underscores.
pub(super) struct Literal(String);

impl Literal {
    pub(super) fn schema(name: &SchemaName) -> Self {
        Self(name.as_str().to_owned())
    }

    pub(super) fn database(name: &DatabaseName) -> Self {
        Self(name.as_str().to_owned())
    }

    /// What the names of all generations of a tenant begin with.
    pub(super) fn tenant_stem(placement: Placement) -> Self {
        Self(placement.tenant_stem())
    }
}

impl Part for Literal {
    fn append(&self, sql: &mut String) {
        let _written = write!(sql, "'{}'", self.0);
    }
}

/// As a literal of a UUID: hexadecimal digits and hyphens.
impl Part for TenantId {
    fn append(&self, sql: &mut String) {
        let _written = write!(sql, "'{}'", self.uuid());
    }
}

/// As a literal: it holds neither quotes nor backslashes.
impl Part for Marker {
    fn append(&self, sql: &mut String) {
        let _written = write!(sql, "'{self}'");
    }
}

/// As a literal: it holds base64, digits, `$`, `:` and `-`.
impl Part for Verifier {
    fn append(&self, sql: &mut String) {
        sql.push('\'');
        sql.push_str(self.expose());
        sql.push('\'');
    }
}

/// Statements that are sent at once. The server runs them as one transaction, so all of them
/// happen or none (manual, 55.2.2.1); a statement that must not be in one comes alone.
pub(super) struct Batch {
    sql: String,
    version: Version,
}

impl Batch {
    pub(super) const fn new(version: Version) -> Self {
        Self {
            sql: String::new(),
            version,
        }
    }

    /// A batch that waits for every other about the same tenant, in this database.
    pub(super) fn locked(version: Version, placement: Placement) -> Self {
        let mut batch = Self::new(version);
        batch.add(&[&"SELECT pg_advisory_xact_lock(", &lock_key(placement), &")"]);
        batch
    }

    /// Adds a statement.
    pub(super) fn add(&mut self, parts: &[&dyn Part]) -> &mut Self {
        for part in parts {
            part.append(&mut self.sql);
        }
        self.sql.push_str(";\n");
        self
    }

    /// Makes `member` a member that has the group's rights and may act as it. Said explicitly
    /// where there is a choice (16 and later), as defaults depend on the server's settings.
    pub(super) fn grant(&mut self, group: &dyn Part, member: &dyn Part) -> &mut Self {
        let options = if self.version >= Version::GRANT_OPTIONS {
            " WITH INHERIT TRUE, SET TRUE"
        } else {
            ""
        };
        self.add(&[&"GRANT ", group, &" TO ", member, &options])
    }

    /// Makes `member` a member that has the group's rights, but (16 and later, where there is the
    /// choice) may not act as it.
    pub(super) fn grant_rights(&mut self, group: &dyn Part, member: &dyn Part) -> &mut Self {
        let options = if self.version >= Version::GRANT_OPTIONS {
            " WITH INHERIT TRUE, SET FALSE"
        } else {
            ""
        };
        self.add(&[&"GRANT ", group, &" TO ", member, &options])
    }

    /// Makes the admin a member of these roles until [`give_back`](Self::give_back), which belongs
    /// into the same batch.
    pub(super) fn borrow<'a>(
        &mut self,
        roles: impl IntoIterator<Item = &'a RoleName>,
    ) -> &mut Self {
        for role in roles {
            self.grant(role, &"CURRENT_USER");
        }
        self
    }

    /// Ends what [`borrow`](Self::borrow) began.
    pub(super) fn give_back<'a>(
        &mut self,
        roles: impl IntoIterator<Item = &'a RoleName>,
    ) -> &mut Self {
        for role in roles {
            self.add(&[&"REVOKE ", role, &" FROM CURRENT_USER"]);
        }
        self
    }

    pub(super) fn into_sql(self) -> AssertSqlSafe<String> {
        AssertSqlSafe(self.sql)
    }
}

/// Half of the tenant's id: the lock only keeps nodes that race for one tenant in order, and is
/// not what any step's outcome rests on, so two tenants may share one.
fn lock_key(placement: Placement) -> i64 {
    placement.tenant.uuid().as_u64_pair().1.cast_signed()
}

#[cfg(test)]
mod tests {
    use tenantry_core::Generation;
    use tenantry_core::tenant::Isolation;
    use uuid::Uuid;

    use super::*;
    use crate::cluster::name::RoleKind;

    #[test]
    fn options_of_a_grant_are_said_where_the_server_knows_them() {
        let tenant = TenantId::from_uuid(Uuid::nil());
        let placement = Placement::new(tenant, Generation::FIRST, Isolation::Database);
        let owner = placement.role(RoleKind::Owner);
        let text = |version| {
            let mut batch = Batch::new(Version(version));
            batch.borrow([&owner]).give_back([&owner]);
            batch.sql
        };
        let name = "\"t_00000000000000000000000000_g1_o\"";
        assert_eq!(
            text(150_018),
            format!("GRANT {name} TO CURRENT_USER;\nREVOKE {name} FROM CURRENT_USER;\n")
        );
        assert!(text(160_000).contains("TO CURRENT_USER WITH INHERIT TRUE, SET TRUE;"));
    }
}
