//! However many tenants there are, no more connections are open than the bounds, each queue is
//! served in order, and what is idle is closed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tenantry_store::StoreError;
use tenantry_testkit::cluster::number;

use super::{Yard, narrow, sessions, until};

#[tokio::test(flavor = "multi_thread")]
async fn many_tenants_share_few_connections() {
    let yard = Arc::new(Yard::with(narrow(3, 2)).await);
    let tenants = yard.tenants(8).await;
    let over = Arc::new(AtomicBool::new(false));
    let most = {
        let (yard, over) = (Arc::clone(&yard), Arc::clone(&over));
        tokio::spawn(async move {
            let mut most = 0;
            while !over.load(Ordering::SeqCst) {
                most = most.max(yard.pools.connection_count());
                tokio::task::yield_now().await;
            }
            most
        })
    };
    let mut tasks = tokio::task::JoinSet::new();
    for round in 0..6 {
        for ctx in &tenants {
            let (yard, ctx) = (Arc::clone(&yard), ctx.clone());
            tasks.spawn(async move { (round, yard.owners(&ctx).await.unwrap()) });
        }
    }
    assert!(
        tasks
            .join_all()
            .await
            .iter()
            .all(|(_, owners)| *owners == 0)
    );
    over.store(true, Ordering::SeqCst);
    assert_eq!(most.await.unwrap(), 3, "the bound is used, and kept");
    yard.pools.close_all().await;
    until("all are closed", async || {
        yard.pools.connection_count() == 0
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_used_again() {
    let yard = Yard::with(narrow(4, 2)).await;
    let ctx = yard.tenant("acme").await;
    let pid = async || {
        let mut tx = yard.pools.begin(&ctx).await.unwrap();
        let owners = tx.users().count_owners().await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(owners, 0);
        yard.pools.connection_count()
    };
    for _ in 0..5 {
        assert_eq!(pid().await, 1);
    }
    assert_eq!(sessions(&ctx).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_tenants_storm_leaves_room_for_the_others() {
    let yard = Arc::new(Yard::with(narrow(3, 2)).await);
    let (storm, calm) = (yard.tenant("storm").await, yard.tenant("calm").await);
    // All that the storm may have is held, and more of it waits.
    let first = yard.pools.begin(&storm).await.unwrap();
    let second = yard.pools.begin(&storm).await.unwrap();
    let waiting = {
        let (yard, storm) = (Arc::clone(&yard), storm.clone());
        tokio::spawn(async move { yard.owners(&storm).await })
    };
    let started = Instant::now();
    assert_eq!(yard.owners(&calm).await.unwrap(), 0);
    assert!(started.elapsed() < Duration::from_secs(4), "it had to wait");
    assert!(!waiting.is_finished());
    drop((first, second));
    assert_eq!(waiting.await.unwrap().unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_too_long_is_told_that_it_is_busy() {
    let mut bounds = narrow(1, 1);
    // Also how long the first connection may take, beside other tests.
    bounds.wait = Duration::from_secs(1);
    let yard = Yard::with(bounds).await;
    let (acme, globex) = (yard.tenant("acme").await, yard.tenant("globex").await);
    let held = yard.pools.begin(&acme).await.unwrap();
    for ctx in [&acme, &globex] {
        match yard.owners(ctx).await {
            Err(StoreError::Busy) => {}
            other => panic!("{other:?}"),
        }
    }
    drop(held);
    assert_eq!(yard.owners(&globex).await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_idle_is_closed() {
    let yard = Yard::with(narrow(4, 2)).await;
    let (acme, globex) = (yard.tenant("acme").await, yard.tenant("globex").await);
    yard.owners(&acme).await.unwrap();
    yard.owners(&globex).await.unwrap();
    // What only read is given back aside.
    until("both are back", async || sessions(&acme).await == 1).await;
    yard.bench.time.advance(Duration::from_secs(50));
    let mut tx = yard.pools.begin(&globex).await.unwrap();
    tx.users().count_owners().await.unwrap();
    tx.commit().await.unwrap();
    yard.bench.time.advance(Duration::from_secs(20));
    assert_eq!(yard.pools.close_idle().await, 1);
    until("the idle session ends", async || sessions(&acme).await == 0).await;
    assert_eq!(sessions(&globex).await, 1);
    yard.pools.close(globex.id(), super::FIRST).await;
    until("the closed one ends", async || sessions(&globex).await == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_full_is_no_ones_fault_but_its_own() {
    let yard = Yard::with(narrow(4, 2)).await;
    let ctx = yard.tenant("acme").await;
    let role =
        tenantry_store::cluster::Placement::new(ctx.id(), super::FIRST, ctx.tenant().isolation)
            .role(tenantry_store::cluster::RoleKind::Login(
                tenantry_store::cluster::Login::Service,
            ));
    let limit = async |most: i32| {
        let sql = format!("ALTER ROLE \"{}\" CONNECTION LIMIT {most}", role.as_str());
        tenantry_testkit::cluster::superuser(&sql).await.unwrap();
    };
    yard.pools.close(ctx.id(), super::FIRST).await;
    until("nobody is connected", async || sessions(&ctx).await == 0).await;
    limit(0).await;
    let error = yard.owners(&ctx).await.unwrap_err();
    assert!(error.is_transient(), "{error:?}");
    assert_eq!(yard.pools.connection_count(), 0, "a place is lost");
    limit(20).await;
    assert_eq!(yard.owners(&ctx).await.unwrap(), 0);
    let there = number("SELECT 1::bigint").await.unwrap();
    assert_eq!(there, 1);
}
