//! Many at one moment.

use std::sync::Arc;

use tenantry_core::Generation;
use tenantry_core::session::EndReason;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::support::{Bench, on_each_driver};

on_each_driver! {
    of_ten_rotations_one_wins,
    what_ended_while_it_was_rotated_stays_ended,
    of_ten_who_end_it_one_did,
    what_begins_while_others_end_is_whole,
}

const AT_ONCE: usize = 10;

/// Rounds of each race: one alone proves little.
const ROUNDS: usize = 10;

async fn of_ten_rotations_one_wins(bench: Bench) {
    for _ in 0..ROUNDS {
        let stored = bench.begun(bench.person()).await;
        let (handle, from) = (stored.session.handle(), stored.token_hash);
        let start = Arc::new(Barrier::new(AT_ONCE));
        let mut racers = JoinSet::new();
        for _ in 0..AT_ONCE {
            let (store, start) = (bench.store.clone(), Arc::clone(&start));
            let (to, now) = (bench.hash(), bench.now());
            racers.spawn(async move {
                start.wait().await;
                let won = store.rotate(&handle, &from, &to, now).await.unwrap();
                won.then_some(to)
            });
        }
        let winners: Vec<_> = racers.join_all().await.into_iter().flatten().collect();
        assert_eq!(winners, [bench.found(handle).await.token_hash]);
    }
}

async fn what_ended_while_it_was_rotated_stays_ended(bench: Bench) {
    for _ in 0..ROUNDS {
        let stored = bench.begun(bench.person()).await;
        let (handle, from) = (stored.session.handle(), stored.token_hash);
        let start = Arc::new(Barrier::new(AT_ONCE));
        let mut racers = JoinSet::new();
        for number in 0..AT_ONCE {
            let (store, start) = (bench.store.clone(), Arc::clone(&start));
            let (to, now) = (bench.hash(), bench.now());
            racers.spawn(async move {
                start.wait().await;
                match number {
                    0 => store.end(&handle, EndReason::Reuse, now).await.unwrap(),
                    1 => {
                        store
                            .touch(&handle, now + crate::support::MINUTE)
                            .await
                            .unwrap();
                        false
                    }
                    _ => {
                        store.rotate(&handle, &from, &to, now).await.unwrap();
                        false
                    }
                }
            });
        }
        let ended = racers.join_all().await.into_iter().filter(|ended| *ended);
        assert_eq!(ended.count(), 1);
        let found = bench.found(handle).await;
        assert_eq!(found.end_reason, Some(EndReason::Reuse));
        let last = bench
            .store
            .rotate(&handle, &found.token_hash, &from, bench.now());
        assert!(!last.await.unwrap());
    }
}

async fn of_ten_who_end_it_one_did(bench: Bench) {
    for _ in 0..ROUNDS {
        let stored = bench.begun_on(bench.person(), bench.device()).await;
        let session = stored.session;
        let (tenant, generation) = session.subject.scope().unwrap();
        let device = stored.device.unwrap();
        let start = Arc::new(Barrier::new(AT_ONCE));
        let mut racers = JoinSet::new();
        for number in 0..AT_ONCE {
            let (store, start, now) = (bench.store.clone(), Arc::clone(&start), bench.now());
            let (subject, handle) = (session.subject, session.handle());
            racers.spawn(async move {
                start.wait().await;
                let reason = EndReason::Revoked;
                let ended = match number % 5 {
                    0 => store.end(&handle, reason, now).await.map(u64::from),
                    1 => store.end_others(&subject, None, reason, now).await,
                    2 => store.end_tenant(tenant, generation, now).await,
                    3 => store.end_device(tenant, generation, device, now).await,
                    _ => store.end_on_devices(&subject, now).await,
                };
                ended.unwrap()
            });
        }
        assert_eq!(racers.join_all().await.iter().sum::<u64>(), 1);
    }
}

async fn what_begins_while_others_end_is_whole(bench: Bench) {
    let somebody = bench.person();
    let (tenant, _) = somebody.scope().unwrap();
    let start = Arc::new(Barrier::new(AT_ONCE));
    let mut racers = JoinSet::new();
    for number in 0..AT_ONCE {
        let (store, start) = (bench.store.clone(), Arc::clone(&start));
        let (draft, now) = (bench.draft(somebody), bench.now());
        racers.spawn(async move {
            start.wait().await;
            match number % 5 {
                0 => drop(store.remove_tenant(tenant).await.unwrap()),
                1 => drop(
                    store
                        .end_tenant(tenant, Generation::FIRST, now)
                        .await
                        .unwrap(),
                ),
                2 => drop(
                    store
                        .remove_expired(draft.session.expires_at)
                        .await
                        .unwrap(),
                ),
                _ => store.add(&draft).await.unwrap(),
            }
        });
    }
    racers.join_all().await;
    // Whatever came first: what leads to a session and the session go together.
    let listed = bench.listed(&somebody).await.len();
    let live = bench.store.count_live(tenant, bench.now()).await.unwrap();
    assert_eq!(u64::try_from(listed).unwrap(), live);
    bench.store.remove_tenant(tenant).await.unwrap();
    assert_eq!(bench.dump().await, []);
}
