//! Other processes take up a change of the keys as they hear of it, and whoever made it can wait until
//! all have.

use std::future::pending;
use std::time::Instant;

use tenantry_service::nodes::Channel;
use tokio::task::JoinSet;

use super::*;

/// What a message may take. Without one, the next look at the keys is a quarter of a second away on
/// the average.
const SOON: Duration = Duration::from_millis(100);

/// For how long keys count after a look at them, heard of or not (`keyring.rs`).
const COUNT: Duration = Duration::from_secs(1);

async fn until(what: impl Fn() -> bool) {
    while !what() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_process_takes_up_a_change_at_once() {
    let here = with_acme(Driver::Postgres).await;
    let there = here.beside(Faults::none()).await.unwrap();
    let mut working = JoinSet::new();
    for service in [&here.service, &there.service] {
        let service = service.clone();
        working.spawn(async move { service.work(pending()).await });
        until(|| here.service.hears(Channel::Database) == Some(true)).await;
    }
    until(|| there.service.hears(Channel::Database) == Some(true)).await;
    let mut all = Vec::new();
    for _ in 0..9 {
        let replaced = here.service.replace_signing_key().await.unwrap();
        let since = Instant::now();
        until(|| published(&there.service) == std::slice::from_ref(&replaced.kid)).await;
        all.push(since.elapsed());
    }
    all.sort();
    assert!(all[4] < SOON, "{all:?}");
    working.shutdown().await;
}

async fn a_command_ends_when_every_process_has_it(driver: Driver) {
    let here = with_acme(driver).await;
    let there = here.beside(Faults::none()).await.unwrap();
    let (old, _) = token(&there).await;
    // Nobody else serves, so there is nobody to wait for.
    here.service.replace_signing_key().await.unwrap();
    let since = Instant::now();
    here.service.settle_everywhere().await.unwrap();
    assert!(since.elapsed() < COUNT, "{:?}", since.elapsed());

    let serving = there.service.clone();
    let serving = tokio::spawn(async move { serving.work(pending()).await });
    let seen = "SELECT COUNT(*) FROM nodes";
    while here.control().number(seen).await.unwrap() == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let before = Instant::now();
    here.service.replace_signing_key().await.unwrap();
    here.service.settle_everywhere().await.unwrap();
    assert!(before.elapsed() >= COUNT, "{:?}", before.elapsed());
    assert!(!counts(&there.service, &old).await);
    serving.abort();
}

on_both!(a_command_ends_when_every_process_has_it);
