//! A clock that was wrong for a while, and uses, which are told to nobody.

use tenantry_core::TenantId;
use tenantry_core::session::EndReason;

use crate::support::{Bench, MINUTE, on_each_driver};

on_each_driver! {
    a_clock_that_was_far_ahead_takes_nothing_away,
    a_use_is_told_to_nobody,
}

async fn a_clock_that_was_far_ahead_takes_nothing_away(bench: Bench) {
    let (now, device) = (bench.now(), bench.device());
    for ended_by in ["person", "device", "tenant"] {
        let somebody = bench.person();
        let (tenant, generation) = somebody.scope().unwrap();
        let before = bench.begun_on(somebody, device).await.session.id;
        bench.time.advance(MINUTE * 60 * 24 * 10_000);
        let ahead = bench.begun_on(somebody, device).await;
        assert_eq!(bench.listed(&somebody).await, [ahead.session.id]);
        bench.time.set(now);
        // What began then does not count before that day has come.
        assert_eq!(bench.listed(&somebody).await, [before]);
        let surplus = bench.store.end_surplus(&somebody, 1, now).await;
        assert_eq!(surplus.unwrap(), 0);
        assert_eq!(bench.store.count_live(tenant, now).await.unwrap(), 1);
        let ended = match ended_by {
            "person" => {
                let why = EndReason::Admin;
                bench.store.end_others(&somebody, None, why, now).await
            }
            "device" => {
                bench
                    .store
                    .end_device(tenant, generation, device, now)
                    .await
            }
            _ => bench.store.end_tenant(tenant, generation, now).await,
        };
        assert_eq!(ended.unwrap(), 1, "by {ended_by}");
        let marked = bench.found(ahead.session.handle()).await;
        assert!(marked.end_reason.is_some(), "by {ended_by}");
        assert_eq!(bench.store.remove_tenant(tenant).await.unwrap(), 2);
    }
    let nobody = TenantId::from_uuid(bench.uuid());
    assert_eq!(bench.store.count_live(nobody, now).await.unwrap(), 0);
}

async fn a_use_is_told_to_nobody(bench: Bench) {
    let handle = bench.begun(bench.person()).await.session.handle();
    let (told, _) = bench.changes.counts();
    let then = bench.now() + MINUTE;
    bench.store.touch(&handle, then).await.unwrap();
    assert_eq!(bench.found(handle).await.session.last_seen_at, then);
    assert_eq!(bench.changes.counts().0, told);
    let end = bench.store.end(&handle, EndReason::Logout, then);
    assert!(end.await.unwrap());
    assert_eq!(bench.changes.counts().0, told + 1);
}
