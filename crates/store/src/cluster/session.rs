//! Running statements: each in a task of its own with a deadline, and a connection whose answer
//! did not come is never used again.

use sqlx::postgres::{PgArguments, PgConnectOptions, PgConnection, PgRow};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Postgres};
use tokio::time::timeout;

use super::ddl::Batch;
use super::error::{ClusterError, Trouble};
use super::name::{DatabaseName, TemplateName};
use super::{Cluster, Version};

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

/// A database that the admin goes into.
#[derive(Clone, Copy)]
pub(super) enum Inside<'a> {
    Tenant(&'a DatabaseName),
    Template(&'a TemplateName),
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
        self.on_admin(Work::Batch(batch.into_sql())).await
    }

    /// Asks the catalogue.
    pub(super) async fn look(&self, look: Look) -> Result<Vec<PgRow>, ClusterError> {
        self.on_admin(Work::Look(look)).await
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

    async fn on_admin(&self, work: Work) -> Result<Vec<PgRow>, ClusterError> {
        let (pool, deadline) = (self.admin.clone(), self.bounds.statement);
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
