//! Databases that were there before their tenant: the application's own, in which the tenant gets
//! schemas as it would in a database that tenants share.
//!
//! Nothing that is there is altered: not the database, its owner, its tables, or its rights, but
//! where PUBLIC may not connect to it, by the grants that let the tenant's roles in. Refuses to work
//! in a database of ours, in one of the server's own, and in one where something lacks; and never
//! drops what is not the tenant's.

mod leavings;

pub(super) use leavings::Fate;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use sqlx::Row as _;
use sqlx::postgres::{PgConnectOptions, PgRow};

use super::ddl::Batch;
use super::marker::Marker;
use super::name::{Common, CommonRole, LONGEST, Login, Placement, RoleKind, RoleName};
use super::session::{CommonPools, Inside, Look};
use super::{Cluster, ClusterError};

/// The name of a database that somebody gave, where all other names are made from ids.
///
/// Shown, it is quoted as a statement needs it, with each quote in it doubled (manual, 4.1.1).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AdoptedDatabase(Arc<str>);

/// Why a text is no name of a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a database's name has 1 to 63 bytes, and none of them is zero")]
pub struct AdoptedDatabaseError;

impl AdoptedDatabase {
    /// The name as the catalogue has it, for a comparison or a connection's settings.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AdoptedDatabase {
    type Err = AdoptedDatabaseError;

    fn from_str(name: &str) -> Result<Self, AdoptedDatabaseError> {
        if (1..=LONGEST).contains(&name.len()) && !name.contains('\0') {
            Ok(Self(name.into()))
        } else {
            Err(AdoptedDatabaseError)
        }
    }
}

impl fmt::Display for AdoptedDatabase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.replace('"', "\"\""))
    }
}

/// How a tenant's roles come into the database that its schemas lie in.
pub(super) enum Entry<'a> {
    /// As members of those who may connect to a database that tenants share.
    Guests(CommonRole),
    /// As everybody may.
    Open,
    /// By a right of their own.
    Granted(&'a AdoptedDatabase),
}

// Where it accepts no connections the rest can't be asked, and a database that is not there has no
// row at all.
const DATABASE: &str = "
    SELECT d.datallowconn AS accepts, d.datistemplate AS template, d.datconnlimit = -2 AS broken,
           d.datname = current_database() OR d.datname IN ('postgres', 'template0', 'template1') AS servers,
           shobj_description(d.oid, 'pg_database') AS comment,
           pg_encoding_to_char(d.encoding)::text AS encoding,
           current_user::text AS admin,
           has_database_privilege(d.oid, 'CONNECT') AS connects,
           has_database_privilege(d.oid, 'CREATE') AS creates,
           EXISTS (SELECT FROM aclexplode(COALESCE(d.datacl, acldefault('d', d.datdba))) a
                   WHERE a.grantee = 0 AND a.privilege_type = 'CONNECT') AS public,
           has_database_privilege(d.oid, 'CONNECT WITH GRANT OPTION') AS admits
    FROM pg_database d WHERE d.datname = $1";

// A registry of this program's, told by tables that no other program has.
const REGISTRY: &str = "
    SELECT COUNT(*) >= 2 AS found
    FROM pg_class c JOIN pg_class d ON d.relnamespace = c.relnamespace
    WHERE c.relname = 'tenant_databases' AND c.relkind = 'r'
      AND d.relname IN ('tenant_databases', 'tenant_database_users') AND d.relkind = 'r'";

impl Cluster {
    /// The same server, seen so that tenants of isolation `schema` lie in this database. Shares
    /// connections with what it was made of, but for those to the database itself.
    #[must_use]
    pub fn in_database(&self, database: &AdoptedDatabase) -> Self {
        let options = self.way_into(database);
        Self {
            instance: self.instance,
            bounds: self.bounds,
            entropy: self.entropy.clone(),
            options: self.options.clone(),
            admin: self.admin.clone(),
            commons: CommonPools {
                schemas: Self::passing_pool(self.bounds, options),
                shared: self.commons.shared.clone(),
            },
            version: self.version.clone(),
            adopted: Some(database.clone()),
        }
    }

    /// How the admin goes into a database that others rule. Its owner may set for everybody who
    /// comes in where names are looked up; without this he could have the admin call functions of
    /// his. What a connection asks for itself counts more (manual, 20.1.3).
    pub(super) fn way_into(&self, database: &AdoptedDatabase) -> PgConnectOptions {
        self.options
            .clone()
            .database(database.as_str())
            .options([("search_path", "pg_catalog")])
    }

    /// The database that was there before its tenant, where this is a view of one.
    pub const fn adopted(&self) -> Option<&AdoptedDatabase> {
        self.adopted.as_ref()
    }

    /// The name, as the catalogue has it, of the database that the tenant lies in.
    pub fn database_of(&self, placement: Placement) -> String {
        match &self.adopted {
            Some(database) => database.as_str().to_owned(),
            None => self.database_name(placement).as_str().to_owned(),
        }
    }

    /// The same, quoted, for people.
    pub fn database_shown(&self, placement: Placement) -> String {
        match &self.adopted {
            Some(database) => database.to_string(),
            None => self.database_name(placement).to_string(),
        }
    }

    /// The database that tenants share, or the one that was adopted, quoted, for people.
    pub(super) fn common_shown(&self, common: Common) -> String {
        match &self.adopted {
            Some(database) => database.to_string(),
            None => self.common_name(common).to_string(),
        }
    }

    /// How the admin goes into the database that the tenant lies in.
    pub(super) fn inside_of(&self, placement: Placement) -> PgConnectOptions {
        match &self.adopted {
            Some(database) => self.way_into(database),
            None => self.inside(Inside::Tenant(&self.database_name(placement))),
        }
    }

    /// Whether tenants may lie in the database: it is there, is neither ours nor the server's own,
    /// and the admin has the rights that it takes. Changes nothing.
    ///
    /// # Errors
    /// [`ClusterError::Unadoptable`] says what lacks, and which statement helps.
    pub async fn expect_adoptable(&self, database: &AdoptedDatabase) -> Result<(), ClusterError> {
        let row = self.adopted_row(database).await?;
        let no = |why: String| Err(Self::unadoptable(database, why));
        let Some(row) = row else {
            return no("there is no database of this name on the server".to_owned());
        };
        let is = |column: &str| row.try_get::<bool, _>(column);
        let comment: Option<String> = row.try_get("comment")?;
        if comment.as_deref().and_then(Marker::parse).is_some() {
            return no("it is a database of Tenantry's, as its comment says".to_owned());
        }
        if is("template")? || is("servers")? {
            return no("it is one that the server itself, or its admin, uses".to_owned());
        }
        if is("broken")? {
            return no("dropping it was interrupted; it can only be dropped again".to_owned());
        }
        if !is("accepts")? {
            let help = format!("ALTER DATABASE {database} ALLOW_CONNECTIONS true");
            return no(format!("it accepts no connections; {help}"));
        }
        let encoding: String = row.try_get("encoding")?;
        if encoding != "UTF8" {
            return no(format!(
                "its encoding is {encoding}; only in UTF8 everybody's name can be written"
            ));
        }
        let admin = RoleShown(row.try_get("admin")?);
        if !is("connects")? || !is("creates")? {
            return no(format!(
                "the admin may not make schemas in it; as its owner, GRANT CONNECT, CREATE ON DATABASE {database} TO {admin}"
            ));
        }
        if !is("public")? && !is("admits")? {
            return no(format!(
                "not everybody may connect to it, and the admin may not let the tenant's roles in; as its owner, GRANT CONNECT ON DATABASE {database} TO {admin} WITH GRANT OPTION"
            ));
        }
        let found = self.look_inside(database, sqlx::query(REGISTRY)).await?;
        let found = found.first().ok_or(sqlx::Error::RowNotFound)?;
        if found.try_get::<bool, _>("found")? {
            return no("it holds a registry of Tenantry's".to_owned());
        }
        Ok(())
    }

    fn unadoptable(database: &AdoptedDatabase, why: String) -> ClusterError {
        ClusterError::Unadoptable {
            database: database.to_string(),
            why,
        }
    }

    async fn adopted_row(&self, database: &AdoptedDatabase) -> Result<Option<PgRow>, ClusterError> {
        let look = sqlx::query(DATABASE).bind(database.as_str().to_owned());
        Ok(self.look(look).await?.pop())
    }

    /// Asks the catalogue of a database that was or may be adopted.
    async fn look_inside(
        &self,
        database: &AdoptedDatabase,
        look: Look,
    ) -> Result<Vec<PgRow>, ClusterError> {
        if self.adopted.as_ref() == Some(database) {
            let there = self.look_common(Common::Schemas, look).await?;
            return there.ok_or_else(|| ClusterError::Missing(database.to_string()));
        }
        let view = self.in_database(database);
        let looked = view.look_common(Common::Schemas, look).await;
        view.commons.schemas.close().await;
        looked?.ok_or_else(|| ClusterError::Missing(database.to_string()))
    }

    /// How the tenant's roles come in.
    pub(super) async fn entry(&self, common: Common) -> Result<Entry<'_>, ClusterError> {
        let Some(database) = &self.adopted else {
            return Ok(Entry::Guests(self.guests_role(common)));
        };
        let row = self.adopted_row(database).await?;
        let row = row.ok_or_else(|| ClusterError::Missing(database.to_string()))?;
        Ok(if row.try_get("public")? {
            Entry::Open
        } else {
            Entry::Granted(database)
        })
    }

    /// Takes from these roles' logins what they sign in with. Everybody may connect to most
    /// databases that were adopted, so that no right could be taken from them.
    pub(super) async fn lock_out(
        &self,
        placement: Placement,
        kinds: &[RoleKind],
    ) -> Result<(), ClusterError> {
        for login in Login::ALL {
            if kinds.contains(&login.acts_as()) {
                self.try_disable(placement, login).await?;
            }
        }
        Ok(())
    }
}

impl Batch {
    /// Lets a role, and its members, into the database that the tenant's schemas lie in.
    pub(super) fn let_in(&mut self, entry: &Entry<'_>, role: &RoleName) -> &mut Self {
        match entry {
            Entry::Guests(guests) => self.grant_rights(guests, role),
            Entry::Open => self,
            Entry::Granted(database) => {
                self.add(&[&"GRANT CONNECT ON DATABASE ", *database, &" TO ", role])
            }
        }
    }
}

/// The admin's role, which a person named, quoted for people.
struct RoleShown(String);

impl fmt::Display for RoleShown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.replace('"', "\"\""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_quoted_whatever_is_in_it() {
        for (name, shown) in [
            ("tenant_uml", "\"tenant_uml\""),
            ("Tenant UML", "\"Tenant UML\""),
            ("x\"; DROP DATABASE y; --", "\"x\"\"; DROP DATABASE y; --\""),
            ("\"", "\"\"\"\""),
            ("ä\u{202e}'\\", "\"ä\u{202e}'\\\""),
        ] {
            let database: AdoptedDatabase = name.parse().unwrap();
            assert_eq!(database.as_str(), name);
            assert_eq!(database.to_string(), shown);
        }
    }

    #[test]
    fn what_the_server_would_cut_or_refuse_is_no_name() {
        assert!("a".repeat(63).parse::<AdoptedDatabase>().is_ok());
        for name in ["", "a\0b", &"a".repeat(64), &"ä".repeat(32)] {
            assert!(name.parse::<AdoptedDatabase>().is_err(), "{name:?}");
        }
    }
}
