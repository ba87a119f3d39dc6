//! A database is opened as what its stamp says it is, or not at all.

use std::fs;

use tenantry_core::TenantStatus;
use tenantry_store::tenant::TENANT_SCHEMA;
use tenantry_store::{Db, ErrorKind, StoreError, TenantCtx};

use super::{FIRST, House};
use crate::support::{number, script};

/// That neither reading nor writing gets a connection; the error of reading.
async fn refused(house: &House, ctx: &TenantCtx) -> StoreError {
    assert!(house.pools.begin(ctx).await.is_err());
    let error = house
        .pools
        .read(ctx)
        .await
        .err()
        .expect("this is to be refused");
    assert_eq!(
        house.pools.open_count(),
        0,
        "what is wrong does not stay open"
    );
    error
}

/// Changes a file as something else than this program would.
async fn change(house: &House, ctx: &TenantCtx, sql: &str) {
    let db = Db::sqlite(&house.path(ctx), 1);
    script(&db, sql).await.unwrap();
    db.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_right_file_is_served() {
    let house = House::with(4, 1).await;
    let acme = house.tenant("acme").await;
    let ada = house.add_person(&acme, "ada@example.com").await.unwrap();
    assert_eq!(house.people(&acme).await.unwrap(), [ada]);
    assert_eq!(house.pools.open_count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_file_is_told() {
    let house = House::with(4, 1).await;
    let acme = house.tenant("acme").await;
    fs::remove_file(house.path(&acme)).unwrap();
    let error = refused(&house, &acme).await;
    assert!(matches!(error, StoreError::DatabaseMissing), "{error:?}");
    assert!(!house.path(&acme).exists(), "opening makes no file");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_goes_while_open_is_not_served() {
    let house = House::with(4, 1).await;
    let acme = house.tenant("acme").await;
    house.people(&acme).await.unwrap();
    fs::remove_file(house.path(&acme)).unwrap();
    assert!(matches!(
        house.pools.begin(&acme).await,
        Err(StoreError::DatabaseMissing)
    ));
    assert!(matches!(
        house.pools.read(&acme).await,
        Err(StoreError::DatabaseMissing)
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_without_sense_is_not_served() {
    let house = House::with(4, 1).await;
    let acme = house.tenant("acme").await;
    fs::write(house.path(&acme), vec![7; 8192]).unwrap();
    assert_eq!(refused(&house, &acme).await.kind(), ErrorKind::Other);
    fs::write(house.path(&acme), "").unwrap();
    refused(&house, &acme).await;
    assert_eq!(
        fs::read(house.path(&acme)).unwrap().len(),
        0,
        "and not filled"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_without_a_stamp_is_not_served() {
    let house = House::with(4, 1).await;
    let acme = house.tenant("acme").await;
    change(&house, &acme, "DELETE FROM tenantry_stamp").await;
    let error = refused(&house, &acme).await;
    assert!(matches!(error, StoreError::Stamp { .. }), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_tenants_file_is_not_served() {
    let house = House::with(4, 1).await;
    let (acme, globex) = (house.tenant("acme").await, house.tenant("globex").await);
    fs::copy(house.path(&globex), house.path(&acme)).unwrap();
    let error = refused(&house, &acme).await;
    assert!(
        matches!(&error, StoreError::Stamp { found, .. } if found.contains(&globex.id().to_string()))
    );
    house.people(&globex).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_another_generation_is_not_served() {
    let house = House::with(4, 1).await;
    let acme = house.tenant("acme").await;
    change(&house, &acme, "UPDATE tenantry_stamp SET generation = 2").await;
    let error = refused(&house, &acme).await;
    assert!(matches!(error, StoreError::Stamp { .. }), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_right_given_for_an_earlier_generation_opens_nothing_later() {
    let house = House::with(4, 1).await;
    let acme = house.tenant("acme").await;
    let next = FIRST.next();
    let from = TenantStatus::Active;
    apply!(
        house.bench,
        tenants().begin_generation(acme.id(), from, FIRST)
    );
    house.pools.close(acme.id(), FIRST).await;
    let files = house.pools.files();
    files
        .create(acme.id(), next, house.bench.now())
        .await
        .unwrap();
    files.remove(acme.id(), FIRST).unwrap();
    assert!(matches!(
        refused(&house, &acme).await,
        StoreError::DatabaseMissing
    ));
    let record = crate::support::record(acme.tenant(), next);
    apply!(house.bench, databases().add(&record, house.bench.now()));
    house.bench.activate(acme.tenant(), next).await;
    let renewed = house.enter(acme.tenant()).await;
    assert_eq!(renewed.generation(), next);
    house.people(&renewed).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_swapped_while_open_is_not_served() {
    let house = House::with(4, 1).await;
    let (acme, globex) = (house.tenant("acme").await, house.tenant("globex").await);
    let ada = house.add_person(&acme, "ada@example.com").await.unwrap();
    house.add_person(&globex, "bob@example.com").await.unwrap();
    // Closed once, so that all is in the files and nothing in their logs.
    house.pools.close_all().await;
    assert_eq!(house.people(&acme).await.unwrap(), [ada]);
    let own = house.path(&acme).with_extension("own");
    fs::rename(house.path(&acme), &own).unwrap();
    fs::rename(house.path(&globex), house.path(&acme)).unwrap();
    for _ in 0..2 {
        let error = house
            .pools
            .begin(&acme)
            .await
            .err()
            .expect("it is another's");
        assert!(matches!(error, StoreError::Stamp { .. }), "{error:?}");
        assert!(matches!(
            house.pools.read(&acme).await,
            Err(StoreError::Stamp { .. })
        ));
    }
    fs::rename(&own, house.path(&acme)).unwrap();
    assert_eq!(
        house.people(&acme).await.unwrap(),
        [ada],
        "back again, it is served"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn many_meet_a_swapped_file_and_none_is_served() {
    let house = std::sync::Arc::new(House::with(4, 1).await);
    let (acme, globex) = (house.tenant("acme").await, house.tenant("globex").await);
    house.people(&acme).await.unwrap();
    fs::copy(
        house.path(&globex),
        house.path(&acme).with_extension("copy"),
    )
    .unwrap();
    fs::rename(house.path(&acme).with_extension("copy"), house.path(&acme)).unwrap();
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let (house, acme) = (std::sync::Arc::clone(&house), acme.clone());
            tokio::spawn(async move { house.people(&acme).await.is_ok() })
        })
        .collect();
    for task in tasks {
        assert!(!task.await.unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_schema_is_brought_up_to_date() {
    let house = House::with(4, 1).await;
    let acme = house.tenant("acme").await;
    // As before the first migration, but for the stamp itself, which that one makes.
    change(
        &house,
        &acme,
        "UPDATE tenantry_stamp SET schema_version = 0;
         CREATE TABLE kept AS SELECT * FROM tenantry_stamp;
         DROP TABLE tenantry_stamp; DROP TABLE tenantry_one_time_secrets; DROP TABLE tenantry_users;
         DELETE FROM tenantry_migrations;
         CREATE VIEW tenantry_stamp AS SELECT tenant_id, generation, schema_version FROM kept",
    )
    .await;
    let error = house
        .pools
        .begin(&acme)
        .await
        .err()
        .expect("a view is in the way of the table");
    assert!(
        matches!(error, StoreError::Migrate(_)),
        "it did migrate: {error:?}"
    );
    assert_eq!(house.pools.open_count(), 0);

    let globex = house.tenant("globex").await;
    change(
        &house,
        &globex,
        "UPDATE tenantry_stamp SET schema_version = 0",
    )
    .await;
    house.people(&globex).await.unwrap();
    let stamp = house
        .pools
        .files()
        .stamp(globex.id(), FIRST)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(stamp.schema_version, TENANT_SCHEMA);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_schema_is_not_served() {
    let house = House::with(4, 1).await;
    let acme = house.tenant("acme").await;
    change(
        &house,
        &acme,
        "UPDATE tenantry_stamp SET schema_version = 9999",
    )
    .await;
    let error = refused(&house, &acme).await;
    assert!(matches!(error, StoreError::Stamp { .. }), "{error:?}");
    let db = Db::sqlite(&house.path(&acme), 1);
    let version = number(&db, "SELECT schema_version FROM tenantry_stamp").await;
    assert_eq!(version, 9999, "and left as it is");
}
