//! What an error means is told by its code: real errors of both databases, and errors in foreign
//! words.

use std::error::Error as _;
use std::time::Duration;

use sqlx::Connection as _;
use tenantry_store::{Db, ErrorKind, StoreError};
use tenantry_testkit::proxy::Proxy;
use tenantry_testkit::services::{PrivatePostgres, fresh_database, postgres};

use crate::support::{Bench, Dialect, script};

on_both! {
    refused_rows_are_told_apart,
    a_closed_pool_passes,
}

const TABLES: &str = "
    CREATE TABLE parent (id INTEGER PRIMARY KEY, one INTEGER UNIQUE, word TEXT NOT NULL CHECK (word <> 'no'));
    CREATE TABLE child (parent INTEGER REFERENCES parent (id));
    INSERT INTO parent VALUES (1, 1, 'yes');";

async fn kind(db: &Db, sql: &str) -> ErrorKind {
    script(db, sql).await.expect_err(sql).kind()
}

async fn refused_rows_are_told_apart(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let db = bench.database().await;
    script(&db, TABLES).await.unwrap();
    for (sql, wanted) in [
        ("INSERT INTO parent VALUES (1, 2, 'yes')", ErrorKind::Unique),
        ("INSERT INTO parent VALUES (2, 1, 'yes')", ErrorKind::Unique),
        (
            "INSERT INTO parent VALUES (2, 2, 'no')",
            ErrorKind::Constraint,
        ),
        (
            "INSERT INTO parent VALUES (2, 2, NULL)",
            ErrorKind::Constraint,
        ),
        ("INSERT INTO child VALUES (9)", ErrorKind::Constraint),
        (
            "INSERT INTO child VALUES (1); DELETE FROM parent",
            ErrorKind::Constraint,
        ),
        ("SELECT id FROM nothing", ErrorKind::Other),
        ("SELEKT", ErrorKind::Other),
    ] {
        assert_eq!(kind(&db, sql).await, wanted, "{sql}");
    }
}

async fn a_closed_pool_passes(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let db = bench.database().await;
    db.close().await;
    assert!(kind(&db, "SELECT 1").await == ErrorKind::Transient);
    assert!(db.begin().await.err().unwrap().is_transient());
    assert!(db.read().await.err().unwrap().is_transient());
}

/// A server's database with our own statement on one connection of it.
struct Server {
    db: Db,
    _database: tenantry_testkit::services::FreshDatabase,
}

impl Server {
    async fn fresh() -> Self {
        let database = fresh_database().await.unwrap();
        Self {
            db: Db::postgres(database.url(), 4).unwrap(),
            _database: database,
        }
    }
}

/// An error that says one thing and means another, as a server in another language would.
fn raise(code: &str, text: &str) -> String {
    format!("DO $$ BEGIN RAISE EXCEPTION '{text}' USING ERRCODE = '{code}'; END $$")
}

#[tokio::test(flavor = "multi_thread")]
async fn words_are_not_read() {
    let server = Server::fresh().await;
    for (code, wanted) in [
        ("23505", ErrorKind::Unique),
        ("23503", ErrorKind::Constraint),
        ("23514", ErrorKind::Constraint),
        ("23502", ErrorKind::Constraint),
        ("23P01", ErrorKind::Constraint),
        ("40001", ErrorKind::Transient),
        ("40P01", ErrorKind::Transient),
        ("55006", ErrorKind::Transient),
        ("55P03", ErrorKind::Transient),
        ("57014", ErrorKind::Transient),
        ("57P01", ErrorKind::Transient),
        ("57P03", ErrorKind::Transient),
        ("53300", ErrorKind::Transient),
        ("53200", ErrorKind::Transient),
        ("08006", ErrorKind::Transient),
        ("53100", ErrorKind::Storage),
        ("58030", ErrorKind::Storage),
        ("42P01", ErrorKind::Other),
        ("P0001", ErrorKind::Other),
    ] {
        for text in [
            "doppelter Schlüsselwert verletzt Unique-Constraint",
            "duplicate key value violates unique constraint",
            "UNIQUE constraint failed: database is locked",
            "canceling statement due to statement timeout",
        ] {
            assert_eq!(
                kind(&server.db, &raise(code, text)).await,
                wanted,
                "{code} {text}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_german_server_is_understood() {
    let german = PrivatePostgres::german().unwrap();
    let db = Db::postgres(german.url(), 1).unwrap();
    script(&db, TABLES).await.unwrap();
    let error = script(&db, "INSERT INTO parent VALUES (1, 2, 'yes')").await;
    let error = error.unwrap_err();
    assert!(error.is_unique());
    let said = error.source().map(ToString::to_string).unwrap_or_default();
    assert!(said.contains("doppelter Schlüsselwert"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_refuses_for_now_passes() {
    let server = Server::fresh().await;
    script(&server.db, TABLES).await.unwrap();
    let slow = "SET statement_timeout = 1; SELECT pg_sleep(60)";
    assert_eq!(kind(&server.db, slow).await, ErrorKind::Transient);
    let mut holder = server.db.begin().await.unwrap();
    lock(&mut holder).await.unwrap();
    let locked = "SELECT id FROM parent FOR UPDATE NOWAIT";
    assert_eq!(kind(&server.db, locked).await, ErrorKind::Transient);
    drop(holder);
    let suicide = "SELECT pg_terminate_backend(pg_backend_pid())";
    assert_eq!(kind(&server.db, suicide).await, ErrorKind::Transient);
    script(&server.db, "SELECT 1").await.unwrap();
}

async fn lock(tx: &mut tenantry_store::Tx) -> Result<(), sqlx::Error> {
    match tx.conn() {
        tenantry_store::Conn::Postgres(conn) => sqlx::raw_sql("UPDATE parent SET word = 'held'")
            .execute(&mut *conn)
            .await
            .map(drop),
        tenantry_store::Conn::Sqlite(conn) => sqlx::raw_sql("UPDATE parent SET word = 'held'")
            .execute(&mut *conn)
            .await
            .map(drop),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_can_not_be_reached_passes_and_a_missing_database_does_not() {
    // Port 1 is reserved (tcpmux), nobody listens there.
    let nowhere = Db::postgres("postgres://a:b@127.0.0.1:1/c", 1).unwrap();
    assert!(nowhere.read().await.err().unwrap().is_transient());
    // As what stands before servers does while there is none behind it.
    let proxy = Proxy::before(&postgres()).await.unwrap();
    proxy.set_gone(true);
    let hung_up = Db::postgres(proxy.url(), 1).unwrap();
    assert!(hung_up.read().await.err().unwrap().is_transient());
    let database = fresh_database().await.unwrap();
    let other = database.url().replace(database.name(), "no_such_database");
    let missing = Db::postgres(&other, 1).unwrap();
    assert_eq!(missing.read().await.err().unwrap().kind(), ErrorKind::Other);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_file_refuses_is_told_apart() {
    let bench = Bench::open(Dialect::Sqlite).await;
    let db = bench.database().await;
    script(&db, TABLES).await.unwrap();
    let full = "PRAGMA max_page_count = 1;
                CREATE TABLE much (b BLOB); INSERT INTO much VALUES (zeroblob(100000))";
    assert_eq!(kind(&db, full).await, ErrorKind::Storage);
    assert_eq!(
        kind(&db, "INSERT INTO parent VALUES ('a', 2, 'yes')").await,
        ErrorKind::Other
    );

    let garbage = bench.folder().join("garbage.db");
    std::fs::write(&garbage, vec![7; 8192]).unwrap();
    assert_eq!(
        kind(&Db::sqlite(&garbage, 1), "SELECT 1").await,
        ErrorKind::Other
    );
    // A file that can't be opened (SQLITE_CANTOPEN) is also what the service sees when it is out
    // of file descriptors.
    let missing = bench.folder().join("missing.db");
    assert_eq!(
        kind(&Db::sqlite(&missing, 1), "SELECT 1").await,
        ErrorKind::Storage
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_file_passes() {
    let bench = Bench::open(Dialect::Sqlite).await;
    let path = bench.folder().join("locked.db");
    std::fs::write(&path, "").unwrap();
    let db = Db::sqlite(&path, 1);
    script(&db, TABLES).await.unwrap();
    let _holder = db.begin().await.unwrap();
    let impatient = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(Duration::ZERO);
    let mut other = sqlx::SqliteConnection::connect_with(&impatient)
        .await
        .unwrap();
    let error = sqlx::raw_sql("INSERT INTO child VALUES (1)")
        .execute(&mut other)
        .await;
    assert!(StoreError::from(error.unwrap_err()).is_transient());
}
