//! Our template: an empty tenant database, made once for each schema version.
//!
//! It is marked as a template only when it is complete, and accepts no connections from then on:
//! a clone waits 5 s and fails while anybody is connected to what it copies. It is made from
//! template0, so that nothing an operator put into template1 gets into tenants' databases.

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio::time::timeout;

use super::ddl::Batch;
use super::error::Trouble;
use super::installation::Admin;
use super::session::Inside;
use super::{Cluster, ClusterError};
use crate::{Db, migrate};

impl Cluster {
    /// Whether the template is there and complete.
    pub(super) async fn has_template(&self) -> Result<bool, ClusterError> {
        let name = self.template_name();
        match self.template(&name).await? {
            Some(state) if !state.ours => Err(ClusterError::Foreign(name.to_string())),
            state => Ok(state.is_some_and(|state| state.ready && !state.broken)),
        }
    }

    /// Makes the template where it is missing or incomplete.
    pub(super) async fn try_template(&self) -> Result<(), ClusterError> {
        if self.has_template().await? {
            return Ok(());
        }
        let _turn = self.take_turn(self.template_name().as_str()).await?;
        if !self.has_template().await? {
            self.build_template().await?;
        }
        Ok(())
    }

    async fn build_template(&self) -> Result<(), ClusterError> {
        let (name, version) = (self.template_name(), self.version().await?);
        self.ensure_common_role(&self.objects_role(), self.template_marker(), Admin::Member)
            .await?;
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

        self.migrate_as_objects(self.inside(Inside::Template(&name)))
            .await?;

        let mut batch = Batch::new(version);
        batch.template_users(&objects);
        self.run_inside(Inside::Template(&name), batch).await?;
        Ok(())
    }

    /// Brings the identity tables in the schema `tenantry` to the present version, as the role that
    /// owns them.
    pub(super) async fn migrate_as_objects(
        &self,
        options: PgConnectOptions,
    ) -> Result<(), ClusterError> {
        let objects = self.objects_role();
        let options = options.options([("role", objects.as_str()), ("search_path", "tenantry")]);
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .connect_lazy_with(options);
        let db = Db::Postgres(pool);
        let migrated = timeout(self.bounds.statement, migrate::tenant(&db)).await;
        db.close().await;
        migrated
            .map_err(|_| ClusterError::Deadline(self.bounds.statement))?
            .map_err(ClusterError::Migrate)
    }

    /// Drops the template, and its role where nothing is left that it owns.
    pub(super) async fn try_drop_template(&self) -> Result<(), ClusterError> {
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
        self.drop_objects_role().await
    }

    /// Drops the role that owns what is made for many tenants, unless something of it is left.
    pub(super) async fn drop_objects_role(&self) -> Result<(), ClusterError> {
        let mut batch = Batch::new(self.version().await?);
        batch.add(&[&"DROP ROLE IF EXISTS ", &self.objects_role()]);
        match self.run(batch).await {
            // The template of another schema version, or a database that is being made.
            Err(error) if error.trouble() == Trouble::InUse => Ok(()),
            outcome => outcome.map(drop),
        }
    }
}
