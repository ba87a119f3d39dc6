//! Bringing schemas up to date: again and again, at once, beside an application's tables, and
//! never backwards.

use tenantry_core::{Generation, TenantId};
use tenantry_store::tenant::{Direct, TENANT_SCHEMA};
use tenantry_store::{Control, StoreError};

use crate::support::{Bench, Dialect, People, number, script};

on_both! {
    a_second_run_changes_nothing,
    many_may_start_at_once,
    a_newer_schema_is_refused,
    a_changed_migration_is_refused,
    an_applications_tables_are_left_alone,
}

const RAN: &str = "SELECT COUNT(*) FROM tenantry_migrations";

async fn a_second_run_changes_nothing(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let before = number(bench.control.db(), RAN).await;
    assert!(before > 0);
    assert_eq!(apply!(bench, tenants().next_number()), 1);
    bench.control.migrate().await.unwrap();
    let again = bench.another().await;
    assert_eq!(number(again.db(), RAN).await, before);
    assert_eq!(
        apply!(again, tenants().next_number()),
        2,
        "what was there is there"
    );
    let over = Control::over(again.db().clone());
    assert_eq!(apply!(over, tenants().next_number()), 3);
    let people = bench.people().await;
    let before = number(&people.db, RAN).await;
    People::of(people.db.clone(), people.tenant, Generation::FIRST).await;
    assert_eq!(number(&people.db, RAN).await, before);
}

async fn many_may_start_at_once(dialect: Dialect) {
    for _ in 0..5 {
        let bench = Bench::open(dialect).await;
        // A server's database that nothing was done to yet; a file that does not exist yet.
        let (url, _database) = match dialect {
            Dialect::Sqlite => {
                let path = bench.folder().join("first/start.db");
                (tenantry_store::control::ControlUrl::Sqlite(path), None)
            }
            Dialect::Postgres => {
                let database = tenantry_testkit::services::fresh_database().await.unwrap();
                let url = database.url().parse().unwrap();
                (url, Some(database))
            }
        };
        let starts: Vec<_> = (0..4)
            .map(|_| {
                let url = url.clone();
                tokio::spawn(async move { Control::open(&url).await })
            })
            .collect();
        for start in starts {
            let control = start.await.unwrap().unwrap();
            look!(control, instance().ping());
            control.close().await;
        }
    }
}

async fn a_newer_schema_is_refused(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let people = bench.people().await;
    for db in [bench.control.db(), &people.db] {
        let newer = match dialect {
            Dialect::Sqlite => "9999, 'from the future', 1, x'00', 1",
            Dialect::Postgres => "9999, 'from the future', true, '\\x00', 1",
        };
        let newer = format!(
            "INSERT INTO tenantry_migrations (version, description, success, checksum, execution_time) VALUES ({newer})"
        );
        script(db, &newer).await.unwrap();
    }
    let refused = Control::open(bench.url()).await.err().unwrap();
    assert!(matches!(refused, StoreError::Migrate(_)), "{refused:?}");
    let tenant = TenantId::from_uuid(bench.uuid());
    let refused = Direct::migrate(people.db.clone(), tenant, Generation::FIRST).await;
    assert!(matches!(refused, Err(StoreError::Migrate(_))));
}

async fn a_changed_migration_is_refused(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let other = match dialect {
        Dialect::Sqlite => "x'00'",
        Dialect::Postgres => "'\\x00'",
    };
    let change = format!("UPDATE tenantry_migrations SET checksum = {other} WHERE version = 1");
    script(bench.control.db(), &change).await.unwrap();
    let refused = Control::open(bench.url()).await.err().unwrap();
    assert!(matches!(refused, StoreError::Migrate(_)), "{refused:?}");
}

async fn an_applications_tables_are_left_alone(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let db = bench.database().await;
    script(
        &db,
        "CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT);
         INSERT INTO _sqlx_migrations VALUES (1, 'theirs'), (77, 'theirs');
         CREATE TABLE users (id BIGINT PRIMARY KEY, email TEXT); INSERT INTO users VALUES (5, 'x');
         CREATE TABLE stamp (a BIGINT); CREATE TABLE one_time_secrets (a BIGINT);
         CREATE TABLE migrations (a BIGINT)",
    )
    .await
    .unwrap();
    let tenant = TenantId::from_uuid(bench.uuid());
    let people = People::of(db.clone(), tenant, Generation::FIRST).await;
    assert!(apply!(people, stamps().set(1, bench.now())));
    assert_eq!(
        number(&db, "SELECT COUNT(*) FROM _sqlx_migrations").await,
        2
    );
    assert_eq!(
        number(&db, "SELECT COUNT(*) FROM users WHERE email = 'x'").await,
        1
    );
    assert_eq!(number(&db, RAN).await, TENANT_SCHEMA);
}

/// A tenant's application has a login on the same server.
#[tokio::test]
async fn other_logins_of_the_server_stay_outside() {
    let bench = Bench::open(Dialect::Postgres).await;
    let open = "SELECT COUNT(*) FROM (SELECT 1) AS one
                WHERE has_database_privilege('public', current_database(), 'CONNECT')";
    assert_eq!(number(bench.control.db(), open).await, 0);
}
