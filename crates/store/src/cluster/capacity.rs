//! How full a cluster is, and how much a tenant takes.

use sqlx::Row as _;
use tenantry_core::tenant::Isolation;

use super::marker::Marker;
use super::name::{Common, Placement};
use super::{Cluster, ClusterError};

/// How full a cluster is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capacity {
    /// Tenants' own databases of this installation.
    pub databases: i64,
    /// Tenants of this installation with schemas of their own, by their owner roles.
    pub schemas: i64,
    /// Tenants of this installation in shared tables, by their owner roles.
    pub shared: i64,
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

// Other users' rows of pg_stat_activity hide what kind of backend they are; these counters don't.
const CAPACITY: &str = "
    WITH owners AS (
        SELECT c.description FROM pg_shdescription c JOIN pg_roles r ON r.oid = c.objoid
        WHERE c.classoid = 'pg_authid'::regclass AND starts_with(c.description, $1)
          AND r.rolname LIKE 't\\_%\\_o')
    SELECT (SELECT COUNT(*) FROM pg_shdescription c
             WHERE c.classoid = 'pg_database'::regclass AND starts_with(c.description, $1)) AS databases,
           (SELECT COUNT(*) FROM owners WHERE description LIKE '% isolation=schema') AS schemas,
           (SELECT COUNT(*) FROM owners WHERE description LIKE '% isolation=shared') AS shared,
           (SELECT SUM(numbackends)::bigint FROM pg_stat_database) AS used,
           current_setting('max_connections')::bigint
             - current_setting('superuser_reserved_connections')::bigint
             - COALESCE(current_setting('reserved_connections', TRUE), '0')::bigint AS most";

// What lies in the schemas; size functions count a table's indexes and large values with it.
const SCHEMAS: &str = "
    SELECT SUM(pg_total_relation_size(c.oid))::bigint AS bytes,
           COUNT(n.oid) > 0 AS there
    FROM pg_namespace n LEFT JOIN pg_class c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'm', 'S')
    WHERE n.nspname = ANY($1)";

impl Cluster {
    /// The bytes that the tenant's home takes on the disk; `None` where there is none, or none that
    /// the admin may look at. Rows in shared tables are not counted, only what applications keep
    /// beside them. Reads the sizes of files, so it is nothing for a hot path.
    pub async fn size(&self, placement: Placement) -> Result<Option<i64>, ClusterError> {
        let rows = match Common::of(placement.isolation) {
            None => {
                let look = sqlx::query(
                    "SELECT CASE WHEN has_database_privilege(oid, 'CONNECT')
                                 THEN pg_database_size(oid) END AS bytes, TRUE AS there
                     FROM pg_database WHERE datname = $1",
                );
                let name = self.database_name(placement);
                self.look(look.bind(name.as_str().to_owned())).await?
            }
            Some(common) => {
                let names: Vec<String> = placement
                    .own_schemas()
                    .iter()
                    .map(|schema| schema.as_str().to_owned())
                    .collect();
                let look = sqlx::query(SCHEMAS).bind(names);
                self.look_common(common, look).await?.unwrap_or_default()
            }
        };
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        let bytes: Option<i64> = row.try_get("bytes")?;
        Ok(match placement.isolation {
            Isolation::Database => bytes,
            Isolation::Schema | Isolation::Shared => {
                row.try_get::<bool, _>("there")?.then(|| bytes.unwrap_or(0))
            }
        })
    }

    /// How full the server is.
    pub async fn capacity(&self) -> Result<Capacity, ClusterError> {
        let prefix = format!("{}tenant=", Marker::prefix(self.instance));
        let look = sqlx::query(CAPACITY).bind(prefix);
        let rows = self.look(look).await?;
        let row = rows.first().ok_or(sqlx::Error::RowNotFound)?;
        Ok(Capacity {
            databases: row.try_get("databases")?,
            schemas: row.try_get("schemas")?,
            shared: row.try_get("shared")?,
            connections_used: row.try_get::<Option<i64>, _>("used")?.unwrap_or(0),
            connections_max: row.try_get("most")?,
        })
    }
}
