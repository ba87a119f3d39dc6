//! What of ours is on a cluster, and how much more fits.

use sqlx::Row as _;

use super::marker::Marker;
use super::name::Placement;
use super::{Cluster, ClusterError};

/// A database or role that carries a tenant's marker of this installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name as the catalogue has it.
    pub name: String,
    /// Whose its marker says it is.
    pub placement: Placement,
    /// Whether its name is the one that this tenant's would have.
    pub named_right: bool,
    /// A database: it accepts connections; a role: it may sign in.
    pub enabled: bool,
    /// A database whose drop was interrupted; to be dropped again.
    pub broken: bool,
}

/// Everything of ours.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listing {
    /// The databases.
    pub databases: Vec<Listed>,
    /// The roles.
    pub roles: Vec<Listed>,
}

/// How full a cluster is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capacity {
    /// Tenant databases of this installation.
    pub databases: i64,
    /// Connections to any database of the server.
    pub connections_used: i64,
    /// Connections that roles like ours may have in all: `max_connections` less what is reserved
    /// for superusers and others.
    pub connections_max: i64,
}

impl Capacity {
    /// Connections that can still be opened.
    pub const fn connections_free(&self) -> i64 {
        let free = self.connections_max - self.connections_used;
        if free > 0 { free } else { 0 }
    }
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

// Other users' rows of pg_stat_activity hide what kind of backend they are; these counters don't.
const CAPACITY: &str = "
    SELECT (SELECT COUNT(*) FROM pg_shdescription c
             WHERE c.classoid = 'pg_database'::regclass AND starts_with(c.description, $1)) AS databases,
           (SELECT SUM(numbackends)::bigint FROM pg_stat_database) AS used,
           current_setting('max_connections')::bigint
             - current_setting('superuser_reserved_connections')::bigint
             - COALESCE(current_setting('reserved_connections', TRUE), '0')::bigint AS most";

impl Cluster {
    /// Every database and role that carries a tenant's marker of this installation, whether the
    /// tenant is known or not.
    pub async fn list(&self) -> Result<Listing, ClusterError> {
        Ok(Listing {
            databases: self.listed(DATABASES).await?,
            roles: self.listed(ROLES).await?,
        })
    }

    async fn listed(&self, sql: &'static str) -> Result<Vec<Listed>, ClusterError> {
        let look = sqlx::query(sql).bind(Marker::prefix(self.instance));
        let mut all = Vec::new();
        for row in self.look(look).await? {
            let comment: String = row.try_get("comment")?;
            let Some(placement) = Marker::parse(&comment).and_then(|marker| marker.placement())
            else {
                continue;
            };
            let name: String = row.try_get("name")?;
            all.push(Listed {
                named_right: Placement::from_name(&name) == Some(placement),
                name,
                placement,
                enabled: row.try_get("enabled")?,
                broken: row.try_get("broken")?,
            });
        }
        Ok(all)
    }

    /// The bytes that the tenant's database takes on the disk; `None` where there is none, or none
    /// that the admin may look at. Reads the sizes of its files, so it is nothing for a hot path.
    pub async fn size(&self, placement: Placement) -> Result<Option<i64>, ClusterError> {
        let look = sqlx::query(
            "SELECT CASE WHEN has_database_privilege(oid, 'CONNECT') THEN pg_database_size(oid) END AS bytes
             FROM pg_database WHERE datname = $1",
        )
        .bind(placement.database().as_str().to_owned());
        let rows = self.look(look).await?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        Ok(row.try_get("bytes")?)
    }

    /// How full the server is.
    pub async fn capacity(&self) -> Result<Capacity, ClusterError> {
        let prefix = format!("{}tenant=", Marker::prefix(self.instance));
        let rows = self.look(sqlx::query(CAPACITY).bind(prefix)).await?;
        let row = rows.first().ok_or(sqlx::Error::RowNotFound)?;
        Ok(Capacity {
            databases: row.try_get("databases")?,
            connections_used: row.try_get::<Option<i64>, _>("used")?.unwrap_or(0),
            connections_max: row.try_get("most")?,
        })
    }
}
