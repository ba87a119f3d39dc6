//! A control database and tenant databases of either driver, made for one test and gone with it.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use sqlx::AssertSqlSafe;
use tempfile::TempDir;
use tenantry_core::tenant::{DatabaseState, Driver, Isolation, Registration, Tenant};
use tenantry_core::{Generation, TenantId, TenantStatus, Timestamp};
use tenantry_store::control::{ControlUrl, DatabaseRecord};
use tenantry_store::tenant::{Direct, TENANT_SCHEMA};
use tenantry_store::{Control, ControlTx, Db, StoreError, TenantTx};
use tenantry_testkit::ManualClock;
use tenantry_testkit::services::{FreshDatabase, fresh_database};
use uuid::Uuid;

/// Which driver a test runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

/// Runs each of these functions on both drivers, as a test of its own.
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {$(
            #[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name(crate::support::Dialect::Sqlite).await;
            }
        )+}
        mod postgres {$(
            #[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name(crate::support::Dialect::Postgres).await;
            }
        )+}
    };
}

/// One statement in a transaction of its own.
macro_rules! apply {
    ($place:expr, $($call:tt)+) => {{
        let mut tx = $place.begin().await.unwrap();
        let outcome = tx.$($call)+.await.unwrap();
        tx.commit().await.unwrap();
        outcome
    }};
}

/// One statement on a connection that only reads.
macro_rules! look {
    ($place:expr, $($call:tt)+) => {{
        let mut tx = $place.read().await.unwrap();
        tx.$($call)+.await.unwrap()
    }};
}

/// One statement that the database is to refuse; what the refusal means.
macro_rules! refused {
    ($place:expr, $($call:tt)+) => {{
        let mut tx = $place.begin().await.unwrap();
        let outcome = tx.$($call)+.await;
        outcome.expect_err("this is to be refused").kind()
    }};
}

/// A control database with a clock that stands still.
pub(crate) struct Bench {
    pub(crate) control: Control,
    pub(crate) time: ManualClock,
    pub(crate) dialect: Dialect,
    url: ControlUrl,
    counter: AtomicU64,
    databases: Mutex<Vec<FreshDatabase>>,
    folder: TempDir,
}

impl Bench {
    pub(crate) async fn open(dialect: Dialect) -> Self {
        let folder = TempDir::new().unwrap();
        let mut databases = Vec::new();
        let url = match dialect {
            Dialect::Sqlite => ControlUrl::Sqlite(folder.path().join("control.db")),
            Dialect::Postgres => {
                databases.push(fresh_database().await.unwrap());
                ControlUrl::Postgres(databases[0].url().to_owned())
            }
        };
        Self {
            control: Control::open(&url).await.unwrap(),
            time: ManualClock::default(),
            dialect,
            url,
            counter: AtomicU64::new(0),
            databases: Mutex::new(databases),
            folder,
        }
    }

    /// The same control database as another process would open it.
    pub(crate) async fn another(&self) -> Control {
        Control::open(&self.url).await.unwrap()
    }

    pub(crate) const fn url(&self) -> &ControlUrl {
        &self.url
    }

    pub(crate) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    pub(crate) async fn begin(&self) -> Result<ControlTx, StoreError> {
        self.control.begin().await
    }

    pub(crate) async fn read(&self) -> Result<ControlTx, StoreError> {
        self.control.read().await
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.time.now()
    }

    fn count(&self) -> u64 {
        self.counter.fetch_add(1, Ordering::SeqCst)
    }

    /// A fresh id, greater than all before.
    pub(crate) fn uuid(&self) -> Uuid {
        Uuid::from_u128(0x0199_0000_0000_7000_8000_0000_0000_0000 + u128::from(self.count()))
    }

    /// Fresh 32 bytes.
    pub(crate) fn hash(&self) -> [u8; 32] {
        let mut hash = [0xA5; 32];
        hash[..8].copy_from_slice(&self.count().to_be_bytes());
        hash
    }

    /// A tenant in the making, not written yet.
    pub(crate) fn draft(&self, slug: &str, number: i64) -> Tenant {
        Tenant {
            id: TenantId::from_uuid(self.uuid()),
            slug: slug.parse().unwrap(),
            number,
            name: format!("The {slug} company"),
            status: TenantStatus::Provisioning,
            generation: Generation::FIRST,
            isolation: Isolation::Database,
            registration: Registration::Closed,
            verify_email: true,
            password_min: None,
            colour: None,
            logo: None,
            created_at: self.now(),
            deleted_at: None,
            purge_at: None,
        }
    }

    /// A tenant in the making, with a pending database record.
    pub(crate) async fn tenant(&self, slug: &str) -> Tenant {
        let mut tx = self.begin().await.unwrap();
        let number = tx.tenants().next_number().await.unwrap();
        let tenant = self.draft(slug, number);
        assert!(tx.tenants().add(&tenant).await.unwrap());
        let record = record(&tenant, Generation::FIRST);
        tx.databases().add(&record, self.now()).await.unwrap();
        tx.commit().await.unwrap();
        tenant
    }

    /// A tenant in use.
    pub(crate) async fn active_tenant(&self, slug: &str) -> Tenant {
        let tenant = self.tenant(slug).await;
        self.activate(&tenant, Generation::FIRST).await;
        look!(self, tenants().lookup(tenant.id)).unwrap()
    }

    /// Verifies the database record of a generation and puts the tenant in use.
    pub(crate) async fn activate(&self, tenant: &Tenant, generation: Generation) {
        let mut tx = self.begin().await.unwrap();
        let mut databases = tx.databases();
        let verified = databases
            .mark_verified(tenant.id, generation, TENANT_SCHEMA, self.now())
            .await;
        assert!(verified.unwrap());
        assert!(tx.tenants().activate(tenant.id, generation).await.unwrap());
        tx.commit().await.unwrap();
    }

    /// A statement as somebody at the database's own prompt would give it; `$1` is the id.
    pub(crate) async fn raw(&self, sql: &str, id: Uuid) -> Result<u64, StoreError> {
        raw(self.control.db(), sql, id).await
    }

    /// An empty database of the same driver.
    pub(crate) async fn database(&self) -> Db {
        match self.dialect {
            Dialect::Sqlite => {
                let path = self.folder().join(format!("people-{}.db", self.count()));
                std::fs::File::create(&path).unwrap();
                Db::sqlite(&path, 2)
            }
            Dialect::Postgres => {
                let database = fresh_database().await.unwrap();
                let db = Db::postgres(database.url(), 4).unwrap();
                self.databases.lock().unwrap().push(database);
                db
            }
        }
    }

    /// A tenant's database with nobody in it.
    pub(crate) async fn people(&self) -> People {
        let db = self.database().await;
        let tenant = TenantId::from_uuid(self.uuid());
        People::of(db, tenant, Generation::FIRST).await
    }
}

/// A tenant's database.
pub(crate) struct People {
    direct: Direct,
    pub(crate) db: Db,
    pub(crate) tenant: TenantId,
}

impl People {
    /// The database as one generation of one tenant sees it.
    pub(crate) async fn of(db: Db, tenant: TenantId, generation: Generation) -> Self {
        Self {
            direct: Direct::migrate(db.clone(), tenant, generation)
                .await
                .unwrap(),
            db,
            tenant,
        }
    }

    pub(crate) async fn begin(&self) -> Result<TenantTx, StoreError> {
        self.direct.begin().await
    }
}

/// The pending database record of a tenant's generation.
pub(crate) fn record(tenant: &Tenant, generation: Generation) -> DatabaseRecord {
    DatabaseRecord {
        tenant: tenant.id,
        generation,
        driver: Driver::Sqlite,
        cluster: "local".to_owned(),
        name: tenantry_store::files::database_name(tenant.id, generation),
        state: DatabaseState::Pending,
        schema_version: None,
        verified_at: None,
    }
}

/// A statement of the test's own; `$1` is the id.
pub(crate) async fn raw(db: &Db, sql: &str, id: Uuid) -> Result<u64, StoreError> {
    let sql = AssertSqlSafe(sql.to_owned());
    Ok(match db {
        Db::Sqlite { writer, .. } => sqlx::query(sql)
            .bind(id)
            .execute(writer)
            .await?
            .rows_affected(),
        Db::Postgres(pool) => sqlx::query(sql)
            .bind(id)
            .execute(pool)
            .await?
            .rows_affected(),
    })
}

/// Statements of the test's own without parameters, several at once if need be.
pub(crate) async fn script(db: &Db, sql: &str) -> Result<(), StoreError> {
    let sql = AssertSqlSafe(sql.to_owned());
    match db {
        Db::Sqlite { writer, .. } => sqlx::raw_sql(sql).execute(writer).await.map(drop)?,
        Db::Postgres(pool) => sqlx::raw_sql(sql).execute(pool).await.map(drop)?,
    }
    Ok(())
}

/// Opens the connections of a pool, so that what follows does not wait for a handshake.
pub(crate) async fn warm(db: &Db, connections: usize) {
    let mut open = Vec::new();
    match db {
        Db::Sqlite { .. } => drop(db.begin().await.unwrap()),
        Db::Postgres(_) => {
            for _ in 0..connections {
                open.push(db.read().await.unwrap());
            }
        }
    }
}

/// The one number that a statement of the test's own gives.
pub(crate) async fn number(db: &Db, sql: &str) -> i64 {
    let sql = AssertSqlSafe(sql.to_owned());
    match db {
        Db::Sqlite { writer, .. } => sqlx::query_scalar(sql).fetch_one(writer).await.unwrap(),
        Db::Postgres(pool) => sqlx::query_scalar(sql).fetch_one(pool).await.unwrap(),
    }
}
