//! Connections and transactions of either driver.

use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use sqlx::pool::{PoolConnection, PoolOptions};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqliteSynchronous,
};
use sqlx::{Connection, Postgres, Sqlite, Transaction};
use tenantry_core::Timestamp;
use tokio::time::timeout;

use crate::StoreError;
use crate::pools::Borrowed;

/// How long to wait for a connection to a file before the caller is told that the service is busy.
const ACQUIRE: Duration = Duration::from_secs(10);

/// The same for a server, where the connection may have to be made: a server that is away, starts or
/// hangs is waited for so long and no longer.
const REACH: Duration = Duration::from_secs(5);

/// How long a connection that lay idle may take to show that it still leads to the server, and one
/// that is given back to end what it was in the middle of. One that does not is thrown away. Without
/// it, connections to a host that went without a word would fill the pool until TCP gives them up,
/// which takes a quarter of an hour (`tcp_retries2`), and for ever where something before the server
/// keeps them open.
const PROOF: Duration = Duration::from_secs(1);

/// How long the server lets a statement take, in milliseconds.
const STATEMENT_MILLIS: &str = "30000";

/// How long an answer is waited for. The server itself ends a statement sooner
/// ([`STATEMENT_MILLIS`]), so that what is given up here is one that says nothing any more.
const ANSWER: Duration = Duration::from_secs(35);

/// A database of either driver.
#[derive(Clone)]
pub enum Db {
    /// A file: one writer, so that writers queue here in order instead of polling SQLite's lock,
    /// and a few readers.
    Sqlite {
        /// The only connection that writes.
        writer: SqlitePool,
        /// Connections that can't write.
        readers: SqlitePool,
    },
    /// A server.
    Postgres(PgPool),
}

/// A connection of either driver, borrowed for one statement.
pub enum Conn<'c> {
    /// A file.
    Sqlite(&'c mut SqliteConnection),
    /// A server.
    Postgres(&'c mut PgConnection),
}

impl Conn<'_> {
    /// What the clock of the server shows; `None` for a file, which has none of its own. No date is
    /// written by it: it only tells dates of ours that can't be right (`control::Ahead`).
    pub(crate) async fn server_time(&mut self) -> Result<Option<Timestamp>, StoreError> {
        const TIME: &str = "SELECT (EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::BIGINT";
        match self {
            Self::Sqlite(_) => Ok(None),
            Self::Postgres(conn) => {
                let asked = sqlx::query_scalar(TIME).fetch_one(&mut **conn);
                Ok(Some(Timestamp::from_micros(answered(asked).await?)))
            }
        }
    }
}

/// A transaction that writes, or a connection that only reads. Dropped without
/// [`commit`](Self::commit), nothing of it happened.
pub enum Tx {
    /// Reading from a file.
    SqliteRead(PoolConnection<Sqlite>),
    /// Writing to a file.
    Sqlite(Transaction<'static, Sqlite>),
    /// Reading from a server.
    PostgresRead(PoolConnection<Postgres>),
    /// Writing to a server.
    Postgres(Transaction<'static, Postgres>),
    /// In a tenant's database on a server.
    Server(Borrowed),
}

/// How a file is opened to write: with a write-ahead log, which the file remembers.
pub(crate) fn sqlite_options(path: &Path) -> SqliteConnectOptions {
    reading_options(path).journal_mode(SqliteJournalMode::Wal)
}

/// How a file is opened to look at it, which changes nothing about it, not even its journal mode:
/// it may turn out to be none of ours. Every commit is on the disk before it is acknowledged; no
/// memory map, as database files may be replaced while the service runs.
pub(crate) fn reading_options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(Duration::from_secs(5))
        .foreign_keys(true)
        .pragma("trusted_schema", "OFF")
        .pragma("mmap_size", "0")
}

/// A pool without timers of its own. A connection that is still inside a transaction when it is
/// taken out is thrown away: sqlx 0.9 can leave one behind when `begin` is cancelled.
fn options<DB: sqlx::Database>(max: u32) -> PoolOptions<DB>
where
    DB::Connection: Connection,
{
    PoolOptions::new()
        .max_connections(max)
        .min_connections(0)
        .idle_timeout(None)
        .max_lifetime(None)
        .acquire_timeout(ACQUIRE)
        .test_before_acquire(false)
        .before_acquire(|conn: &mut DB::Connection, _| {
            Box::pin(async move { Ok(!conn.is_in_transaction()) })
        })
}

/// What a server answers, or that it does not.
pub(crate) async fn answered<T>(
    asked: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    within(ANSWER, asked).await
}

async fn within<T>(
    limit: Duration,
    asked: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    let late = |_| Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()));
    timeout(limit, asked).await.unwrap_or_else(late)
}

impl Db {
    /// The file at `path`, which must exist, with so many readers.
    pub fn sqlite(path: &Path, readers: u32) -> Self {
        Self::over(reading_options(path), readers)
    }

    /// Like [`sqlite`](Self::sqlite), but no commit folds the log into the file: whoever opened it
    /// does, and knows of each change of the file.
    pub(crate) fn sqlite_with_log_kept(path: &Path, readers: u32) -> Self {
        Self::over(
            reading_options(path).pragma("wal_autocheckpoint", "0"),
            readers,
        )
    }

    fn over(file: SqliteConnectOptions, readers: u32) -> Self {
        let writer = file.clone().journal_mode(SqliteJournalMode::Wal);
        Self::Sqlite {
            writer: options(1)
                .connect_lazy_with(writer.thread_name(|_| "sqlite-writer".to_owned())),
            readers: options(readers).connect_lazy_with(
                file.pragma("query_only", "ON")
                    .thread_name(|_| "sqlite-reader".to_owned()),
            ),
        }
    }

    /// The server and database that `url` names.
    pub fn postgres(url: &str, max: u32) -> Result<Self, StoreError> {
        let options = PgConnectOptions::from_str(url)?
            .application_name("tenantry")
            .options([
                ("client_connection_check_interval", "2000"),
                ("statement_timeout", STATEMENT_MILLIS),
            ]);
        let pool = PgPoolOptions::new()
            .max_connections(max)
            .min_connections(0)
            .acquire_timeout(REACH)
            .idle_timeout(Duration::from_mins(5))
            .test_before_acquire(false)
            .before_acquire(|conn, _| {
                Box::pin(async move {
                    let sound = !conn.is_in_transaction();
                    if sound {
                        within(PROOF, conn.ping()).await?;
                    }
                    Ok(sound)
                })
            })
            .after_release(|conn, _| {
                Box::pin(async move {
                    within(PROOF, conn.ping()).await?;
                    Ok(true)
                })
            })
            .connect_lazy_with(options);
        Ok(Self::Postgres(pool))
    }

    /// A transaction that may write. On a file it takes the write lock at once, since a reader
    /// that turns writer half-way is refused without waiting (`SQLITE_BUSY_SNAPSHOT`).
    pub async fn begin(&self) -> Result<Tx, StoreError> {
        Ok(match self {
            Self::Sqlite { writer, .. } => Tx::Sqlite(writer.begin_with("BEGIN IMMEDIATE").await?),
            Self::Postgres(pool) => {
                // In a task of its own, which nobody cancels: were the caller to go away before
                // the server has answered BEGIN, sqlx 0.9 would put the connection back into the
                // pool inside a transaction and not know it. The task drops what nobody wants.
                let pool = pool.clone();
                let begun = tokio::spawn(async move { pool.begin().await });
                let begun = async { begun.await.map_err(|_| sqlx::Error::WorkerCrashed)? };
                Tx::Postgres(answered(begun).await?)
            }
        })
    }

    /// A connection to read with; each statement stands for itself.
    pub async fn read(&self) -> Result<Tx, StoreError> {
        Ok(match self {
            Self::Sqlite { readers, .. } => Tx::SqliteRead(readers.acquire().await?),
            Self::Postgres(pool) => Tx::PostgresRead(pool.acquire().await?),
        })
    }

    /// Closes every connection and waits for those in use.
    pub async fn close(&self) {
        match self {
            Self::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
    }

    /// Whether somebody closed it or began to, so that it opens no more.
    pub(crate) fn is_closed(&self) -> bool {
        match self {
            Self::Sqlite { writer, readers } => readers.is_closed() || writer.is_closed(),
            Self::Postgres(pool) => pool.is_closed(),
        }
    }

    /// Connections open now, in use or not.
    pub fn open_connections(&self) -> u32 {
        match self {
            Self::Sqlite { writer, readers } => writer.size() + readers.size(),
            Self::Postgres(pool) => pool.size(),
        }
    }
}

impl Tx {
    /// The connection, for one statement.
    pub fn conn(&mut self) -> Conn<'_> {
        match self {
            Self::SqliteRead(conn) => Conn::Sqlite(conn),
            Self::Sqlite(tx) => Conn::Sqlite(tx),
            Self::PostgresRead(conn) => Conn::Postgres(conn),
            Self::Postgres(tx) => Conn::Postgres(tx),
            Self::Server(borrowed) => Conn::Postgres(borrowed.conn()),
        }
    }

    /// Whether it may have changed a file.
    pub(crate) const fn writes_file(&self) -> bool {
        matches!(self, Self::Sqlite(_))
    }

    /// Makes it happen, all or nothing.
    pub async fn commit(self) -> Result<(), StoreError> {
        match self {
            Self::SqliteRead(_) | Self::PostgresRead(_) => Ok(()),
            Self::Sqlite(tx) => Ok(tx.commit().await?),
            Self::Postgres(tx) => Ok(answered(tx.commit()).await?),
            Self::Server(borrowed) => borrowed.commit().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    #[tokio::test]
    async fn what_is_not_answered_is_given_up_as_something_that_passes() {
        let never = within::<()>(Duration::from_millis(1), pending()).await;
        let error = StoreError::from(never.unwrap_err());
        assert!(error.is_transient() && error.is_lost());
        let answer = within(ANSWER, async { Ok(7) }).await;
        assert_eq!(answer.unwrap(), 7);
    }
}
