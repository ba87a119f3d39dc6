//! Running statements: each in a task of its own with a deadline, and a connection whose answer
//! did not come is never used again.

use sqlx::postgres::{PgArguments, PgConnectOptions, PgConnection, PgPool, PgRow};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Postgres};
use tokio::time::timeout;

use super::ddl::Batch;
use super::error::{ClusterError, Trouble};
use super::name::{Common, DatabaseName, Placement, TemplateName};
use super::{Cluster, Version};
use crate::migrate;

/// A look into the catalogue.
pub(super) type Look = Query<'static, Postgres, PgArguments>;

enum Work {
    Batch(AssertSqlSafe<String>),
    Look(Look),
}

impl Work {
    async fn run(self, conn: &mut PgConnection) -> Result<Vec<PgRow>, sqlx::Error> {
        match self {
            Self::Batch(sql) => sqlx::raw_sql(sql).fetch_all(conn).await,
            Self::Look(look) => look.fetch_all(conn).await,
        }
    }
}

/// A database that the admin goes into, on a connection of its own.
#[derive(Clone, Copy)]
pub(super) enum Inside<'a> {
    Tenant(&'a DatabaseName),
    Template(&'a TemplateName),
}

/// The admin's connections to the databases that tenants share. They are kept for a while, since
/// every step for every such tenant needs one.
pub(super) struct CommonPools {
    pub(super) schemas: PgPool,
    pub(super) shared: PgPool,
}

impl CommonPools {
    const fn of(&self, common: Common) -> &PgPool {
        match common {
            Common::Schemas => &self.schemas,
            Common::Shared => &self.shared,
        }
    }

    pub(super) async fn close(&self) {
        self.schemas.close().await;
        self.shared.close().await;
    }
}

impl Cluster {
    /// The server's version, asked for once.
    pub(super) async fn version(&self) -> Result<Version, ClusterError> {
        let version = self
            .version
            .get_or_try_init(|| async {
                let sql = "SELECT current_setting('server_version_num')::int AS version";
                let rows = self.look(sqlx::query(sql)).await?;
                let row = rows.first().ok_or(sqlx::Error::RowNotFound)?;
                Ok::<_, ClusterError>(Version(sqlx::Row::try_get(row, "version")?))
            })
            .await?;
        Ok(*version)
    }

    /// Runs statements on an admin connection, outside any transaction but their own.
    pub(super) async fn run(&self, batch: Batch) -> Result<Vec<PgRow>, ClusterError> {
        self.on(&self.admin, Work::Batch(batch.into_sql())).await
    }

    /// Asks the catalogue.
    pub(super) async fn look(&self, look: Look) -> Result<Vec<PgRow>, ClusterError> {
        self.on(&self.admin, Work::Look(look)).await
    }

    /// Runs statements in a database that tenants share.
    pub(super) async fn run_common(
        &self,
        common: Common,
        batch: Batch,
    ) -> Result<Vec<PgRow>, ClusterError> {
        let pool = self.commons.of(common);
        self.on(pool, Work::Batch(batch.into_sql())).await
    }

    /// Asks the catalogue of a database that tenants share; `None` where there is no such database.
    pub(super) async fn look_common(
        &self,
        common: Common,
        look: Look,
    ) -> Result<Option<Vec<PgRow>>, ClusterError> {
        match self.on(self.commons.of(common), Work::Look(look)).await {
            Ok(rows) => Ok(Some(rows)),
            Err(error) if error.is_no_database() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Runs statements in the database that the tenant lies in.
    pub(super) async fn run_at(
        &self,
        placement: Placement,
        batch: Batch,
    ) -> Result<Vec<PgRow>, ClusterError> {
        match Common::of(placement.isolation) {
            None => {
                let name = self.database_name(placement);
                self.run_inside(Inside::Tenant(&name), batch).await
            }
            Some(common) => self.run_common(common, batch).await,
        }
    }

    /// Brings the identity tables that `before` makes the place for to the present schema, and goes
    /// on with `after`: one transaction, so all of it or none.
    pub(super) async fn migrate_between(
        &self,
        before: Batch,
        placement: Placement,
        after: Batch,
    ) -> Result<(), ClusterError> {
        let deadline = self.bounds.statement;
        // Else a transaction whose end was lost on the way would keep its locks for as long as the
        // server takes us for connected.
        let idle = deadline.as_millis().to_string();
        let options = self
            .inside_of(placement)
            .options([("idle_in_transaction_session_timeout", idle)]);
        let work = async move {
            let mut conn = options.connect().await?;
            let mut tx = conn.begin().await?;
            let begun = Work::Batch(before.into_sql()).run(&mut tx).await;
            begun?;
            migrate::tenant_within(&mut tx)
                .await
                .map_err(ClusterError::Migrate)?;
            let ended = Work::Batch(after.into_sql()).run(&mut tx).await;
            ended?;
            tx.commit().await?;
            conn.close().await?;
            Ok::<_, ClusterError>(())
        };
        match tokio::spawn(timeout(deadline, work)).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(ClusterError::Deadline(deadline)),
            Err(_) => Err(sqlx::Error::WorkerCrashed.into()),
        }
    }

    /// Runs statements inside a database, on a connection of their own.
    pub(super) async fn run_inside(
        &self,
        inside: Inside<'_>,
        batch: Batch,
    ) -> Result<Vec<PgRow>, ClusterError> {
        let options = self.inside(inside);
        let deadline = self.bounds.statement;
        let work = async move {
            let mut conn = options.connect().await?;
            let rows = Work::Batch(batch.into_sql()).run(&mut conn).await?;
            conn.close().await?;
            Ok::<_, sqlx::Error>(rows)
        };
        // Dropping a connection closes it.
        match tokio::spawn(timeout(deadline, work)).await {
            Ok(Ok(outcome)) => Ok(outcome?),
            Ok(Err(_)) => Err(ClusterError::Deadline(deadline)),
            Err(_) => Err(sqlx::Error::WorkerCrashed.into()),
        }
    }

    /// How the admin goes into a database.
    pub(super) fn inside(&self, inside: Inside<'_>) -> PgConnectOptions {
        let name = match inside {
            Inside::Tenant(name) => name.as_str(),
            Inside::Template(name) => name.as_str(),
        };
        self.options.clone().database(name)
    }

    async fn on(&self, pool: &PgPool, work: Work) -> Result<Vec<PgRow>, ClusterError> {
        let (pool, deadline) = (pool.clone(), self.bounds.statement);
        // A task of its own, so that a caller who goes away leaves no answer behind that the
        // connection's next user would take for his.
        let task = tokio::spawn(async move {
            let mut conn = pool.acquire().await?;
            let outcome = timeout(deadline, work.run(&mut conn))
                .await
                .map_or(Err(ClusterError::Deadline(deadline)), |done| Ok(done?));
            if outcome
                .as_ref()
                .is_err_and(|error| error.trouble() == Trouble::Lost)
            {
                drop(conn.detach());
            }
            outcome
        });
        match task.await {
            Ok(outcome) => outcome,
            Err(_) => Err(sqlx::Error::WorkerCrashed.into()),
        }
    }
}
