//! What lies on a server for an installation's tenants, by the catalogue and not by our own checks.

use anyhow::Result;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use super::{connect, markers};

/// Databases and roles that carry a marker of the installation or belong to its admin, sessions of
/// roles that are gone, and what the catalogue still says about databases that are gone.
const SHARED: &str = "
    WITH ours AS (
        SELECT d.oid, d.datname::text AS name FROM pg_database d
        WHERE pg_get_userbyid(d.datdba) = $2
           OR EXISTS (SELECT FROM unnest($1::text[]) AS m (marker)
                      WHERE starts_with(shobj_description(d.oid, 'pg_database'), m.marker)))
    SELECT 'database ' || name FROM ours
    UNION ALL
    SELECT 'role ' || rolname::text FROM pg_roles r
    WHERE EXISTS (SELECT FROM unnest($1::text[]) AS m (marker)
                  WHERE starts_with(shobj_description(r.oid, 'pg_authid'), m.marker))
       OR EXISTS (SELECT FROM pg_shdepend s JOIN ours ON ours.oid = s.dbid
                  WHERE s.refclassid = 'pg_authid'::regclass AND s.refobjid = r.oid
                    AND starts_with(r.rolname, 't_'))
    UNION ALL
    SELECT 'session of a role that is gone in ' || ours.name
    FROM pg_stat_activity a JOIN ours ON ours.oid = a.datid
    WHERE a.backend_type = 'client backend' AND a.usename IS NULL
    UNION ALL
    SELECT 'dependency in a database that is gone: ' || s.dbid::text FROM pg_shdepend s
    WHERE s.dbid <> 0 AND NOT EXISTS (SELECT FROM pg_database d WHERE d.oid = s.dbid)
    UNION ALL
    SELECT 'setting of a role or database that is gone: ' || s.setrole::text
    FROM pg_db_role_setting s
    WHERE (s.setrole <> 0 AND NOT EXISTS (SELECT FROM pg_roles r WHERE r.oid = s.setrole))
       OR (s.setdatabase <> 0 AND NOT EXISTS (SELECT FROM pg_database d WHERE d.oid = s.setdatabase))
    ORDER BY 1";

/// Schemas of single tenants in a database that many share.
const SCHEMAS: &str = "SELECT 'schema ' || nspname::text FROM pg_namespace
    WHERE starts_with(nspname, 't_') ORDER BY 1";

/// Tables in which each row says whose it is.
const TABLES: &str = "SELECT format('%I.%I', n.nspname, c.relname)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
    WHERE c.relkind IN ('r', 'p') AND NOT starts_with(n.nspname, 't_') ORDER BY 1";

/// Everything but the template and what belongs to the installation as a whole.
pub(super) async fn list(server: &str, admin: &str) -> Result<Vec<String>> {
    let mut conn = connect(server, "postgres").await?;
    let markers = markers(&mut conn, admin).await?;
    let shared: Vec<String> = sqlx::query_scalar(SHARED)
        .bind(&markers)
        .bind(admin)
        .fetch_all(&mut conn)
        .await?;
    conn.close().await?;
    let mut found = Vec::new();
    for thing in shared {
        match thing.split_once(' ') {
            // The template takes no connections and is made from nothing.
            Some(("database", name)) if name.starts_with("tenantry_template") => {}
            Some(("database", name)) if name.starts_with("tenantry_") => {
                found.extend(inside(server, name).await?);
            }
            Some(("role", name)) if name.starts_with("tenantry_") => {}
            _ => found.push(thing),
        }
    }
    Ok(found)
}

/// Schemas and rows of tenants in a database that many share.
async fn inside(server: &str, database: &str) -> Result<Vec<String>> {
    let mut conn = connect(server, database).await?;
    let mut found = column(&mut conn, SCHEMAS).await?;
    for table in column(&mut conn, TABLES).await? {
        let rows = format!(
            "SELECT DISTINCT format('rows of %s in {table}', tenant_id) FROM {table} ORDER BY 1"
        );
        found.extend(column(&mut conn, &rows).await?);
    }
    conn.close().await?;
    Ok(found)
}

async fn column(conn: &mut PgConnection, sql: &str) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar(AssertSqlSafe(sql.to_owned()))
        .fetch_all(conn)
        .await?)
}
