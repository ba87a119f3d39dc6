//! A file that somebody writes over in place while it is open: the same inode with other content,
//! which SQLite itself does not notice.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tenantry_core::UserId;
use tenantry_store::files::TenantFiles;
use tenantry_store::{PoolBounds, StoreError, TenantCtx, TenantPools};

use super::bounds::patiently;
use super::{House, add_person};

/// What becomes of the log and the shared memory beside a file that is written over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Log {
    Left,
    Removed,
}

impl Log {
    const BOTH: [Self; 2] = [Self::Left, Self::Removed];

    fn apply(self, house: &House, ctx: &TenantCtx) {
        for suffix in ["db-wal", "db-shm"] {
            let beside = house.path(ctx).with_extension(suffix);
            assert!(beside.exists(), "the file is open");
            if self == Self::Removed {
                fs::remove_file(beside).unwrap();
            }
        }
    }
}

fn inode(house: &House, ctx: &TenantCtx) -> u64 {
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata(house.path(ctx)).unwrap().ino()
}

/// Writes over a tenant's file in place, with its log as told.
fn write_over(house: &House, ctx: &TenantCtx, content: &[u8], log: Log) {
    let before = inode(house, ctx);
    log.apply(house, ctx);
    fs::write(house.path(ctx), content).unwrap();
    assert_eq!(inode(house, ctx), before, "in place");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_tenants_content_is_not_served() {
    for log in Log::BOTH {
        let house = House::with(4, 1).await;
        let (acme, globex) = (house.tenant("acme").await, house.tenant("globex").await);
        let ada = house.add_person(&acme, "ada@example.com").await.unwrap();
        house.add_person(&globex, "bob@example.com").await.unwrap();
        let own = fs::read(house.path(&acme)).unwrap();
        let others = fs::read(house.path(&globex)).unwrap();
        assert_eq!(house.people(&acme).await.unwrap(), [ada]);
        write_over(&house, &acme, &others, log);
        for _ in 0..2 {
            let read = house.pools.read(&acme).await.err();
            assert!(
                matches!(&read, Some(StoreError::Stamp { found, .. })
                    if found.contains(&globex.id().to_string())),
                "{log:?}: {read:?}"
            );
            let begun = house.pools.begin(&acme).await.err();
            assert!(matches!(begun, Some(StoreError::Stamp { .. })), "{begun:?}");
        }
        let untouched = fs::read(house.path(&acme)).unwrap() == others;
        assert!(untouched, "{log:?}: nothing was written into it");
        fs::write(house.path(&acme), own).unwrap();
        assert_eq!(house.people(&acme).await.unwrap(), [ada], "{log:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_copy_is_all_there_is() {
    for log in Log::BOTH {
        let house = House::with(4, 1).await;
        let acme = house.tenant("acme").await;
        let ada = house.add_person(&acme, "ada@example.com").await.unwrap();
        // The file alone: what was committed is in it and not in its log.
        let copy = fs::read(house.path(&acme)).unwrap();
        house.add_person(&acme, "bob@example.com").await.unwrap();
        assert_eq!(house.people(&acme).await.unwrap().len(), 2);
        write_over(&house, &acme, &copy, log);
        assert_eq!(house.people(&acme).await.unwrap(), [ada], "{log:?}");
        let untouched = fs::read(house.path(&acme)).unwrap() == copy;
        assert!(untouched, "{log:?}: nothing was written into it");
        house.add_person(&acme, "cyd@example.com").await.unwrap();
        house.pools.close_all().await;
        assert_eq!(house.people(&acme).await.unwrap().len(), 2, "{log:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_over_before_it_is_used_again_is_kept_as_it_is() {
    for log in Log::BOTH {
        let house = House::with(4, 1).await;
        let (acme, globex) = (house.tenant("acme").await, house.tenant("globex").await);
        house.add_person(&acme, "ada@example.com").await.unwrap();
        let others = fs::read(house.path(&globex)).unwrap();
        write_over(&house, &acme, &others, log);
        // As where the server stops.
        house.pools.close_all().await;
        let untouched = fs::read(house.path(&acme)).unwrap() == others;
        assert!(untouched, "{log:?}: nothing was written into it");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn our_own_changes_are_none() {
    let house = House::with(4, 2).await;
    let acme = house.tenant("acme").await;
    // Were the file opened anew, this one would be waited for, and for longer than anybody waits.
    let running = house.pools.read(&acme).await.unwrap();
    for number in 1..=20 {
        let address = format!("p{number}@example.com");
        house.add_person(&acme, &address).await.unwrap();
        assert_eq!(house.people(&acme).await.unwrap().len(), number);
    }
    drop(running);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_at_work_are_not_disturbed_by_each_other() {
    let house = Arc::new(House::with(4, 2).await);
    let acme = house.tenant("acme").await;
    let running = house.pools.read(&acme).await.unwrap();
    let tasks: Vec<_> = (0..16)
        .map(|number| {
            let (house, acme) = (Arc::clone(&house), acme.clone());
            tokio::spawn(async move {
                patiently(&house, &acme, &format!("p{number}@example.com")).await;
            })
        })
        .collect();
    // Were the file opened anew, everybody would be told to come again for as long as one reads.
    let all = futures_util::future::join_all(tasks);
    let done = tokio::time::timeout(Duration::from_secs(5), all).await;
    for task in done.expect("nobody waits for whoever reads") {
        task.unwrap();
    }
    drop(running);
    // What nobody had a connection left to fold is folded with the next commit.
    house.add_person(&acme, "last@example.com").await.unwrap();
    assert_eq!(house.people(&acme).await.unwrap().len(), 17);
    let alone = House::with(1, 1).await;
    let copy = alone.tenant("copy").await;
    fs::copy(house.path(&acme), alone.path(&copy)).unwrap();
    let found = alone.pools.files().stamp(copy.id(), super::FIRST).await;
    assert_eq!(found.unwrap().unwrap().tenant, acme.id());
    assert_eq!(people_in(alone.path(&copy)).await, 17);
}

async fn people_in(path: PathBuf) -> i64 {
    let db = tenantry_store::Db::sqlite(&path, 1);
    let found = crate::support::number(&db, "SELECT COUNT(*) FROM tenantry_users").await;
    db.close().await;
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_see_what_the_other_did() {
    let house = House::with(4, 1).await;
    let acme = house.tenant("acme").await;
    let files = TenantFiles::new(house.bench.folder().join("tenants")).unwrap();
    let other = TenantPools::new(files, PoolBounds::default(), house.bench.time.clock());
    for number in 0..10 {
        let mut tx = other.begin(&acme).await.unwrap();
        let address = format!("theirs{number}@example.com");
        let theirs: UserId = add_person(&house.bench, &mut tx, &address).await.unwrap();
        tx.commit().await.unwrap();
        assert!(house.people(&acme).await.unwrap().contains(&theirs));
        let address = format!("ours{number}@example.com");
        let ours = house.add_person(&acme, &address).await.unwrap();
        let mut tx = other.read(&acme).await.unwrap();
        assert!(tx.users().lookup(ours).await.unwrap().is_some());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_goes_away_while_it_is_given_up_is_in_nobodys_way() {
    let house = House::with(4, 2).await;
    let acme = house.tenant("acme").await;
    let ada = house.add_person(&acme, "ada@example.com").await.unwrap();
    let copy = fs::read(house.path(&acme)).unwrap();
    let running = house.pools.read(&acme).await.unwrap();
    write_over(&house, &acme, &copy, Log::Left);
    let mut waiting = Box::pin(house.people(&acme));
    let waited = tokio::time::timeout(Duration::from_millis(1), &mut waiting).await;
    assert!(waited.is_err(), "it waits for the one that runs");
    let busy = house.people(&acme).await;
    assert!(matches!(busy, Err(StoreError::Busy)), "{busy:?}");
    drop(waiting);
    drop(running);
    assert_eq!(house.people(&acme).await.unwrap(), [ada]);
    assert_eq!(house.pools.open_count(), 1);
}
