//! Row-level security over the identity tables that tenants share.
//!
//! Every table that names a tenant in its rows is under one policy, for its owner too (FORCE): who
//! names no tenant sees no row, and who names one sees and writes that one's. The setting is
//! `tenantry.tenant`; one that was local to a transaction is empty and not NULL after it, and an
//! empty one names nobody. The owner of the views alone reads all tenants' people and stamps.
//!
//! The login for all tenants has rights on tables under the policy and on no others, so a table
//! that a migration adds can't be reached before it is under the policy.

use std::collections::BTreeSet;

use sqlx::Row as _;
use sqlx::postgres::PgRow;

use super::ddl::Batch;
use super::marker::Marker;
use super::name::Common;
use super::{Cluster, ClusterError};

/// As the server writes the policy's condition.
const CONDITION: &str =
    "(tenant_id = (NULLIF(current_setting('tenantry.tenant'::text, true), ''::text))::uuid)";

/// What the owner of the views reads of all tenants.
const VIEWED: [&str; 2] = ["tenantry_stamp", "tenantry_users"];

const TABLES: &str = "
    SELECT c.relname::text AS name, c.relkind IN ('r', 'p') AS stored,
           pg_get_userbyid(c.relowner) = $1 AS owned,
           EXISTS (SELECT FROM pg_attribute a
                   WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped) AS named,
           c.relrowsecurity AND c.relforcerowsecurity AS forced,
           ARRAY(SELECT concat_ws(' ', p.polname, p.polcmd::text, p.polpermissive::text,
                        (SELECT string_agg(CASE WHEN r = 0 THEN 'public'
                                                ELSE pg_get_userbyid(r)::text END, ',')
                           FROM unnest(p.polroles) r),
                        'USING', pg_get_expr(p.polqual, p.polrelid),
                        'CHECK', pg_get_expr(p.polwithcheck, p.polrelid))
                   FROM pg_policy p WHERE p.polrelid = c.oid) AS policies,
           ARRAY(SELECT CASE WHEN x.grantee = 0 THEN 'public'
                             ELSE pg_get_userbyid(x.grantee)::text END || ' ' || x.privilege_type
                   FROM aclexplode(c.relacl) x WHERE x.grantee <> c.relowner) AS rights,
           EXISTS (SELECT FROM pg_attribute a
                   WHERE a.attrelid = c.oid AND a.attacl IS NOT NULL) AS by_column
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'tenantry' AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
    ORDER BY c.relname";

const ROLES: &str = "
    SELECT want.name, r.oid IS NOT NULL AS there,
           NOT (r.rolsuper OR r.rolcreatedb OR r.rolcreaterole OR r.rolreplication OR r.rolbypassrls) AS plain,
           NOT r.rolcanlogin OR want.signs_in AS quiet,
           NOT EXISTS (SELECT FROM pg_auth_members m WHERE m.member = r.oid) AS alone,
           NOT EXISTS (SELECT FROM pg_auth_members m JOIN pg_shdescription c
                         ON c.classoid = 'pg_authid'::regclass AND c.objoid = m.member
                       WHERE m.roleid = r.oid AND starts_with(c.description, $4)) AS kept,
           want.owns OR NOT EXISTS (SELECT FROM pg_shdepend s
                       WHERE s.refclassid = 'pg_authid'::regclass AND s.refobjid = r.oid
                         AND s.deptype = 'o') AS poor,
           NOT want.signs_in OR (has_schema_privilege(r.oid, n.oid, 'USAGE')
             AND NOT has_schema_privilege(r.oid, n.oid, 'CREATE')
             AND has_database_privilege(r.oid, current_database(), 'CONNECT')
             AND NOT has_database_privilege(r.oid, current_database(), 'CREATE, TEMPORARY')) AS placed
    FROM (VALUES ($1::text, TRUE, FALSE), ($2::text, FALSE, TRUE), ($3::text, FALSE, TRUE))
         AS want (name, signs_in, owns)
    LEFT JOIN pg_roles r ON r.rolname = want.name
    LEFT JOIN pg_namespace n ON n.nspname = 'tenantry'";

impl Cluster {
    /// Whether shared identity tables and the roles that reach them are as this module says:
    /// everything with a tenant in its rows under exactly our policy.
    ///
    /// # Errors
    /// Where the server can't be reached or asked.
    pub async fn shared_is_guarded(&self) -> Result<bool, ClusterError> {
        Ok(self.shared_faults().await?.is_empty())
    }

    /// What is not as it should be, in words for an operator.
    pub(super) async fn shared_faults(&self) -> Result<Vec<String>, ClusterError> {
        let look = sqlx::query(TABLES).bind(self.objects_role().as_str().to_owned());
        let Some(tables) = self.look_common(Common::Shared, look).await? else {
            return Ok(vec!["there is no such database".to_owned()]);
        };
        let mut faults = Vec::new();
        for name in VIEWED {
            let has = |row: &PgRow| row.try_get::<String, _>("name").is_ok_and(|it| it == name);
            if !tables.iter().any(has) {
                faults.push(format!("{name} is missing"));
            }
        }
        for row in &tables {
            faults.extend(self.faults_of(row)?);
        }
        let look = sqlx::query(ROLES)
            .bind(self.service_role().as_str().to_owned())
            .bind(self.viewer_role().as_str().to_owned())
            .bind(self.objects_role().as_str().to_owned())
            .bind(Marker::prefix(self.instance));
        let roles = self.look_common(Common::Shared, look).await?;
        for row in roles.iter().flatten() {
            let name: String = row.try_get("name")?;
            for (column, fault) in [
                ("there", "is missing"),
                ("plain", "has an attribute beyond LOGIN"),
                ("quiet", "may sign in"),
                ("alone", "is a member of a role"),
                ("kept", "has a member among this installation's roles"),
                ("poor", "owns something"),
                (
                    "placed",
                    "has not just the rights it needs on the schema and the database",
                ),
            ] {
                if row.try_get::<Option<bool>, _>(column)? == Some(false) {
                    faults.push(format!("role {name} {fault}"));
                }
            }
        }
        Ok(faults)
    }

    fn faults_of(&self, row: &PgRow) -> Result<Vec<String>, ClusterError> {
        let name: String = row.try_get("name")?;
        let (service, viewer) = (self.service_role(), self.viewer_role());
        let (service, viewer) = (service.as_str(), viewer.as_str());
        let guarded = row.try_get("stored")? && row.try_get("named")?;
        let viewed = VIEWED.contains(&name.as_str());
        let (mut policies, mut rights) = (BTreeSet::new(), BTreeSet::new());
        if guarded {
            policies.insert(format!(
                "tenantry_tenant * true public USING {CONDITION} CHECK {CONDITION}"
            ));
            for right in ["SELECT", "INSERT", "UPDATE", "DELETE"] {
                rights.insert(format!("{service} {right}"));
            }
        }
        if viewed {
            policies.insert(format!("tenantry_viewer r true {viewer} USING true CHECK"));
            rights.insert(format!("{viewer} SELECT"));
        }
        let found = |column| -> Result<BTreeSet<String>, sqlx::Error> {
            Ok(row.try_get::<Vec<String>, _>(column)?.into_iter().collect())
        };
        let mut faults = Vec::new();
        if !row.try_get::<bool, _>("owned")? {
            faults.push(format!("{name} belongs to another role"));
        }
        if guarded && !row.try_get::<bool, _>("forced")? {
            faults.push(format!("{name} is not under forced row-level security"));
        }
        if found("policies")? != policies {
            faults.push(format!("{name} has not exactly our policies"));
        }
        if found("rights")? != rights || row.try_get("by_column")? {
            faults.push(format!("{name} is open to others than it should be"));
        }
        Ok(faults)
    }

    /// Puts everything in the schema under the policy and gives the rights that belong to it: one
    /// transaction, so that no row is ever reached without.
    ///
    /// # Errors
    /// [`ClusterError::Unguarded`] where something is wrong that the admin can't put right.
    pub(super) async fn guard_shared(&self) -> Result<(), ClusterError> {
        if self.shared_is_guarded().await? {
            return Ok(());
        }
        let (objects, service, viewer) =
            (self.objects_role(), self.service_role(), self.viewer_role());
        let mut batch = Batch::new(self.version().await?);
        batch
            .add(&[&"ALTER SCHEMA tenantry OWNER TO ", &objects])
            .add(&[
                &"REVOKE ALL ON SCHEMA tenantry FROM PUBLIC, ",
                &service,
                &", ",
                &viewer,
            ])
            .add(&[&"GRANT USAGE ON SCHEMA tenantry TO ", &service])
            .add(&[
                &"DO $$ DECLARE t record; old record; BEGIN
    FOR t IN SELECT c.oid, c.relname, c.relkind IN ('r', 'p') AND EXISTS (
                 SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id'
                    AND NOT a.attisdropped) AS guarded
             FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE n.nspname = 'tenantry' AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
             ORDER BY c.relname
    LOOP
        FOR old IN SELECT p.polname FROM pg_policy p WHERE p.polrelid = t.oid LOOP
            EXECUTE format('DROP POLICY %I ON tenantry.%I', old.polname, t.relname);
        END LOOP;
        FOR old IN SELECT DISTINCT CASE WHEN x.grantee = 0 THEN 'PUBLIC'
                          ELSE quote_ident(pg_get_userbyid(x.grantee)) END AS name
                   FROM pg_class c, aclexplode(c.relacl) x
                   WHERE c.oid = t.oid AND x.grantee <> c.relowner
                   UNION SELECT DISTINCT CASE WHEN x.grantee = 0 THEN 'PUBLIC'
                          ELSE quote_ident(pg_get_userbyid(x.grantee)) END
                   FROM pg_attribute a, aclexplode(a.attacl) x
                   WHERE a.attrelid = t.oid
        LOOP
            EXECUTE format('REVOKE ALL ON tenantry.%I FROM %s', t.relname, old.name);
        END LOOP;
        IF t.guarded THEN
            EXECUTE format('ALTER TABLE tenantry.%I ENABLE ROW LEVEL SECURITY', t.relname);
            EXECUTE format('ALTER TABLE tenantry.%I FORCE ROW LEVEL SECURITY', t.relname);
            EXECUTE format('CREATE POLICY tenantry_tenant ON tenantry.%I
                USING (tenant_id = NULLIF(current_setting(''tenantry.tenant'', TRUE), '''')::uuid)
                WITH CHECK (tenant_id = NULLIF(current_setting(''tenantry.tenant'', TRUE), '''')::uuid)',
                t.relname);
            EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON tenantry.%I TO ",
                &service,
                &"', t.relname);
        END IF;
    END LOOP;
END $$",
            ]);
        for table in VIEWED {
            batch
                .add(&[
                    &"CREATE POLICY tenantry_viewer ON tenantry.",
                    &table,
                    &" FOR SELECT TO ",
                    &viewer,
                    &" USING (TRUE)",
                ])
                .add(&[&"GRANT SELECT ON tenantry.", &table, &" TO ", &viewer]);
        }
        self.run_common(Common::Shared, batch).await?;
        let faults = self.shared_faults().await?;
        if faults.is_empty() {
            return Ok(());
        }
        Err(ClusterError::Unguarded(faults.join("; ")))
    }
}
