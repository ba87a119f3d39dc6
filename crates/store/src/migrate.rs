//! The schema of each database: plain SQL, forward only, embedded in the program.

use std::borrow::Cow;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::postgres::{PgConnection, PgPool};

use crate::{Db, StoreError};

/// The table that remembers which migrations ran. Not sqlx's default, which an application that
/// shares the database may use for its own.
const TABLE: &str = "tenantry_migrations";

macro_rules! migrations {
    ($set:literal: $($version:literal $name:literal),+ $(,)?) => {
        [$((
            $version,
            $name,
            include_str!(concat!("../migrations/", $set, "/sqlite/", $name, ".sql")),
            include_str!(concat!("../migrations/", $set, "/postgres/", $name, ".sql")),
        )),+]
    };
}

type Entry = (i64, &'static str, &'static str, &'static str);

const CONTROL: &[Entry] = &migrations!("control":
    1 "0001_registry", 2 "0002_people", 3 "0003_work", 4 "0004_clusters",
    6 "0006_reconciler", 7 "0007_webhooks", 8 "0008_adopted", 9 "0009_audit",
    10 "0010_people", 11 "0011_password_rules", 12 "0012_domains", 13 "0013_applications",
    14 "0014_devices", 15 "0015_brand", 16 "0016_key_rotation", 18 "0018_nodes", 17 "0017_sessions", 19 "0019_answers_and_proofs",
    20 "0020_session_limit", 21 "0021_session_pin",
    22 "0022_session_switches");
const TENANT: &[Entry] = &migrations!("tenant": 1 "0001_people", 2 "0002_ways_in");

/// The version of a tenant's schema that this program needs.
pub const TENANT_SCHEMA: i64 = TENANT[TENANT.len() - 1].0;

fn migrator(entries: &[Entry], postgres: bool) -> Migrator {
    let migrations = entries
        .iter()
        .map(|(version, name, sqlite, server)| {
            let sql = sqlx::SqlSafeStr::into_sql_str(if postgres { *server } else { *sqlite });
            Migration::new(
                *version,
                Cow::Borrowed(*name),
                MigrationType::Simple,
                sql,
                false,
            )
        })
        .collect();
    let mut migrator = Migrator::with_migrations(migrations);
    migrator.dangerous_set_table_name(TABLE);
    migrator
}

async fn run(db: &Db, entries: &[Entry]) -> Result<(), StoreError> {
    match db {
        Db::Sqlite { writer, .. } => {
            // Under the write lock from before the first look: sqlx has no lock of its own here
            // as it has on a server, and two programs that start at once would both find nothing.
            let mut tx = writer.begin_with("BEGIN IMMEDIATE").await?;
            let migrator = migrator(entries, false);
            let migrated = migrator.run_direct(None, &mut *tx, false).await;
            migrated.map_err(StoreError::Migrate)?;
            tx.commit().await?;
        }
        Db::Postgres(pool) => {
            let migrated = migrator(entries, true).run(pool).await;
            migrated.map_err(StoreError::Migrate)?;
        }
    }
    Ok(())
}

/// Brings the control database's schema up to date.
pub(crate) async fn control(db: &Db) -> Result<(), StoreError> {
    run(db, CONTROL).await?;
    if let Db::Postgres(pool) = db {
        close_to_others(pool).await?;
    }
    Ok(())
}

/// Shuts the control database to whoever else has a login on its server. Everybody may connect to a
/// new database (PostgreSQL manual, section 5.8), and a tenant's application whose database is on the
/// same server could hear what nodes tell each other, and shout between. Only the owner can take that
/// back; where we are not, the operator is told.
async fn close_to_others(pool: &PgPool) -> Result<(), StoreError> {
    const IS_OPEN: &str = "SELECT has_database_privilege('public', current_database(), 'CONNECT')";
    const CLOSE: &str = "DO $$ BEGIN
        EXECUTE format('REVOKE CONNECT, TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
    END $$";
    let is_open = || sqlx::query_scalar::<_, bool>(IS_OPEN).fetch_one(pool);
    if !is_open().await? {
        return Ok(());
    }
    // Two that start at once may meet here; what counts is what came of it.
    let closing = sqlx::query(CLOSE).execute(pool).await;
    if is_open().await? {
        tracing::warn!(
            error = closing.err().map(tracing::field::display),
            "every login of the server may connect to the control database, those of tenants' \
             applications too; as its owner, REVOKE CONNECT, TEMPORARY ON DATABASE ... FROM PUBLIC"
        );
    }
    Ok(())
}

/// Brings a tenant's tables on a server up to date inside a transaction, in the schema that the
/// search path begins with. Takes no lock of sqlx's, which would be held for the whole database and
/// given back before the transaction ends; keeping others from doing the same is the caller's.
pub(crate) async fn tenant_within(conn: &mut PgConnection) -> Result<(), StoreError> {
    let mut migrator = migrator(TENANT, true);
    migrator.set_locking(false);
    let migrated = migrator.run_direct(None, conn, false).await;
    migrated.map_err(StoreError::Migrate)
}

/// Brings a tenant database's schema up to date.
pub(crate) async fn tenant(db: &Db) -> Result<(), StoreError> {
    run(db, TENANT).await
}
