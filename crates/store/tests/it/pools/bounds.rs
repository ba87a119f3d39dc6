//! However many tenants there are, no more databases are open than the bound, and none is closed
//! under a running transaction.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tenantry_store::{StoreError, TenantCtx};

use super::{FIRST, House, add_person};

/// Open file descriptors of this process that lead into the folder of the tenants.
fn descriptors(house: &House) -> usize {
    let folder = house.bench.folder().join("tenants").canonicalize().unwrap();
    fs::read_dir("/proc/self/fd")
        .unwrap()
        .filter_map(|entry| fs::read_link(entry.ok()?.path()).ok())
        .filter(|target| target.starts_with(&folder))
        .count()
}

async fn tenants(house: &House, count: usize) -> Vec<TenantCtx> {
    let mut tenants = Vec::with_capacity(count);
    for number in 0..count {
        tenants.push(house.tenant(&format!("tenant-{number}")).await);
    }
    tenants
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_tenants_share_four_places() {
    let house = House::with(4, 1).await;
    let tenants = tenants(&house, 50).await;
    for round in 0..2 {
        for ctx in &tenants {
            house
                .add_person(ctx, &format!("p{round}@example.com"))
                .await
                .unwrap();
            assert_eq!(house.people(ctx).await.unwrap().len(), round + 1);
            assert!(house.pools.open_count() <= 4);
            // A connection holds the file, its log and the shared memory; a database has a
            // writer and a reader.
            let open = descriptors(&house);
            assert!((1..=3 * 2 * 4).contains(&open), "{open} descriptors");
        }
    }
    house.pools.close_all().await;
    assert_eq!((house.pools.open_count(), descriptors(&house)), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_tenants_at_once_share_four_places() {
    let house = Arc::new(House::with(4, 1).await);
    let tenants = tenants(&house, 50).await;
    let over = Arc::new(AtomicBool::new(false));
    let watch = {
        let (house, over) = (Arc::clone(&house), Arc::clone(&over));
        let mut most = 0;
        tokio::spawn(async move {
            while !over.load(Ordering::SeqCst) {
                assert!(house.pools.open_count() <= 4);
                most = most.max(descriptors(&house));
                tokio::task::yield_now().await;
            }
            most
        })
    };
    let tasks: Vec<_> = tenants
        .into_iter()
        .map(|ctx| {
            let house = Arc::clone(&house);
            tokio::spawn(async move {
                for round in 0..4 {
                    let address = format!("p{round}@example.com");
                    patiently(&house, &ctx, &address).await;
                }
                (house.people(&ctx).await, ctx)
            })
        })
        .collect();
    for task in tasks {
        let (people, ctx) = task.await.unwrap();
        match people {
            Ok(people) => assert_eq!(people.len(), 4),
            Err(StoreError::Busy) => {}
            Err(other) => panic!("{}: {other:?}", ctx.tenant().slug),
        }
    }
    over.store(true, Ordering::SeqCst);
    let most = watch.await.unwrap();
    // While one closes its successor may be opening already, hence the place more.
    assert!(most <= 3 * 2 * 5, "{most} descriptors");
    assert_eq!(house.pools.open_count(), 4);
}

/// Adds a person, and tries again for as long as all places are taken.
pub(super) async fn patiently(house: &House, ctx: &TenantCtx, address: &str) {
    loop {
        match house.add_person(ctx, address).await {
            Ok(_) => return,
            Err(StoreError::Busy) => {}
            Err(other) => panic!("{}: {other:?}", ctx.tenant().slug),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn none_is_closed_under_a_transaction() {
    let house = House::with(2, 1).await;
    let tenants = tenants(&house, 8).await;
    let mut tx = house.pools.begin(&tenants[0]).await.unwrap();
    let ada = add_person(&house.bench, &mut tx, "ada@example.com")
        .await
        .unwrap();
    for ctx in &tenants[1..] {
        house.add_person(ctx, "bob@example.com").await.unwrap();
        assert_eq!(house.pools.open_count(), 2);
    }
    assert!(tx.users().lookup(ada).await.unwrap().is_some());
    tx.commit().await.unwrap();
    assert_eq!(house.people(&tenants[0]).await.unwrap(), [ada]);
}

#[tokio::test(flavor = "multi_thread")]
async fn when_all_are_in_use_the_next_is_told_so() {
    let house = House::with(2, 1).await;
    let tenants = tenants(&house, 3).await;
    let first = house.pools.begin(&tenants[0]).await.unwrap();
    let _second = house.pools.read(&tenants[1]).await.unwrap();
    let busy = house
        .pools
        .begin(&tenants[2])
        .await
        .err()
        .expect("all are in use");
    assert!(
        matches!(busy, StoreError::Busy) && busy.is_transient(),
        "{busy:?}"
    );
    assert!(house.pools.read(&tenants[2]).await.is_err());
    drop(first);
    house.people(&tenants[2]).await.unwrap();
    assert!(house.pools.open_count() <= 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lies_idle_is_closed() {
    let house = House::with(4, 1).await;
    let tenants = tenants(&house, 3).await;
    for ctx in &tenants {
        house.people(ctx).await.unwrap();
    }
    let running = house.pools.begin(&tenants[0]).await.unwrap();
    assert_eq!(house.pools.close_idle().await, 0);
    house.bench.time.advance(Duration::from_mins(1));
    assert_eq!(
        house.pools.close_idle().await,
        0,
        "not quite idle for long enough"
    );
    house.people(&tenants[1]).await.unwrap();
    house.bench.time.advance(Duration::from_secs(1));
    assert_eq!(
        house.pools.close_idle().await,
        1,
        "one is in use, one was used"
    );
    assert_eq!(house.pools.open_count(), 2);
    running.commit().await.unwrap();
    house.bench.time.advance(Duration::from_mins(2));
    assert_eq!(house.pools.close_idle().await, 2);
    assert_eq!((house.pools.open_count(), descriptors(&house)), (0, 0));
    house.people(&tenants[2]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_waits_for_the_transaction() {
    let house = Arc::new(House::with(4, 1).await);
    let acme = house.tenant("acme").await;
    let mut tx = house.pools.begin(&acme).await.unwrap();
    let closing = {
        let (house, id) = (Arc::clone(&house), acme.id());
        tokio::spawn(async move { house.pools.close(id, FIRST).await })
    };
    while house.pools.open_count() > 0 {
        tokio::task::yield_now().await;
    }
    assert!(!closing.is_finished());
    let ada = add_person(&house.bench, &mut tx, "ada@example.com")
        .await
        .unwrap();
    tx.commit().await.unwrap();
    closing.await.unwrap();
    assert_eq!(descriptors(&house), 0);
    assert_eq!(house.people(&acme).await.unwrap(), [ada]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_can_not_write() {
    let house = House::with(4, 1).await;
    let acme = house.tenant("acme").await;
    let mut tx = house.pools.read(&acme).await.unwrap();
    assert!(
        add_person(&house.bench, &mut tx, "ada@example.com")
            .await
            .is_err()
    );
    drop(tx);
    assert!(house.people(&acme).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_committed_has_not_happened() {
    let house = House::with(4, 1).await;
    let acme = house.tenant("acme").await;
    let mut tx = house.pools.begin(&acme).await.unwrap();
    add_person(&house.bench, &mut tx, "ada@example.com")
        .await
        .unwrap();
    assert!(
        house.people(&acme).await.unwrap().is_empty(),
        "others don't see it"
    );
    drop(tx);
    assert!(house.people(&acme).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_aborted_caller_leaves_nothing_open() {
    let house = Arc::new(House::with(2, 1).await);
    let tenants = tenants(&house, 4).await;
    for round in 0..200 {
        let (theirs, ctx) = (Arc::clone(&house), tenants[round % 4].clone());
        let task = tokio::spawn(async move {
            let address = format!("p{round}@example.com");
            theirs.add_person(&ctx, &address).await
        });
        for _ in 0..round {
            tokio::task::yield_now().await;
        }
        task.abort();
        let _ended = task.await;
    }
    for ctx in &tenants {
        house.add_person(ctx, "last@example.com").await.unwrap();
        assert!(house.pools.open_count() <= 2);
    }
}
