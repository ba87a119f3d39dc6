//! How many sessions a person may have.

use std::sync::Arc;

use tenantry_core::SessionId;
use tenantry_core::session::{EndReason, Subject};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::support::{Bench, MINUTE, on_each_driver};

on_each_driver! {
    what_was_used_longest_ago_ends,
    what_is_over_is_not_counted,
    ten_at_one_moment_leave_the_limit,
}

async fn end_surplus(bench: &Bench, subject: &Subject, most: u32) -> u64 {
    let ended = bench.store.end_surplus(subject, most, bench.now());
    ended.await.unwrap()
}

async fn what_was_used_longest_ago_ends(bench: Bench) {
    for (somebody, other) in [
        (bench.person(), bench.person()),
        (bench.admin(), bench.admin()),
    ] {
        let mut begun = Vec::new();
        for _ in 0..4 {
            begun.push(bench.begun(somebody).await.session);
            bench.time.advance(MINUTE);
        }
        let others = bench.begun(other).await.session;
        bench
            .store
            .touch(&begun[0].handle(), bench.now())
            .await
            .unwrap();
        assert_eq!(end_surplus(&bench, &somebody, 4).await, 0);
        assert_eq!(end_surplus(&bench, &somebody, 2).await, 2);
        assert_eq!(
            bench.listed(&somebody).await,
            [begun[0].id, begun[3].id],
            "the first was used last"
        );
        let ended = bench.found(begun[1].handle()).await;
        assert_eq!(ended.end_reason, Some(EndReason::Limit));
        assert_eq!(end_surplus(&bench, &somebody, 2).await, 0);
        assert_eq!(bench.listed(&other).await, [others.id]);
    }
}

async fn what_is_over_is_not_counted(bench: Bench) {
    let somebody = bench.person();
    let unused = bench.begun(somebody).await.session;
    bench.time.advance(unused.idle);
    let ended = bench.begun(somebody).await.session;
    let reason = EndReason::Logout;
    let handle = ended.handle();
    let end = bench.store.end(&handle, reason, bench.now());
    assert!(end.await.unwrap());
    let alive = bench.begun(somebody).await.session;
    for _ in 0..2 {
        assert_eq!(end_surplus(&bench, &somebody, 1).await, 0);
        assert_eq!(bench.listed(&somebody).await, [alive.id]);
    }
    // Whatever leads to them by now, they go with their tenant.
    let (tenant, _) = somebody.scope().unwrap();
    assert_eq!(bench.store.remove_tenant(tenant).await.unwrap(), 3);
    assert_eq!(bench.dump().await, []);
}

/// Each begins one and then ends what is too many, as a sign-in does.
async fn ten_at_one_moment_leave_the_limit(bench: Bench) {
    const MOST: u32 = 3;
    for _ in 0..5 {
        let somebody = bench.person();
        let start = Arc::new(Barrier::new(10));
        let mut racers = JoinSet::new();
        for _ in 0..10 {
            let (store, start) = (bench.store.clone(), Arc::clone(&start));
            let (draft, now) = (bench.draft(somebody), bench.now());
            racers.spawn(async move {
                start.wait().await;
                store.add(&draft).await.unwrap();
                store.end_surplus(&somebody, MOST, now).await.unwrap();
                draft.session.id
            });
        }
        let mut begun: Vec<SessionId> = racers.join_all().await;
        // Of what was begun at one moment the latest stay, whoever came last.
        begun.sort();
        let mut left = bench.listed(&somebody).await;
        left.sort();
        assert_eq!(left, begun[7..]);
    }
}
