//! Schemas of the tenant's own in a database with others: identity tables and applications, or
//! applications alone.

use sqlx::Row as _;
use tenantry_core::tenant::Isolation;

use super::adopted::Fate;
use super::ddl::{Batch, Part};
use super::marker::Marker;
use super::name::{Common, Login, Placement, RoleKind, RoleName};
use super::{Cluster, ClusterError, HomeState};

// $1 the tenant's schemas, $2 its marker, $3 the schema that is its home, $4 its owner, $5 its
// applications' group, $6 the guests, $7 whether the owner has to be one of them, $8 the schema of
// applications, $9 the owner of the view, $10 whether the database was adopted, so that whoever may
// connect is as good as a guest and what PUBLIC may is the application's own affair.
const SCHEMAS: &str = "
    WITH mine AS (
        SELECT n.nspname, pg_get_userbyid(n.nspowner) AS owner,
               obj_description(n.oid, 'pg_namespace') AS comment
        FROM pg_namespace n WHERE n.nspname = ANY($1))
    SELECT shobj_description(d.oid, 'pg_database') AS comment,
           EXISTS (SELECT FROM mine) AS there,
           NOT EXISTS (SELECT FROM mine WHERE comment IS DISTINCT FROM $2) AS marked,
           EXISTS (SELECT FROM mine WHERE nspname = $3)
           AND NOT EXISTS (SELECT FROM mine WHERE owner IS DISTINCT FROM $4) AS owned,
           d.datallowconn
           AND (NOT $7 OR COALESCE(CASE WHEN $10 THEN has_database_privilege(o.oid, d.oid, 'CONNECT')
                                        ELSE pg_has_role(o.oid, g.oid, 'USAGE') END, FALSE)) AS accepts,
           NOT $10 AND EXISTS (SELECT FROM aclexplode(COALESCE(d.datacl, acldefault('d', d.datdba))) x
                   WHERE x.grantee = 0) AS public,
           COALESCE(CASE WHEN $10 THEN has_database_privilege(a.oid, d.oid, 'CONNECT')
                         ELSE pg_has_role(a.oid, g.oid, 'USAGE') END, FALSE) AS admitted,
           COALESCE(has_schema_privilege(a.oid, n.oid, 'USAGE')
                    AND has_schema_privilege(a.oid, n.oid, 'CREATE'), FALSE)
           AND EXISTS (SELECT FROM pg_class v
                       WHERE v.relnamespace = n.oid AND v.relname = 'users' AND v.relkind = 'v'
                         AND pg_get_userbyid(v.relowner) = $9
                         AND has_table_privilege(a.oid, v.oid, 'SELECT')) AS furnished
    FROM pg_database d
    LEFT JOIN pg_roles o ON o.rolname = $4
    LEFT JOIN pg_roles a ON a.rolname = $5
    LEFT JOIN pg_roles g ON g.rolname = $6
    LEFT JOIN pg_namespace n ON n.nspname = $8
    WHERE d.datname = current_database()";

impl Cluster {
    /// The common database that the tenant lies in. Only for tenants that lie in one.
    pub(super) fn common_of(&self, placement: Placement) -> Result<Common, ClusterError> {
        Common::of(placement.isolation)
            .ok_or_else(|| ClusterError::Foreign(self.database_name(placement).to_string()))
    }

    pub(super) async fn schemas_state(
        &self,
        placement: Placement,
    ) -> Result<Option<HomeState>, ClusterError> {
        let common = self.common_of(placement)?;
        let own = placement.own_schemas();
        let names: Vec<String> = own.iter().map(|name| name.as_str().to_owned()).collect();
        let role = |kind| placement.role(kind).as_str().to_owned();
        let view_owner = match common {
            Common::Schemas => role(RoleKind::Owner),
            Common::Shared => self.viewer_role().as_str().to_owned(),
        };
        let look = sqlx::query(SCHEMAS)
            .bind(names.clone())
            .bind(self.marker(placement).to_string())
            .bind(names.first().cloned())
            .bind(role(RoleKind::Owner))
            .bind(role(RoleKind::Application))
            .bind(self.guests_role(common).as_str().to_owned())
            .bind(common == Common::Schemas)
            .bind(placement.application_schema().as_str().to_owned())
            .bind(view_owner)
            .bind(self.adopted.is_some());
        let Some(rows) = self.look_common(common, look).await? else {
            return Ok(None);
        };
        let row = rows.first().ok_or(sqlx::Error::RowNotFound)?;
        let comment: Option<String> = row.try_get("comment")?;
        let ours = comment
            .as_deref()
            .and_then(Marker::parse)
            .filter(|marker| marker.instance() == self.instance)
            .is_some_and(|marker| marker.common_schema(common).is_some());
        if !ours && self.adopted.is_none() {
            return Err(ClusterError::Foreign(self.common_name(common).to_string()));
        }
        if !row.try_get::<bool, _>("there")? {
            return Ok(None);
        }
        if !row.try_get::<bool, _>("marked")? {
            let names: Vec<String> = own.iter().map(ToString::to_string).collect();
            return Err(ClusterError::Foreign(names.join(" or ")));
        }
        Ok(Some(HomeState {
            marked: true,
            owned: row.try_get("owned")?,
            admins: false,
            accepts: row.try_get("accepts")?,
            public: row.try_get("public")?,
            furnished: row.try_get("furnished")?,
            admitted: row.try_get("admitted")?,
            broken: false,
        }))
    }

    /// A missing common database is told as what it is to this step: the base.
    pub(super) fn without_base(&self, common: Common, error: ClusterError) -> ClusterError {
        if error.is_no_database() {
            return ClusterError::Missing(self.common_shown(common));
        }
        error
    }

    /// Schema, marker and identity tables: one transaction.
    pub(super) async fn create_schema(&self, placement: Placement) -> Result<(), ClusterError> {
        let version = self.version().await?;
        let entry = self.entry(Common::Schemas).await?;
        let owner = placement.role(RoleKind::Owner);
        let mut before = Batch::locked(version, placement);
        before.borrow([&owner]);
        self.own_schema(&mut before, placement, &placement.identity_schema());
        before.act_as(&owner, &placement.identity_schema());
        let mut after = Batch::new(version);
        after
            .add(&[&"RESET ROLE"])
            .let_in(&entry, &owner)
            .give_back([&owner]);
        self.migrate_between(before, placement, after)
            .await
            .map_err(|error| self.without_base(Common::Schemas, error))
    }

    /// Lets the owner, and so the server's own role, into the database that the schemas lie in.
    pub(super) async fn admit_owner(&self, placement: Placement) -> Result<(), ClusterError> {
        let entry = self.entry(Common::Schemas).await?;
        let owner = placement.role(RoleKind::Owner);
        let mut batch = Batch::locked(self.version().await?, placement);
        batch.let_in(&entry, &owner);
        self.run_common(Common::Schemas, batch).await?;
        Ok(())
    }

    pub(super) async fn open_schema(&self, placement: Placement) -> Result<(), ClusterError> {
        let owner = placement.role(RoleKind::Owner);
        let application = placement.role(RoleKind::Application);
        let entry = self.entry(Common::Schemas).await?;
        let mut batch = Batch::locked(self.version().await?, placement);
        batch.borrow([&owner]);
        self.furnish(&mut batch, placement);
        batch.let_in(&entry, &application).give_back([&owner]);
        self.run_common(Common::Schemas, batch).await?;
        Ok(())
    }

    /// Makes one of the tenant's schemas, with its marker.
    pub(super) fn own_schema(
        &self,
        batch: &mut Batch,
        placement: Placement,
        schema: &super::SchemaName,
    ) {
        let owner = placement.role(RoleKind::Owner);
        batch
            .add(&[
                &"CREATE SCHEMA IF NOT EXISTS ",
                schema,
                &" AUTHORIZATION ",
                &owner,
            ])
            .add(&[
                &"COMMENT ON SCHEMA ",
                schema,
                &" IS ",
                &self.marker(placement),
            ]);
    }

    /// Sets up what applications see, in a batch that has borrowed the owner.
    pub(super) fn furnish(&self, batch: &mut Batch, placement: Placement) {
        let schema = placement.application_schema();
        let owner = placement.role(RoleKind::Owner);
        match placement.isolation {
            Isolation::Database => {
                batch
                    .add(&[&"CREATE SCHEMA IF NOT EXISTS app AUTHORIZATION ", &owner])
                    .app_users(placement, &owner);
            }
            Isolation::Schema => {
                self.own_schema(batch, placement, &schema);
                batch.app_users(placement, &owner);
            }
            Isolation::Shared => {
                self.own_schema(batch, placement, &schema);
                let viewer = self.viewer_role();
                // Whoever is to own something in a schema must be able to create there.
                batch
                    .add(&[&"GRANT USAGE, CREATE ON SCHEMA ", &schema, &" TO ", &viewer])
                    .app_users(placement, &viewer)
                    .add(&[&"REVOKE ALL ON SCHEMA ", &schema, &" FROM ", &viewer]);
            }
        }
        batch.admit_to_schema(placement);
    }

    /// Takes from these roles, and so from their members, the right to connect to the common
    /// database.
    pub(super) async fn shut_out(
        &self,
        placement: Placement,
        kinds: &[RoleKind],
    ) -> Result<(), ClusterError> {
        if self.adopted.is_some() {
            return self.lock_out(placement, kinds).await;
        }
        let guests = self.guests_role(self.common_of(placement)?);
        let roles = self.roles(placement).await?;
        let mut batch = Batch::locked(self.version().await?, placement);
        for kind in kinds {
            if roles.iter().any(|role| role.kind == *kind) {
                batch.add(&[&"REVOKE ", &guests, &" FROM ", &placement.role(*kind)]);
            }
        }
        self.run(batch).await?;
        Ok(())
    }

    pub(super) async fn drop_schemas(&self, placement: Placement) -> Result<(), ClusterError> {
        let common = self.common_of(placement)?;
        let there = self.schemas_state(placement).await?.is_some();
        if there {
            self.expect_no_leavings(placement, Fate::Dropped).await?;
            self.shut_out(placement, &[RoleKind::Application, RoleKind::Owner])
                .await?;
            self.try_end_all_sessions(placement, &Login::ALL).await?;
        }
        if common == Common::Shared {
            // Before the schema, which tells that there is something left to drop.
            self.delete_rows(placement).await?;
        }
        if !there {
            return Ok(());
        }
        let roles = self.present_roles(placement).await?;
        let lent = self.with_grantors(&roles).await?;
        let mut batch = Batch::locked(self.version().await?, placement);
        batch.borrow(&lent);
        for schema in placement.own_schemas() {
            batch.add(&[&"DROP SCHEMA IF EXISTS ", &schema, &" CASCADE"]);
        }
        batch.drop_owned(&roles).give_back(&lent);
        self.run_common(common, batch).await?;
        Ok(())
    }

    /// The tenant's roles that are there, by name.
    pub(super) async fn present_roles(
        &self,
        placement: Placement,
    ) -> Result<Vec<RoleName>, ClusterError> {
        let roles = self.roles(placement).await?;
        Ok(roles.iter().map(|role| placement.role(role.kind)).collect())
    }

    /// These roles, and those of other tenants of the same database that granted them something.
    /// Nobody keeps an application from granting another tenant's role a right on a table of its
    /// own, which that role can't even use; but a role is not dropped while it has any, and only
    /// the owner can take it back.
    pub(super) async fn with_grantors(
        &self,
        roles: &[RoleName],
    ) -> Result<Vec<RoleName>, ClusterError> {
        let names: Vec<String> = roles.iter().map(|role| role.as_str().to_owned()).collect();
        let look = sqlx::query(
            "SELECT DISTINCT r.rolname::text AS name, shobj_description(r.oid, 'pg_authid') AS comment
             FROM pg_roles me
             JOIN pg_shdepend a ON a.refclassid = 'pg_authid'::regclass AND a.refobjid = me.oid
              AND a.deptype = 'a' AND a.dbid <> 0
             JOIN pg_shdepend o ON o.dbid = a.dbid AND o.classid = a.classid AND o.objid = a.objid
              AND o.refclassid = 'pg_authid'::regclass AND o.deptype = 'o'
             JOIN pg_roles r ON r.oid = o.refobjid
             WHERE me.rolname = ANY($1) AND r.rolname <> ALL($1)",
        )
        .bind(names);
        let mut all = roles.to_vec();
        for row in self.look(look).await? {
            let name: String = row.try_get("name")?;
            let comment: Option<String> = row.try_get("comment")?;
            let grantor = comment
                .as_deref()
                .and_then(Marker::parse)
                .filter(|marker| marker.instance() == self.instance)
                .and_then(|marker| marker.placement());
            if let Some(placement) = grantor
                && let Some(kind) = placement.role_named(&name)
            {
                all.push(placement.role(kind));
            }
        }
        Ok(all)
    }
}

impl Batch {
    /// Acts as a role that was borrowed, with its tables in this schema, until `RESET ROLE`.
    pub(super) fn act_as(&mut self, role: &RoleName, schema: &super::SchemaName) -> &mut Self {
        self.add(&[&"SET LOCAL ROLE ", role])
            .add(&[&"SET LOCAL search_path = ", schema])
    }

    /// Drops what these roles own in the database, and takes what they were granted.
    pub(super) fn drop_owned(&mut self, roles: &[RoleName]) -> &mut Self {
        for role in roles {
            self.add(&[&"DROP OWNED BY ", role as &dyn Part, &" CASCADE"]);
        }
        self
    }
}
