//! What would go along with a tenant's schemas and roles though it is not the tenant's to lose, and
//! what keeps those roles though it is not the admin's to take back.

use sqlx::Row as _;

use super::super::name::{Common, Placement};
use super::super::{Cluster, ClusterError};

/// How many things are told by name.
const TOLD: i64 = 5;

// Where a thing lies: what has no schema of its own (a rule, a default, a trigger, a policy) lies
// where its table does. $1 the tenant's schemas, $2 its roles, $3 how many to tell, $4 whether all
// of it is to be dropped, and not to be passed on to other roles.
const LEAVINGS: &str = "
    WITH mine AS (
        SELECT oid FROM pg_namespace WHERE nspname = ANY($1)),
    things AS (
        SELECT 'pg_class'::regclass AS class, oid, relnamespace AS space FROM pg_class
        UNION ALL SELECT 'pg_proc'::regclass, oid, pronamespace FROM pg_proc
        UNION ALL SELECT 'pg_type'::regclass, oid, typnamespace FROM pg_type
        UNION ALL SELECT 'pg_constraint'::regclass, oid, connamespace FROM pg_constraint
        UNION ALL SELECT 'pg_namespace'::regclass, oid, oid FROM pg_namespace
        UNION ALL SELECT 'pg_rewrite'::regclass, r.oid, c.relnamespace
                  FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class
        UNION ALL SELECT 'pg_attrdef'::regclass, a.oid, c.relnamespace
                  FROM pg_attrdef a JOIN pg_class c ON c.oid = a.adrelid
        UNION ALL SELECT 'pg_trigger'::regclass, t.oid, c.relnamespace
                  FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
        UNION ALL SELECT 'pg_policy'::regclass, p.oid, c.relnamespace
                  FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid),
    leavings AS (
        SELECT d.classid, d.objid, '' AS what
        FROM pg_depend d
        JOIN things below ON below.class = d.refclassid AND below.oid = d.refobjid
        JOIN things above ON above.class = d.classid AND above.oid = d.objid
        WHERE below.space IN (SELECT oid FROM mine) AND above.space NOT IN (SELECT oid FROM mine)
          AND d.deptype IN ('n', 'a') AND $4
        UNION
        SELECT s.classid, s.objid,
               CASE s.deptype WHEN 'a' THEN format('rights of %I on ', r.rolname) ELSE '' END
        FROM pg_shdepend s
        JOIN pg_database b ON b.oid = s.dbid AND b.datname = current_database()
        JOIN pg_roles r ON r.oid = s.refobjid AND r.rolname = ANY($2)
        LEFT JOIN things t ON t.class = s.classid AND t.oid = s.objid
        WHERE s.refclassid = 'pg_authid'::regclass AND (s.deptype = 'a' OR s.deptype = 'o' AND $4)
          AND (t.space IS NULL OR t.space NOT IN (SELECT oid FROM mine))
          -- Its default privileges are a tenant's own.
          AND s.classid <> 'pg_default_acl'::regclass)
    SELECT what || pg_describe_object(classid, objid, 0) AS thing
    FROM leavings WHERE pg_describe_object(classid, objid, 0) IS NOT NULL ORDER BY 1 LIMIT $3";

/// What is to become of a tenant's schemas.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::cluster) enum Fate {
    Dropped,
    CarriedOver,
}

impl Cluster {
    /// In a database that was adopted, everything outside the tenant's schemas stays; so where
    /// something there is built on them, or belongs to the tenant's roles, they can't be dropped.
    /// Nor can the roles while they have rights there, which only who granted them can take back.
    pub(in crate::cluster) async fn expect_no_leavings(
        &self,
        placement: Placement,
        fate: Fate,
    ) -> Result<(), ClusterError> {
        let Some(database) = &self.adopted else {
            return Ok(());
        };
        let schemas: Vec<String> = placement
            .own_schemas()
            .iter()
            .map(|schema| schema.as_str().to_owned())
            .collect();
        let roles: Vec<String> = placement
            .role_kinds()
            .iter()
            .map(|kind| placement.role(*kind).as_str().to_owned())
            .collect();
        let look = sqlx::query(LEAVINGS).bind(schemas).bind(roles);
        let look = look.bind(TOLD).bind(fate == Fate::Dropped);
        let rows = self.look_common(Common::Schemas, look).await?;
        let mut things = Vec::new();
        for row in rows.unwrap_or_default() {
            things.push(row.try_get::<String, _>("thing")?);
        }
        if things.is_empty() {
            return Ok(());
        }
        Err(ClusterError::Leavings {
            database: database.to_string(),
            things: things.join(", "),
        })
    }
}
