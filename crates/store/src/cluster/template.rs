//! Our template: an empty tenant database, made once for each schema version.
//!
//! It is marked as a template only when it is complete, and accepts no connections from then on:
//! a clone waits 5 s and fails while anybody is connected to what it copies. It is made from
//! template0, so that nothing an operator put into template1 gets into tenants' databases.

use sqlx::postgres::PgPoolOptions;
use sqlx::{ConnectOptions as _, Row as _};
use tokio::time::timeout;

use super::ddl::Batch;
use super::error::Trouble;
use super::session::Inside;
use super::{Cluster, ClusterError};
use crate::{Db, migrate};

/// The people that an application sees: no hash, no key of an address, no version, no secret. The
/// view runs with its owner's rights; applications have none on what lies below.
const APP_USERS: &str = "CREATE OR REPLACE VIEW app.users WITH (security_barrier = true) AS
    SELECT id, email, username, full_name, role,
           disabled_at IS NOT NULL AS disabled,
           must_change_password = 1 AS must_change_password,
           TIMESTAMPTZ 'epoch' + created_at * INTERVAL '1 microsecond' AS created_at,
           TIMESTAMPTZ 'epoch' + last_login_at * INTERVAL '1 microsecond' AS last_login_at
    FROM tenantry.tenantry_users";

impl Batch {
    /// Makes the view that applications read people from.
    pub(super) fn app_users(&mut self) -> &mut Self {
        self.add(&[&APP_USERS])
    }
}

impl Cluster {
    /// Whether the template is there and complete.
    pub async fn has_template(&self) -> Result<bool, ClusterError> {
        let name = self.template_name();
        match self.template(&name).await? {
            Some(state) if !state.ours => Err(ClusterError::Foreign(name.to_string())),
            state => Ok(state.is_some_and(|state| state.ready && !state.broken)),
        }
    }

    /// Makes the template where it is missing or incomplete. Many nodes may do so at once.
    pub async fn ensure_template(&self) -> Result<(), ClusterError> {
        let mut patience = self.patience();
        loop {
            match self.try_template().await {
                Ok(()) => return Ok(()),
                Err(error) => patience.bear(error).await?,
            }
        }
    }

    async fn try_template(&self) -> Result<(), ClusterError> {
        if self.has_template().await? {
            return Ok(());
        }
        // One builder at a time, for as long as this connection lives. A second one would do no
        // harm but keep clones waiting.
        let mut turn = self.options.connect().await?;
        let asked = sqlx::query("SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS mine")
            .bind(self.template_name().as_str().to_owned())
            .fetch_one(&mut turn);
        let row = timeout(self.bounds.statement, asked)
            .await
            .map_err(|_| ClusterError::Deadline(self.bounds.statement))??;
        if !row.try_get::<bool, _>("mine")? {
            return Err(ClusterError::Busy(self.template_name().to_string()));
        }
        if !self.has_template().await? {
            self.build_template().await?;
        }
        Ok(())
    }

    async fn build_template(&self) -> Result<(), ClusterError> {
        let (name, version) = (self.template_name(), self.version().await?);
        self.ensure_objects_role().await?;
        let state = self.template(&name).await?;
        if state.as_ref().is_some_and(|state| state.broken) {
            let mut batch = Batch::new(version);
            batch.add(&[&"DROP DATABASE IF EXISTS ", &name, &" WITH (FORCE)"]);
            self.run(batch).await?;
        }
        if state.is_none_or(|state| state.broken) {
            let mut batch = Batch::new(version);
            batch.add(&[
                &"CREATE DATABASE ",
                &name,
                &" TEMPLATE template0 ENCODING 'UTF8' ALLOW_CONNECTIONS false",
            ]);
            self.run(batch).await?;
        }
        let mut batch = Batch::new(version);
        batch
            .add(&[
                &"COMMENT ON DATABASE ",
                &name,
                &" IS ",
                &self.template_marker(),
            ])
            .add(&[&"REVOKE ALL ON DATABASE ", &name, &" FROM PUBLIC"])
            .add(&[
                &"ALTER DATABASE ",
                &name,
                &" WITH IS_TEMPLATE false ALLOW_CONNECTIONS true",
            ]);
        self.run(batch).await?;
        self.fill_template().await?;
        let mut batch = Batch::new(version);
        batch.add(&[
            &"ALTER DATABASE ",
            &name,
            &" WITH ALLOW_CONNECTIONS false IS_TEMPLATE true",
        ]);
        self.run(batch).await?;
        Ok(())
    }

    /// Schemas, tables and the view, all owned by the objects role.
    async fn fill_template(&self) -> Result<(), ClusterError> {
        let (name, objects, version) = (
            self.template_name(),
            self.objects_role(),
            self.version().await?,
        );
        let mut batch = Batch::new(version);
        batch
            .add(&[
                &"CREATE SCHEMA IF NOT EXISTS tenantry AUTHORIZATION ",
                &objects,
            ])
            .add(&[&"CREATE SCHEMA IF NOT EXISTS app AUTHORIZATION ", &objects])
            .add(&[&"REVOKE ALL ON SCHEMA public FROM PUBLIC"]);
        self.run_inside(Inside::Template(&name), batch).await?;

        let options = self
            .inside(Inside::Template(&name))
            .options([("role", objects.as_str()), ("search_path", "tenantry")]);
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .connect_lazy_with(options);
        let db = Db::Postgres(pool);
        let migrated = timeout(self.bounds.statement, migrate::tenant(&db)).await;
        db.close().await;
        migrated
            .map_err(|_| ClusterError::Deadline(self.bounds.statement))?
            .map_err(ClusterError::Migrate)?;

        let mut batch = Batch::new(version);
        batch
            .app_users()
            .add(&[&"ALTER VIEW app.users OWNER TO ", &objects]);
        self.run_inside(Inside::Template(&name), batch).await?;
        Ok(())
    }

    /// The role that owns what lies in the template. The admin is its member for good: one
    /// membership for each installation, while all tenants' are given back.
    async fn ensure_objects_role(&self) -> Result<(), ClusterError> {
        let objects = self.objects_role();
        let look = sqlx::query(
            "SELECT shobj_description(oid, 'pg_authid') AS comment, rolcanlogin AS enabled
             FROM pg_roles WHERE rolname = $1",
        )
        .bind(objects.as_str().to_owned());
        let rows = self.look(look).await?;
        // The schema's version is no part of what marks the role: it serves all versions.
        let prefix = super::Marker::prefix(self.instance);
        if let Some(row) = rows.first() {
            let comment: Option<String> = row.try_get("comment")?;
            if !comment.is_some_and(|comment| comment.starts_with(&prefix)) {
                return Err(ClusterError::Foreign(objects.to_string()));
            }
        }
        let mut batch = Batch::new(self.version().await?);
        if rows.is_empty() {
            batch.add(&[&"CREATE ROLE ", &objects, &" NOLOGIN"]).add(&[
                &"COMMENT ON ROLE ",
                &objects,
                &" IS ",
                &self.template_marker(),
            ]);
        }
        batch.grant(&objects, &"CURRENT_USER");
        self.run(batch).await?;
        Ok(())
    }

    /// Drops the template, and its role where nothing is left that it owns.
    pub async fn drop_template(&self) -> Result<(), ClusterError> {
        let mut patience = self.patience();
        loop {
            match self.try_drop_template().await {
                Ok(()) => return Ok(()),
                Err(error) => patience.bear(error).await?,
            }
        }
    }

    async fn try_drop_template(&self) -> Result<(), ClusterError> {
        let (name, version) = (self.template_name(), self.version().await?);
        if let Some(state) = self.template(&name).await? {
            if !state.ours {
                return Err(ClusterError::Foreign(name.to_string()));
            }
            if !state.broken {
                let mut batch = Batch::new(version);
                batch.add(&[
                    &"ALTER DATABASE ",
                    &name,
                    &" WITH ALLOW_CONNECTIONS false IS_TEMPLATE false",
                ]);
                self.run(batch).await?;
            }
            let mut batch = Batch::new(version);
            batch.add(&[&"DROP DATABASE IF EXISTS ", &name, &" WITH (FORCE)"]);
            self.run(batch).await?;
        }
        let mut batch = Batch::new(version);
        batch.add(&[&"DROP ROLE IF EXISTS ", &self.objects_role()]);
        match self.run(batch).await {
            // The template of another schema version, or a database that is being made.
            Err(error) if error.trouble() == Trouble::InUse => Ok(()),
            outcome => outcome.map(drop),
        }
    }
}
