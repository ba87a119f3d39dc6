//! A control database of one test, and the plain rows in it.
//!
//! Tests look at rows here that no use case shows, and damage them as a careless hand would.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};
use tempfile::TempDir;
use tenantry_core::tenant::Driver;
use tenantry_store::Control;
use tenantry_store::control::ControlUrl;
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::services::{FreshDatabase, fresh_database, fresh_database_at};

/// A folder and an empty control database. Both go when it is dropped.
pub struct TestControl {
    url: ControlUrl,
    eye: Mutex<Option<Eye>>,
    dir: TempDir,
    _database: Option<FreshDatabase>,
}

/// A connection of either driver, past all constraints between tables.
enum Eye {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// Runs `$body` with `$conn` connected, once for each driver.
macro_rules! connected {
    ($control:expr, |$conn:ident| $body:expr) => {{
        let mut eye = $control.eye.lock().await;
        if eye.is_none() {
            *eye = Some(Eye::open(&$control.url).await?);
        }
        match eye.as_mut().context("no connection")? {
            Eye::Sqlite($conn) => $body,
            Eye::Postgres($conn) => $body,
        }
    }};
}

impl Eye {
    async fn open(url: &ControlUrl) -> Result<Self> {
        Ok(match url {
            ControlUrl::Sqlite(path) => Self::Sqlite(sqlite(path).await?),
            ControlUrl::Postgres(url) => {
                let mut conn = PgConnection::connect(url).await?;
                sqlx::query("SET session_replication_role = replica")
                    .execute(&mut conn)
                    .await?;
                Self::Postgres(conn)
            }
        })
    }
}

pub(super) async fn sqlite(path: &Path) -> Result<SqliteConnection> {
    let options = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .busy_timeout(Duration::from_secs(10))
        .foreign_keys(false);
    SqliteConnection::connect_with(&options)
        .await
        .with_context(|| format!("{} can't be opened", path.display()))
}

fn safe(sql: &str) -> AssertSqlSafe<String> {
    AssertSqlSafe(sql.to_owned())
}

impl TestControl {
    /// An empty control database.
    pub async fn start(driver: Driver) -> Result<Self> {
        Self::start_at(driver, None).await
    }

    /// The same on another server, which this administrator's URL leads to.
    pub async fn start_at(driver: Driver, server: Option<&str>) -> Result<Self> {
        let dir = tempfile::Builder::new()
            .prefix("tenantry-test-")
            .tempdir()?;
        let database = match driver {
            Driver::Sqlite => None,
            Driver::Postgres => Some(match server {
                Some(server) => fresh_database_at(server.to_owned()).await?,
                None => fresh_database().await?,
            }),
        };
        let url = database.as_ref().map_or_else(
            || ControlUrl::Sqlite(dir.path().join("control.db")),
            |database| ControlUrl::Postgres(database.url().to_owned()),
        );
        Ok(Self {
            url,
            eye: Mutex::new(None),
            dir,
            _database: database,
        })
    }

    /// Connections of one process to it.
    pub async fn open(&self) -> Result<Control> {
        Ok(Control::open(&self.url).await?)
    }

    /// Looks anew from now on: the server was away.
    pub async fn look_anew(&self) {
        *self.eye.lock().await = None;
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// An id as SQL writes it.
    pub fn literal(&self, id: Uuid) -> String {
        match self.url {
            ControlUrl::Sqlite(_) => format!("x'{}'", id.simple()),
            ControlUrl::Postgres(_) => format!("'{id}'::uuid"),
        }
    }

    /// The one number a query answers with.
    pub async fn number(&self, sql: &str) -> Result<i64> {
        connected!(self, |conn| sqlx::query_scalar(safe(sql))
            .fetch_one(conn)
            .await
            .with_context(|| sql.to_owned()))
    }

    /// The first column of a query, which is text.
    pub async fn texts(&self, sql: &str) -> Result<Vec<String>> {
        connected!(self, |conn| sqlx::query_scalar(safe(sql))
            .fetch_all(conn)
            .await
            .with_context(|| sql.to_owned()))
    }

    /// Changes rows behind everybody's back, whatever constraints between tables say; how many.
    pub async fn damage(&self, sql: &str) -> Result<u64> {
        connected!(self, |conn| sqlx::query(safe(sql))
            .execute(conn)
            .await
            .map(|done| done.rows_affected())
            .with_context(|| sql.to_owned()))
    }

    /// Waits until a query that counts finds something.
    pub async fn until(&self, sql: &str) -> Result<()> {
        let found = async {
            while self.number(sql).await? == 0 {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            Ok(())
        };
        tokio::time::timeout(Duration::from_secs(30), found)
            .await
            .with_context(|| format!("never came true: {sql}"))?
    }

    /// Every table of ours.
    pub async fn tables(&self) -> Result<Vec<String>> {
        self.texts(match self.url {
            ControlUrl::Sqlite(_) => {
                "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
            }
            ControlUrl::Postgres(_) => {
                "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
            }
        })
        .await
    }

    /// Every row as text, octets in hexadecimal: a line each, with its table in front.
    pub async fn dump(&self) -> Result<Vec<String>> {
        let mut lines = Vec::new();
        for table in self.tables().await? {
            let row = match &self.url {
                ControlUrl::Sqlite(_) => {
                    let columns = format!("SELECT name FROM pragma_table_info('{table}')");
                    sqlite_row(&self.texts(&columns).await?)
                }
                ControlUrl::Postgres(_) => "t::text".to_owned(),
            };
            let rows = self
                .texts(&format!("SELECT {row} FROM \"{table}\" t"))
                .await?;
            lines.extend(rows.into_iter().map(|row| format!("{table}: {row}")));
        }
        Ok(lines)
    }

    /// The tables with a row that holds this id, as a value of its own or inside a text.
    pub async fn mentions(&self, id: Uuid) -> Result<Vec<String>> {
        let (plain, simple) = (id.to_string(), id.simple().to_string());
        let mut tables: Vec<String> = self
            .dump()
            .await?
            .into_iter()
            .map(|line| line.to_lowercase())
            .filter(|line| line.contains(&plain) || line.contains(&simple))
            .filter_map(|line| line.split(':').next().map(str::to_owned))
            .collect();
        tables.dedup();
        Ok(tables)
    }
}

/// An expression for a whole row, since SQLite has none: octets in hexadecimal, all else as text.
fn sqlite_row(columns: &[String]) -> String {
    let column = |name: &String| {
        format!(
            "CASE typeof(\"{name}\") WHEN 'blob' THEN hex(\"{name}\") ELSE COALESCE(\"{name}\", '') END"
        )
    };
    columns
        .iter()
        .map(column)
        .collect::<Vec<_>>()
        .join(" || '|' || ")
}
