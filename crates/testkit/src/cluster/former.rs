//! A database that an application made for itself, long before this program came to the server.

use std::hash::{BuildHasher as _, RandomState};
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use super::{Session, TestCluster, superuser};
use crate::services::environment;

/// What the application had made: tables with rows, and people with the hashes of two kinds.
const TABLES: &str = r#"
    CREATE TABLE "Diagrams" (id serial PRIMARY KEY, title text NOT NULL, body jsonb);
    INSERT INTO "Diagrams" (title, body) VALUES ('Order', '{"a": [1, 2]}'), ('It''s "quoted"', NULL);
    CREATE VIEW titles AS SELECT title FROM "Diagrams";
    CREATE SCHEMA archive;
    CREATE TABLE archive.old (id uuid PRIMARY KEY, at timestamptz);
    INSERT INTO archive.old VALUES ('00000000-0000-0000-0000-000000000001', '2001-02-03 04:05:06+00');
    CREATE TYPE kind AS ENUM ('owner', 'admin', 'user');
    CREATE TABLE users (nr serial PRIMARY KEY, mail varchar(200), login text, "Full Name" text,
                        kind kind, pw text, locked_since timestamptz);
    INSERT INTO users (mail, login, "Full Name", kind, pw, locked_since) VALUES
        ('grace@example.org', 'grace', 'Grace Hopper', 'admin', '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc', NULL),
        ('alan@example.org', 'alan', 'Alan Turing', 'user', '$1$abcdefgh$G4KYU6kWMWWkKZAEyGZGI/', NULL),
        ('mallory@example.org', NULL, NULL, 'owner', NULL, '2020-01-01 00:00:00+00'),
        ('GRACE@example.org', 'other', NULL, 'user', NULL, NULL),
        ('no address', NULL, NULL, 'user', NULL, NULL),
        (NULL, NULL, NULL, 'user', NULL, NULL),
        ('joan@example.org', 'Alan', 'Joan Clarke', NULL, '', NULL);
"#;

/// The password behind the hash that can be compared.
pub const FORMER_PASSWORD: &str = "password";

/// The mapping of the columns of [`FormerDatabase`]'s people.
pub const FORMER_MAP: &str = "email=mail,username=login,full_name=Full Name,role=kind,password_hash=pw,disabled=locked_since";

/// A database with an owner of its own. Stays until it is [dropped](Self::drop).
pub struct FormerDatabase {
    /// The role that it belongs to.
    pub owner: String,
    /// Its name.
    pub name: String,
    server: String,
}

/// Quoted as a statement needs it.
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

impl FormerDatabase {
    /// A database whose name begins like this, with tables, rows and people, that the cluster's
    /// admin may make schemas in and read the people of.
    pub async fn start(cluster: &TestCluster, name: &str) -> Result<Self> {
        let database = Self::bare(cluster, name).await?;
        let admin = cluster.admin();
        let mut owner = database.session().await?;
        owner.run(TABLES).await?;
        owner
            .run(&format!(
                "GRANT USAGE ON SCHEMA public TO {admin}; GRANT SELECT ON users TO {admin};
                 GRANT CREATE, CONNECT ON DATABASE {} TO {admin}",
                quoted(&database.name)
            ))
            .await?;
        Ok(database)
    }

    /// An empty database whose name begins like this, and of which the admin knows nothing.
    pub async fn bare(cluster: &TestCluster, name: &str) -> Result<Self> {
        // The hasher's keys are random for each process, and differ from one to the next.
        let seed = format!("{:08x}", RandomState::new().hash_one(name) >> 32);
        let owner = format!("app_{seed}");
        let mut end = name.len().min(63 - seed.len());
        while !name.is_char_boundary(end) {
            end -= 1;
        }
        let name = format!("{}{seed}", &name[..end]);
        superuser(&format!("CREATE ROLE {owner} LOGIN PASSWORD 'app'")).await?;
        superuser(&format!(
            "CREATE DATABASE {} OWNER {owner} TEMPLATE template0 ENCODING 'UTF8'",
            quoted(&name)
        ))
        .await?;
        Ok(Self {
            owner,
            name,
            server: cluster.server.clone(),
        })
    }

    /// The application inside its database.
    pub async fn session(&self) -> Result<Session> {
        let options: sqlx::postgres::PgConnectOptions = self.server.parse()?;
        let options = options.username(&self.owner).password("app");
        Ok(Session::open(options.database(&self.name)).await?)
    }

    /// All that is in it, and who may do what there, as text.
    pub async fn dump(&self) -> Result<String> {
        let binaries = environment("TENANTRY_TEST_POSTGRES_BINARIES")
            .context("run the test under `cargo xtask services`")?;
        let mut url = url::Url::parse(&self.server)?;
        url.path_segments_mut()
            .map_err(|()| anyhow::anyhow!("the server's URL has no path"))?
            .clear()
            .push(&self.name);
        let url = url.to_string();
        let dumped = tokio::task::spawn_blocking(move || {
            Command::new(PathBuf::from(binaries).join("pg_dump"))
                .args(["--create", "--no-sync", "--dbname", &url])
                .output()
        })
        .await??;
        ensure!(dumped.status.success(), "pg_dump: {dumped:?}");
        let text = String::from_utf8(dumped.stdout)?;
        // Newer versions put a random word there.
        let lines = text
            .lines()
            .filter(|line| !line.starts_with("\\restrict") && !line.starts_with("\\unrestrict"));
        let catalogue = super::texts(&format!(
            "SELECT row(datdba, datacl, datallowconn, datconnlimit, shobj_description(oid, 'pg_database'))::text
             FROM pg_database WHERE datname = '{}'",
            self.name.replace('\'', "''")
        ))
        .await?;
        Ok(lines
            .chain(catalogue.iter().map(String::as_str))
            .collect::<Vec<_>>()
            .join("\n"))
    }

    /// Drops it with all that is in it, and its owner.
    pub async fn drop(self) -> Result<()> {
        superuser(&format!(
            "DROP DATABASE {} WITH (FORCE)",
            quoted(&self.name)
        ))
        .await?;
        superuser(&format!("DROP ROLE {}", self.owner)).await
    }
}
