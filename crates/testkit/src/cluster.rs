//! A PostgreSQL server that tenants are placed on, seen through an admin role of the test's own
//! that is no superuser.

mod belongings;
mod former;
mod session;

use std::hash::{BuildHasher as _, RandomState};
use std::str::FromStr as _;
use std::time::Duration;

use anyhow::{Context as _, Result};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection, Row as _};
use url::Url;
use uuid::Uuid;

pub use former::{FORMER_MAP, FORMER_PASSWORD, FormerDatabase, quoted};
pub use session::{Refused, Session};

use crate::services::postgres;

/// An admin role, and whatever an installation makes with it. Dropping it drops all of that.
pub struct TestCluster {
    /// The superuser's URL.
    server: String,
    admin: String,
    url: String,
    /// What the comments of an installation begin with that is known to work with the admin.
    known: Option<String>,
}

impl TestCluster {
    /// An admin that may make databases and roles, and nothing else.
    pub async fn start() -> Result<Self> {
        Self::with("CREATEDB CREATEROLE").await
    }

    /// An admin with these attributes.
    pub async fn with(attributes: &str) -> Result<Self> {
        Self::at(&postgres(), attributes).await
    }

    /// An admin on another server, of which this is the superuser's URL.
    pub async fn at(server: &str, attributes: &str) -> Result<Self> {
        // The hasher's keys are random for each process, and differ from one to the next.
        let seed = RandomState::new().hash_one(std::process::id());
        let admin = format!("admin_{seed:016x}");
        let create = format!("CREATE ROLE {admin} LOGIN PASSWORD 'admin' {attributes}");
        let mut conn = connect(server, "postgres").await?;
        run(&mut conn, &create).await?;
        conn.close().await?;
        let mut url = Url::parse(server)?;
        let named = url
            .set_username(&admin)
            .and_then(|()| url.set_password(Some("admin")));
        named.map_err(|()| anyhow::anyhow!("the server's URL takes no user"))?;
        Ok(Self {
            server: server.to_owned(),
            admin,
            url: url.into(),
            known: None,
        })
    }

    /// With what the installation with this id made, also where that never came as far as its
    /// template, by which it is found otherwise.
    #[must_use]
    pub fn serving(mut self, instance: Uuid) -> Self {
        self.known = Some(format!("tenantry instance={instance} "));
        self
    }

    /// The admin's URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The admin's role.
    pub fn admin(&self) -> &str {
        &self.admin
    }

    /// The superuser inside a database, to stay there.
    pub async fn session(&self, database: &str) -> Result<Session> {
        let options = PgConnectOptions::from_str(&self.server)?;
        Ok(Session::open(options.database(database)).await?)
    }

    /// A role inside a database, to stay there.
    pub async fn session_as(&self, role: &str, password: &str, database: &str) -> Result<Session> {
        let options = PgConnectOptions::from_str(&self.server)?;
        let options = options.username(role).password(password).database(database);
        Ok(Session::open(options).await?)
    }

    /// Waits until a statement of the superuser's counts something.
    pub async fn until(&self, sql: &str) -> Result<()> {
        let mut superuser = self.session("postgres").await?;
        let found = async {
            while superuser.number(sql).await? == 0 {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            Ok(())
        };
        tokio::time::timeout(Duration::from_secs(30), found)
            .await
            .with_context(|| format!("never came true: {sql}"))?
    }

    /// The one number that a statement of the superuser's gives.
    pub async fn number(&self, sql: &str) -> Result<i64> {
        self.session("postgres").await?.number(sql).await
    }

    /// Whatever lies on the server for tenants of the installation that works with this admin: each
    /// with its kind in front, in order.
    pub async fn belongings(&self) -> Result<Vec<String>> {
        belongings::list(&self.server, &self.admin).await
    }
}

async fn connect(server: &str, database: &str) -> Result<PgConnection> {
    let options = PgConnectOptions::from_str(server)?;
    Ok(options.database(database).connect().await?)
}

/// An application's connection to its database, by the URL that it was given.
pub struct Application(PgConnection);

impl Application {
    /// Signs in.
    pub async fn enter(url: &str) -> Result<Self> {
        Ok(Self(PgConnectOptions::from_str(url)?.connect().await?))
    }

    /// Runs statements.
    pub async fn run(&mut self, sql: &str) -> Result<()> {
        run(&mut self.0, sql).await
    }

    /// The one text that a statement gives.
    pub async fn text(&mut self, sql: &str) -> Result<String> {
        let row = sqlx::query(AssertSqlSafe(sql.to_owned()))
            .fetch_one(&mut self.0)
            .await?;
        Ok(row.try_get(0)?)
    }

    /// Says good-bye.
    pub async fn leave(self) -> Result<()> {
        Ok(self.0.close().await?)
    }
}

/// A connection as the superuser.
pub async fn superuser_in(database: &str) -> Result<PgConnection> {
    connect(&postgres(), database).await
}

/// Runs statements as the superuser.
pub async fn superuser(sql: &str) -> Result<()> {
    in_database("postgres", sql).await
}

/// Runs statements as the superuser inside a database.
pub async fn in_database(name: &str, sql: &str) -> Result<()> {
    let mut conn = superuser_in(name).await?;
    run(&mut conn, sql).await?;
    Ok(conn.close().await?)
}

/// The one number that a statement of the superuser's gives.
pub async fn number(sql: &str) -> Result<i64> {
    number_in("postgres", sql).await
}

/// The one number that a statement of the superuser's gives inside a database.
pub async fn number_in(database: &str, sql: &str) -> Result<i64> {
    let mut conn = superuser_in(database).await?;
    let row = sqlx::query(AssertSqlSafe(sql.to_owned()))
        .fetch_one(&mut conn)
        .await?;
    conn.close().await?;
    Ok(row.try_get(0)?)
}

/// The texts that a statement of the superuser's gives, one a row.
pub async fn texts(sql: &str) -> Result<Vec<String>> {
    let mut conn = superuser_in("postgres").await?;
    let texts = sqlx::query_scalar(AssertSqlSafe(sql.to_owned()))
        .fetch_all(&mut conn)
        .await?;
    conn.close().await?;
    Ok(texts)
}

async fn run(conn: &mut PgConnection, sql: &str) -> Result<()> {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
        .execute(conn)
        .await?;
    Ok(())
}

/// What the comments of an installation begin with that works with this admin.
///
/// The admin is a member for good of one role of each installation that it served: the one that
/// owns the template's objects. Its comment tells which installation that is.
async fn markers(conn: &mut PgConnection, admin: &str) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar(
        "SELECT substring(shobj_description(r.oid, 'pg_authid') from '^tenantry instance=[0-9a-f-]+ ')
         FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.roleid
         JOIN pg_roles a ON a.oid = m.member
         WHERE a.rolname = $1 AND shobj_description(r.oid, 'pg_authid') LIKE 'tenantry instance=%'",
    )
    .bind(admin)
    .fetch_all(conn)
    .await?)
}

/// Drops whatever the admin's installation made, and the admin.
async fn clean_up(server: &str, admin: &str, known: Option<String>) -> Result<()> {
    let mut conn = connect(server, "postgres").await?;
    let mut markers = markers(&mut conn, admin).await?;
    markers.extend(known);
    let databases = sqlx::query(
        "SELECT datname::text FROM pg_database d
         WHERE pg_get_userbyid(datdba) = $2
            OR EXISTS (SELECT FROM unnest($1::text[]) AS ours (marker)
                       WHERE starts_with(shobj_description(d.oid, 'pg_database'), ours.marker))",
    )
    .bind(&markers)
    .bind(admin)
    .fetch_all(&mut conn)
    .await?;
    for row in databases {
        let name: String = row.try_get(0)?;
        run(
            &mut conn,
            &format!("ALTER DATABASE \"{name}\" IS_TEMPLATE false"),
        )
        .await?;
        run(&mut conn, &format!("DROP DATABASE \"{name}\" WITH (FORCE)")).await?;
    }
    let roles = sqlx::query(
        "SELECT rolname::text FROM pg_roles r
         WHERE EXISTS (SELECT FROM unnest($1::text[]) AS ours (marker)
                       WHERE starts_with(shobj_description(r.oid, 'pg_authid'), ours.marker))",
    )
    .bind(&markers)
    .fetch_all(&mut conn)
    .await?;
    let mut names = vec![admin.to_owned()];
    for row in roles {
        names.push(row.try_get(0)?);
    }
    run(
        &mut conn,
        &format!("DROP ROLE \"{}\"", names.join("\", \"")),
    )
    .await?;
    Ok(conn.close().await?)
}

impl Drop for TestCluster {
    fn drop(&mut self) {
        let (server, admin) = (self.server.clone(), self.admin.clone());
        let known = self.known.take();
        // The test's own runtime can't be waited on from here, so a thread brings another one.
        let cleaned = std::thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?
                .block_on(clean_up(&server, &admin, known))
        })
        .join();
        if !matches!(cleaned, Ok(Ok(()))) {
            eprintln!("something of {} is left over: {cleaned:?}", self.admin);
        }
    }
}
