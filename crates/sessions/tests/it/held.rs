//! Another process works on the same files.

use std::fs::File;
use std::time::Instant;

use tenantry_core::session::EndReason;
use tenantry_sessions::files::PATIENCE;
use tenantry_sessions::{FileSessions, SessionError, SessionStore};
use tenantry_store::Changes;

use crate::support::{Bench, Lies};

#[tokio::test]
async fn a_lock_that_another_process_holds_is_waited_for_and_given_up() {
    let bench = Bench::open(Lies::Files).await;
    let stored = bench.begun(bench.person()).await;
    let (handle, from) = (stored.session.handle(), stored.token_hash);
    let name = format!("{:02x}", handle.id.uuid().as_bytes()[15]);
    let lock = File::open(bench.folder().join("locks").join(name)).unwrap();
    lock.lock().unwrap();
    let (store, to, now) = (bench.store.clone(), bench.hash(), bench.now());
    let waiting = tokio::spawn(async move { store.rotate(&handle, &from, &to, now).await });
    // Reading needs no lock, and nothing has changed.
    assert_eq!(bench.found(handle).await.token_hash, from);
    assert!(!waiting.is_finished());
    lock.unlock().unwrap();
    assert!(waiting.await.unwrap().unwrap(), "it goes on once it may");
    assert_eq!(bench.found(handle).await.token_hash, to);

    lock.lock().unwrap();
    let since = Instant::now();
    let end = bench.store.end(&handle, EndReason::Logout, now).await;
    assert!(matches!(end, Err(SessionError::Held { .. })), "{end:?}");
    assert!(since.elapsed() >= PATIENCE);
    assert_eq!(bench.found(handle).await.end_reason, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_rotate_one_token_once() {
    // Each has its own handles on the files, as processes do; locks of files belong to handles.
    let bench = Bench::open(Lies::Files).await;
    let other = FileSessions::new(bench.folder(), Changes::default());
    let other = SessionStore::File(other);
    for _ in 0..20 {
        let stored = bench.begun(bench.person()).await;
        let (handle, from) = (stored.session.handle(), stored.token_hash);
        let (one, two) = (bench.hash(), bench.hash());
        let (first, second) = tokio::join!(
            bench.store.rotate(&handle, &from, &one, bench.now()),
            other.rotate(&handle, &from, &two, bench.now()),
        );
        let (first, second) = (first.unwrap(), second.unwrap());
        assert!(first != second, "one of them");
        let found = bench.found(handle).await.token_hash;
        assert_eq!(found, if first { one } else { two });
    }
}
