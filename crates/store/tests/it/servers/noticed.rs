//! What happens to a tenant's database behind our back is noticed before anything is read from it.

use std::time::Duration;

use tenantry_store::cluster::{DatabaseName, Placement, RoleKind};
use tenantry_store::{StoreError, TenantCtx};
use tenantry_testkit::cluster::{in_database, superuser};

use super::{FIRST, Yard, narrow, sessions, until};

fn database(ctx: &TenantCtx) -> String {
    let placement = Placement::new(ctx.id(), FIRST, ctx.tenant().isolation);
    DatabaseName::own(placement).as_str().to_owned()
}

fn stamp_error(outcome: Result<i64, StoreError>) {
    match outcome {
        Err(StoreError::Stamp { .. }) => {}
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_swapped_stamp_is_seen_on_an_open_connection() {
    let yard = Yard::with(narrow(4, 2)).await;
    let (acme, globex) = (yard.tenant("acme").await, yard.tenant("globex").await);
    assert_eq!(yard.owners(&acme).await.unwrap(), 0);
    until("it is back", async || sessions(&acme).await == 1).await;
    let stamp = format!(
        "UPDATE tenantry.tenantry_stamp SET tenant_id = '{}'",
        globex.id()
    );
    in_database(&database(&acme), &stamp).await.unwrap();
    stamp_error(yard.owners(&acme).await);
    assert_eq!(yard.owners(&globex).await.unwrap(), 0);
    for broken in [
        "UPDATE tenantry.tenantry_stamp SET generation = 2",
        "DELETE FROM tenantry.tenantry_stamp",
        "DROP SCHEMA tenantry CASCADE",
    ] {
        in_database(&database(&acme), broken).await.unwrap();
        stamp_error(yard.owners(&acme).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_made_anew_by_hand_is_not_served() {
    let yard = Yard::with(narrow(4, 2)).await;
    let acme = yard.tenant("acme").await;
    assert_eq!(yard.owners(&acme).await.unwrap(), 0);
    let (name, owner) = (
        database(&acme),
        Placement::new(acme.id(), FIRST, acme.tenant().isolation).role(RoleKind::Owner),
    );
    superuser(&format!("DROP DATABASE \"{name}\" WITH (FORCE)"))
        .await
        .unwrap();
    match yard.owners(&acme).await {
        Err(StoreError::DatabaseMissing) => {}
        other => panic!("{other:?}"),
    }
    superuser(&format!(
        "CREATE DATABASE \"{name}\" OWNER \"{}\"",
        owner.as_str()
    ))
    .await
    .unwrap();
    stamp_error(yard.owners(&acme).await);
    yard.pools.close_all().await;
    superuser(&format!("DROP DATABASE \"{name}\" WITH (FORCE)"))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_that_the_server_ended_are_replaced() {
    let yard = Yard::with(narrow(4, 2)).await;
    let acme = yard.tenant("acme").await;
    let first = yard.pools.begin(&acme).await.unwrap();
    assert_eq!(yard.owners(&acme).await.unwrap(), 0);
    first.commit().await.unwrap();
    until("both are back", async || sessions(&acme).await == 2).await;
    let end = format!(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{}'",
        database(&acme)
    );
    superuser(&end).await.unwrap();
    assert_eq!(yard.owners(&acme).await.unwrap(), 0);
    assert_eq!(yard.pools.connection_count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_told_as_such() {
    let yard = Yard::with(narrow(4, 2)).await;
    let acme = yard.tenant("acme").await;
    let service = Placement::new(acme.id(), FIRST, acme.tenant().isolation)
        .role(RoleKind::Login(tenantry_store::cluster::Login::Service));
    superuser(&format!(
        "ALTER ROLE \"{}\" PASSWORD 'other'",
        service.as_str()
    ))
    .await
    .unwrap();
    match yard.owners(&acme).await {
        Err(StoreError::SignIn(_)) => {}
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_can_not_write_and_what_is_dropped_never_happened() {
    let yard = Yard::with(narrow(4, 2)).await;
    let acme = yard.tenant("acme").await;
    let mut reading = yard.pools.read(&acme).await.unwrap();
    let refused = reading.stamps().set(7, yard.bench.now()).await.unwrap_err();
    assert!(!refused.is_transient(), "{refused:?}");
    drop(reading);
    let mut writing = yard.pools.begin(&acme).await.unwrap();
    assert!(writing.stamps().set(1, yard.bench.now()).await.unwrap());
    drop(writing);
    // Given back in the background, clean.
    until("all is back", async || {
        let mut tx = yard.pools.begin(&acme).await.unwrap();
        let owners = tx.users().count_owners().await.unwrap();
        tx.commit().await.unwrap();
        owners == 0 && yard.pools.connection_count() <= 2
    })
    .await;
    yard.bench.time.advance(Duration::from_mins(2));
    until("all are closed", async || {
        yard.pools.close_idle().await;
        yard.bench.time.advance(Duration::from_mins(2));
        yard.pools.connection_count() == 0
    })
    .await;
}
