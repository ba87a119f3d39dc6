//! A connection in a test's hands, past everything of ours.

use anyhow::{Result, anyhow};
use sqlx::error::DatabaseError;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, PgConnection};

/// A connection that stays as the test leaves it, also inside a transaction. Dropped, it ends.
pub struct Session(PgConnection);

/// Why something was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text} ({code:?})")]
pub struct Refused {
    /// SQLSTATE, where the server said something.
    pub code: Option<String>,
    /// What was said, in whichever language.
    pub text: String,
}

impl From<sqlx::Error> for Refused {
    fn from(error: sqlx::Error) -> Self {
        let code = error.as_database_error().and_then(DatabaseError::code);
        Self {
            code: code.map(String::from),
            text: error.to_string(),
        }
    }
}

impl Session {
    pub(super) async fn open(options: PgConnectOptions) -> Result<Self, Refused> {
        Ok(Self(options.connect().await?))
    }

    /// Connects to where a URL leads.
    pub async fn at(url: &str) -> Result<Self, Refused> {
        Self::open(url.parse()?).await
    }

    /// Runs statements.
    pub async fn run(&mut self, sql: &str) -> Result<(), Refused> {
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
            .execute(&mut self.0)
            .await?;
        Ok(())
    }

    /// The one text that a statement gives.
    pub async fn text(&mut self, sql: &str) -> Result<String> {
        sqlx::query_scalar(AssertSqlSafe(sql.to_owned()))
            .fetch_one(&mut self.0)
            .await
            .map_err(|error| anyhow!("{sql}: {error}"))
    }

    /// The one number that a statement gives.
    pub async fn number(&mut self, sql: &str) -> Result<i64> {
        sqlx::query_scalar(AssertSqlSafe(sql.to_owned()))
            .fetch_one(&mut self.0)
            .await
            .map_err(|error| anyhow!("{sql}: {error}"))
    }
}
