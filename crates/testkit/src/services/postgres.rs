//! The PostgreSQL cluster of the test run, and databases of one test each.

use std::hash::{BuildHasher, RandomState};

use anyhow::{Context, Result};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use url::Url;

use super::environment;

/// The administrator's URL of the cluster.
///
/// # Panics
/// Where the test was started without the services; the message says how to start it.
pub fn postgres() -> String {
    let url = environment("TENANTRY_TEST_POSTGRES");
    assert!(
        url.is_some(),
        "this test needs PostgreSQL (TENANTRY_TEST_POSTGRES is not set): run `cargo xtask test`, \
         or `cargo xtask services -- cargo nextest run -p CRATE` for one crate",
    );
    url.unwrap_or_default()
}

/// An empty database of one test; dropping it drops the database, whoever is still connected.
pub struct FreshDatabase {
    admin: String,
    name: String,
    url: String,
    there: bool,
}

/// Makes an empty database in the cluster of the test run.
pub async fn fresh_database() -> Result<FreshDatabase> {
    fresh_database_at(postgres()).await
}

/// Makes an empty database on the server that this administrator's URL leads to.
pub async fn fresh_database_at(admin: String) -> Result<FreshDatabase> {
    // The hasher's keys are random for each process, so two tests never choose the same name.
    let name = format!(
        "test_{:016x}",
        RandomState::new().hash_one(std::process::id())
    );
    let mut url = Url::parse(&admin).context("TENANTRY_TEST_POSTGRES is no URL")?;
    url.set_path(&name);
    execute(&admin, format!("CREATE DATABASE {name}")).await?;
    Ok(FreshDatabase {
        admin,
        name,
        url: url.into(),
        there: true,
    })
}

impl FreshDatabase {
    /// Where it is, with the administrator's credentials.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Drops the database now, and tells if that fails.
    pub async fn close(mut self) -> Result<()> {
        self.there = false;
        execute(&self.admin, self.removal()).await
    }

    fn removal(&self) -> String {
        format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name)
    }
}

impl Drop for FreshDatabase {
    fn drop(&mut self) {
        if !self.there {
            return;
        }
        let (admin, removal) = (self.admin.clone(), self.removal());
        // The test's own runtime can't be waited on from here, so a thread brings another one.
        let outcome = std::thread::spawn(move || -> Result<()> {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            runtime.block_on(execute(&admin, removal))
        })
        .join();
        match outcome {
            Ok(Ok(())) => {}
            Ok(Err(error)) => eprintln!("database {} is left over: {error:#}", self.name),
            Err(_) => eprintln!("database {} is left over", self.name),
        }
    }
}

/// Runs one statement, made of names of ours only, on a connection of its own.
async fn execute(url: &str, statement: String) -> Result<()> {
    let mut connection = PgConnection::connect(url)
        .await
        .context("the cluster does not answer")?;
    sqlx::raw_sql(AssertSqlSafe(statement))
        .execute(&mut connection)
        .await?;
    connection.close().await?;
    Ok(())
}
