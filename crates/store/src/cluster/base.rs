//! What tenants are built on, by isolation: our template, or the database that they share.
//!
//! A database that tenants share is made from template0 on first need and marked as complete when
//! it is; it is never dropped while a tenant lies in it.

use sqlx::postgres::PgConnection;
use sqlx::{ConnectOptions as _, Row as _};
use tenantry_core::tenant::Isolation;
use tokio::time::timeout;

use super::database::is_bare;
use super::ddl::{Batch, Literal};
use super::installation::Admin;
use super::marker::Marker;
use super::name::{Common, CommonRole};
use super::session::Inside;
use super::{Cluster, ClusterError};
use crate::tenant::TENANT_SCHEMA;

/// A database that tenants share, as the catalogue has it.
pub(super) struct CommonState {
    /// The version of its identity tables once it was complete; 0 while it was not.
    schema: i64,
    /// It accepts connections, of guests and not of everybody.
    open: bool,
    /// Dropping it was interrupted; it can only be dropped again.
    broken: bool,
}

impl CommonState {
    const fn is_ready(&self) -> bool {
        self.schema >= TENANT_SCHEMA && self.open && !self.broken
    }
}

const COMMON: &str = "
    SELECT shobj_description(d.oid, 'pg_database') AS comment,
           pg_get_userbyid(d.datdba) = current_user AS admins,
           d.datconnlimit = -2 AS broken,
           d.datallowconn
           AND NOT EXISTS (SELECT FROM aclexplode(COALESCE(d.datacl, acldefault('d', d.datdba))) a
                           WHERE a.grantee = 0)
           AND (SELECT COUNT(*) FROM aclexplode(d.datacl) a JOIN pg_roles r ON r.oid = a.grantee
                 WHERE r.rolname = $2 AND a.privilege_type IN ('CONNECT', 'TEMPORARY')) = 2 AS open
    FROM pg_database d WHERE d.datname = $1";

const TENANTS: &str = "
    SELECT COUNT(DISTINCT r.oid) AS tenants
    FROM pg_database d JOIN pg_shdepend s ON s.dbid = d.oid
    JOIN pg_roles r ON r.oid = s.refobjid
    JOIN pg_shdescription c ON c.classoid = 'pg_authid'::regclass AND c.objoid = r.oid
    WHERE d.datname = $1 AND s.refclassid = 'pg_authid'::regclass AND s.deptype = 'o'
      AND starts_with(c.description, $2)";

impl Cluster {
    /// Whether what tenants kept apart like this are built on is there and complete.
    pub async fn has_base(&self, isolation: Isolation) -> Result<bool, ClusterError> {
        if let Some(database) = &self.adopted {
            self.expect_adoptable(database).await?;
            return Ok(true);
        }
        match Common::of(isolation) {
            None => self.has_template().await,
            Some(common) => self.is_ready(common).await,
        }
    }

    /// Makes what tenants kept apart like this are built on where it is missing or incomplete, and
    /// brings shared identity tables to the present schema. Many nodes may do so at once.
    pub async fn ensure_base(&self, isolation: Isolation) -> Result<(), ClusterError> {
        let mut patience = self.patience();
        loop {
            match self.try_base(isolation).await {
                Ok(()) => return Ok(()),
                Err(error) => patience.bear(error).await?,
            }
        }
    }

    pub(super) async fn try_base(&self, isolation: Isolation) -> Result<(), ClusterError> {
        if let Some(database) = &self.adopted {
            return self.expect_adoptable(database).await;
        }
        match Common::of(isolation) {
            None => self.try_template().await,
            Some(common) => {
                if self.is_ready(common).await? {
                    return Ok(());
                }
                let _turn = self.take_turn(self.common_name(common).as_str()).await?;
                if self.is_ready(common).await? {
                    return Ok(());
                }
                self.build_common(common).await
            }
        }
    }

    /// Drops what tenants kept apart like this are built on, and its roles. A database that was
    /// adopted is none of ours to drop.
    ///
    /// # Errors
    /// [`ClusterError::Inhabited`] where a tenant lies in the database that they share.
    pub async fn drop_base(&self, isolation: Isolation) -> Result<(), ClusterError> {
        if self.adopted.is_some() {
            return Ok(());
        }
        let mut patience = self.patience();
        loop {
            let dropped = match Common::of(isolation) {
                None => self.try_drop_template().await,
                Some(common) => self.try_drop_common(common).await,
            };
            match dropped {
                Ok(()) => return Ok(()),
                Err(error) => patience.bear(error).await?,
            }
        }
    }

    /// One builder at a time, for as long as this connection lives. A second one would do no harm
    /// but keep others waiting.
    pub(super) async fn take_turn(&self, name: &str) -> Result<PgConnection, ClusterError> {
        let mut turn = self.options.connect().await?;
        let asked = sqlx::query("SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS mine")
            .bind(name.to_owned())
            .fetch_one(&mut turn);
        let row = timeout(self.bounds.statement, asked)
            .await
            .map_err(|_| ClusterError::Deadline(self.bounds.statement))??;
        if row.try_get::<bool, _>("mine")? {
            return Ok(turn);
        }
        Err(ClusterError::Busy(name.to_owned()))
    }

    pub(super) async fn common_state(
        &self,
        common: Common,
    ) -> Result<Option<CommonState>, ClusterError> {
        let name = self.common_name(common);
        let look = sqlx::query(COMMON)
            .bind(name.as_str().to_owned())
            .bind(self.guests_role(common).as_str().to_owned());
        let rows = self.look(look).await?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        let comment: Option<String> = row.try_get("comment")?;
        let marked = comment
            .as_deref()
            .and_then(Marker::parse)
            .filter(|marker| marker.instance() == self.instance)
            .and_then(|marker| marker.common_schema(common));
        let begun = row.try_get::<bool, _>("admins")? && is_bare(row)?;
        let Some(schema) = marked.or_else(|| begun.then_some(0)) else {
            return Err(ClusterError::Foreign(name.to_string()));
        };
        Ok(Some(CommonState {
            schema,
            open: row.try_get("open")?,
            broken: row.try_get("broken")?,
        }))
    }

    async fn is_ready(&self, common: Common) -> Result<bool, ClusterError> {
        let state = self.common_state(common).await?;
        if !state.is_some_and(|state| state.is_ready()) {
            return Ok(false);
        }
        match common {
            Common::Schemas => Ok(true),
            Common::Shared => self.shared_is_guarded().await,
        }
    }

    async fn build_common(&self, common: Common) -> Result<(), ClusterError> {
        let (name, version) = (self.common_name(common), self.version().await?);
        let unfinished = Marker::common(self.instance, common, 0);
        let guests = self.guests_role(common);
        self.ensure_common_role(&guests, unfinished, Admin::Stranger)
            .await?;
        if common == Common::Shared {
            self.ensure_shared_roles(unfinished).await?;
        }
        let mut state = self.common_state(common).await?;
        if state.as_ref().is_some_and(|state| state.broken) {
            let mut batch = Batch::new(version);
            batch.add(&[&"DROP DATABASE IF EXISTS ", &name, &" WITH (FORCE)"]);
            self.run(batch).await?;
            state = None;
        }
        if state.is_none() {
            let mut batch = Batch::new(version);
            batch.add(&[
                &"CREATE DATABASE ",
                &name,
                &" TEMPLATE template0 ENCODING 'UTF8' ALLOW_CONNECTIONS false",
            ]);
            self.run(batch).await?;
        }
        let schema = state.map_or(0, |state| state.schema);
        let mut batch = Batch::new(version);
        if schema == 0 {
            batch.add(&[&"COMMENT ON DATABASE ", &name, &" IS ", &unfinished]);
        }
        batch
            .add(&[&"REVOKE ALL ON DATABASE ", &name, &" FROM PUBLIC"])
            .add(&[
                &"GRANT CONNECT, TEMPORARY ON DATABASE ",
                &name,
                &" TO ",
                &guests,
            ]);
        if common == Common::Shared {
            batch.add(&[
                &"GRANT CONNECT ON DATABASE ",
                &name,
                &" TO ",
                &self.service_role(),
            ]);
        }
        batch.add(&[&"ALTER DATABASE ", &name, &" ALLOW_CONNECTIONS true"]);
        self.run(batch).await?;
        self.fill_common(common, schema).await?;
        if schema < TENANT_SCHEMA {
            let finished = Marker::common(self.instance, common, TENANT_SCHEMA);
            let mut batch = Batch::new(version);
            batch.add(&[&"COMMENT ON DATABASE ", &name, &" IS ", &finished]);
            self.run(batch).await?;
        }
        Ok(())
    }

    /// The login and the owner of the views.
    async fn ensure_shared_roles(&self, marker: Marker) -> Result<(), ClusterError> {
        let service = self.service_role();
        for (role, admin) in [
            (self.objects_role(), Admin::Member),
            (self.viewer_role(), Admin::Member),
            (service.clone(), Admin::Stranger),
        ] {
            self.ensure_common_role(&role, marker, admin).await?;
        }
        let mut batch = Batch::new(self.version().await?);
        batch
            .add(&[
                &"ALTER ROLE ",
                &service,
                &" CONNECTION LIMIT ",
                &self.bounds.shared_login,
            ])
            .add(&[
                &"ALTER ROLE ",
                &service,
                &" SET search_path = tenantry, pg_temp",
            ])
            .add(&[
                &"ALTER ROLE ",
                &self.viewer_role(),
                &" NOLOGIN PASSWORD NULL",
            ]);
        self.run(batch).await?;
        Ok(())
    }

    async fn fill_common(&self, common: Common, schema: i64) -> Result<(), ClusterError> {
        let version = self.version().await?;
        let mut batch = Batch::new(version);
        batch.add(&[&"REVOKE ALL ON SCHEMA public FROM PUBLIC"]);
        if common == Common::Shared {
            batch.add(&[
                &"CREATE SCHEMA IF NOT EXISTS tenantry AUTHORIZATION ",
                &self.objects_role(),
            ]);
        }
        self.run_common(common, batch).await?;
        if common == Common::Schemas {
            return Ok(());
        }
        if schema < TENANT_SCHEMA {
            let name = self.common_name(common);
            self.migrate_as_objects(self.inside(Inside::Tenant(&name)))
                .await?;
        }
        self.guard_shared().await
    }

    async fn try_drop_common(&self, common: Common) -> Result<(), ClusterError> {
        let (name, version) = (self.common_name(common), self.version().await?);
        if let Some(state) = self.common_state(common).await? {
            self.expect_nobody(common).await?;
            if !state.broken {
                let mut batch = Batch::new(version);
                batch.add(&[&"ALTER DATABASE ", &name, &" ALLOW_CONNECTIONS false"]);
                self.run(batch).await?;
            }
            self.end_common_sessions(common).await?;
            // A tenant that was just being made is whole by now, or never will be.
            if let Err(error) = self.expect_nobody(common).await {
                let mut batch = Batch::new(version);
                batch.add(&[&"ALTER DATABASE ", &name, &" ALLOW_CONNECTIONS true"]);
                self.run(batch).await?;
                return Err(error);
            }
            let mut batch = Batch::new(version);
            batch.add(&[&"DROP DATABASE IF EXISTS ", &name, &" WITH (FORCE)"]);
            self.run(batch).await?;
        }
        let mut roles = vec![self.guests_role(common)];
        if common == Common::Shared {
            roles.extend([self.service_role(), self.viewer_role()]);
        }
        for role in roles {
            if self.has_common_role(&role).await? {
                let mut batch = Batch::new(version);
                batch.add(&[&"DROP ROLE IF EXISTS ", &role]);
                self.run(batch).await?;
            }
        }
        self.drop_objects_role().await
    }

    async fn expect_nobody(&self, common: Common) -> Result<(), ClusterError> {
        let name = self.common_name(common);
        let look = sqlx::query(TENANTS)
            .bind(name.as_str().to_owned())
            .bind(format!("{}tenant=", Marker::prefix(self.instance)));
        let rows = self.look(look).await?;
        let row = rows.first().ok_or(sqlx::Error::RowNotFound)?;
        if row.try_get::<i64, _>("tenants")? == 0 {
            return Ok(());
        }
        Err(ClusterError::Inhabited(name.to_string()))
    }

    /// Ends the admin's own sessions and those of the login for all tenants, which no tenant's
    /// would be among any more.
    async fn end_common_sessions(&self, common: Common) -> Result<(), ClusterError> {
        let mut batch = Batch::new(self.version().await?);
        let service: Option<CommonRole> = match common {
            Common::Schemas => None,
            Common::Shared => Some(self.service_role()),
        };
        if let Some(service) = &service
            && self.has_common_role(service).await?
        {
            batch
                .add(&[&"ALTER ROLE ", service, &" NOLOGIN PASSWORD NULL"])
                .grant(service, &"CURRENT_USER")
                .terminate(common, self)
                .add(&[&"REVOKE ", service, &" FROM CURRENT_USER"]);
        } else {
            batch.terminate(common, self);
        }
        self.run(batch).await?;
        Ok(())
    }
}

impl Batch {
    fn terminate(&mut self, common: Common, cluster: &Cluster) -> &mut Self {
        self.add(&[
            &"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
              WHERE datname = ",
            &Literal::database(&cluster.common_name(common)),
            &" AND pid <> pg_backend_pid() AND pg_has_role(usesysid, 'USAGE')",
        ])
    }
}
