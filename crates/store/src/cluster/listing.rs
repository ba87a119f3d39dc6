//! What of ours is on a cluster, whether its tenant is known or not.

use sqlx::Row as _;
use sqlx::postgres::PgRow;

use super::marker::Marker;
use super::name::{Common, Placement};
use super::{Cluster, ClusterError};

/// A database, schema or role that carries a tenant's marker of this installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name as the catalogue has it.
    pub name: String,
    /// Whose its marker says it is.
    pub placement: Placement,
    /// Whether its name is the one that this tenant's would have.
    pub named_right: bool,
    /// A database: it accepts connections; a role: it may sign in; a schema: always.
    pub enabled: bool,
    /// A database whose drop was interrupted; to be dropped again.
    pub broken: bool,
}

/// Everything of ours.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listing {
    /// The databases that are one tenant's.
    pub databases: Vec<Listed>,
    /// The schemas in databases that tenants share.
    pub schemas: Vec<Listed>,
    /// The roles.
    pub roles: Vec<Listed>,
}

const DATABASES: &str = "
    SELECT d.datname::text AS name, c.description AS comment, d.datallowconn AS enabled,
           d.datconnlimit = -2 AS broken
    FROM pg_database d
    JOIN pg_shdescription c ON c.classoid = 'pg_database'::regclass AND c.objoid = d.oid
    WHERE starts_with(c.description, $1) ORDER BY d.datname";

const ROLES: &str = "
    SELECT r.rolname::text AS name, c.description AS comment, r.rolcanlogin AS enabled,
           FALSE AS broken
    FROM pg_roles r
    JOIN pg_shdescription c ON c.classoid = 'pg_authid'::regclass AND c.objoid = r.oid
    WHERE starts_with(c.description, $1) ORDER BY r.rolname";

const SCHEMAS: &str = "
    SELECT n.nspname::text AS name, c.description AS comment, TRUE AS enabled, FALSE AS broken
    FROM pg_namespace n
    JOIN pg_description c
      ON c.classoid = 'pg_namespace'::regclass AND c.objoid = n.oid AND c.objsubid = 0
    WHERE starts_with(c.description, $1) ORDER BY n.nspname";

impl Cluster {
    /// Every database, schema and role that carries a tenant's marker of this installation,
    /// whether the tenant is known or not.
    pub async fn list(&self) -> Result<Listing, ClusterError> {
        let prefix = Marker::prefix(self.instance);
        let databases = self
            .look(sqlx::query(DATABASES).bind(prefix.clone()))
            .await?;
        let roles = self.look(sqlx::query(ROLES).bind(prefix.clone())).await?;
        let mut schemas = Vec::new();
        for common in Common::ALL {
            let look = sqlx::query(SCHEMAS).bind(prefix.clone());
            let rows = self.look_common(common, look).await?.unwrap_or_default();
            schemas.extend(listed(&rows, |placement, name| {
                let mut own = placement.own_schemas().into_iter();
                Common::of(placement.isolation) == Some(common)
                    && own.any(|schema| schema.as_str() == name)
            })?);
        }
        Ok(Listing {
            databases: listed(&databases, |placement, name| {
                Common::of(placement.isolation).is_none()
                    && self.database_name(placement).as_str() == name
            })?,
            schemas,
            roles: listed(&roles, |placement, name| {
                placement.role_named(name).is_some()
            })?,
        })
    }
}

fn listed(
    rows: &[PgRow],
    is_named_right: impl Fn(Placement, &str) -> bool,
) -> Result<Vec<Listed>, ClusterError> {
    let mut all = Vec::new();
    for row in rows {
        let comment: String = row.try_get("comment")?;
        let Some(placement) = Marker::parse(&comment).and_then(|marker| marker.placement()) else {
            continue;
        };
        let name: String = row.try_get("name")?;
        all.push(Listed {
            named_right: is_named_right(placement, &name),
            name,
            placement,
            enabled: row.try_get("enabled")?,
            broken: row.try_get("broken")?,
        });
    }
    Ok(all)
}
