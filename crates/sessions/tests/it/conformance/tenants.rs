//! What belongs to one tenant in one generation is ended and removed, and nothing beside it.

use tenantry_core::session::EndReason;
use tenantry_core::{Generation, TenantId};

use crate::support::{Bench, MINUTE, on_each_driver};

on_each_driver! {
    a_tenants_sessions_are_counted_and_ended,
    one_that_lay_unused_is_ended_and_not_counted,
    ending_a_generation_leaves_all_else_as_it_was,
    removing_a_tenant_leaves_nothing_of_it_and_all_else,
    more_than_a_page_is_ended_counted_and_removed,
}

async fn a_tenants_sessions_are_counted_and_ended(bench: Bench) {
    let tenant = TenantId::from_uuid(bench.uuid());
    let second = Generation::FIRST.next();
    let somebody = bench.person_in(tenant, Generation::FIRST);
    bench.begun(somebody).await;
    bench.begun(bench.person_in(tenant, second)).await;
    let ended = bench.begun(somebody).await.session.handle();
    let logout = bench.store.end(&ended, EndReason::Logout, bench.now());
    logout.await.unwrap();
    bench.begun(bench.person()).await;
    let live = async |at| bench.store.count_live(tenant, at).await.unwrap();
    assert_eq!(live(bench.now()).await, 2);
    assert_eq!(live(bench.now() + MINUTE * 60).await, 0, "they run out");
    let end = async |up_to| {
        let ended = bench.store.end_tenant(tenant, up_to, bench.now());
        ended.await.unwrap()
    };
    assert_eq!(end(second.next()).await, 2);
    assert_eq!(end(second.next()).await, 0);
    assert_eq!(live(bench.now()).await, 0);
    assert_eq!(bench.listed(&somebody).await, []);
    let found = bench.found(ended).await;
    assert_eq!(
        found.end_reason,
        Some(EndReason::Logout),
        "the first reason"
    );
}

async fn one_that_lay_unused_is_ended_and_not_counted(bench: Bench) {
    let device = bench.device();
    for ended_by in ["person", "device", "pin", "tenant"] {
        let somebody = bench.person();
        let (tenant, generation) = somebody.scope().unwrap();
        let unused = bench.begun_on(somebody, device).await.session.handle();
        let used = bench.begun_on(somebody, device).await.session.handle();
        let live = async |at| bench.store.count_live(tenant, at).await.unwrap();
        let then = bench.now() + MINUTE * 10;
        assert_eq!(live(then - MINUTE).await, 2);
        assert_eq!(live(then).await, 0, "both lay unused for ten minutes");
        let touched = bench.store.touch(&used, bench.now() + MINUTE).await;
        touched.unwrap();
        assert_eq!(live(then).await, 1);
        let (store, why) = (&bench.store, EndReason::Admin);
        let ended = match ended_by {
            "person" => store.end_others(&somebody, None, why, then).await,
            "device" => store.end_device(tenant, generation, device, then).await,
            "pin" => store.end_on_devices(&somebody, then).await,
            _ => store.end_tenant(tenant, generation, then).await,
        };
        assert_eq!(ended.unwrap(), 1, "by {ended_by}");
        for handle in [unused, used] {
            let stored = bench.found(handle).await;
            assert!(stored.end_reason.is_some(), "by {ended_by}");
        }
    }
}

async fn ending_a_generation_leaves_all_else_as_it_was(bench: Bench) {
    let tenant = TenantId::from_uuid(bench.uuid());
    let second = Generation::FIRST.next();
    bench
        .begun_on(bench.person_in(tenant, second), bench.device())
        .await;
    bench.begun_on(bench.person(), bench.device()).await;
    bench.begun(bench.admin()).await;
    let before = bench.dump().await;
    assert!(before.len() >= 3, "the dump sees nothing");
    let old = bench
        .begun(bench.person_in(tenant, Generation::FIRST))
        .await;
    let added = bench.dump().await;
    let ended = bench
        .store
        .end_tenant(tenant, Generation::FIRST, bench.now());
    assert_eq!(ended.await.unwrap(), 1);
    let found = bench.found(old.session.handle()).await;
    assert_eq!(found.end_reason, Some(EndReason::Tenant));
    let after = bench.dump().await;
    assert_ne!(after, added, "the dump does not see a session end");
    // What leads to generations is one key in Redis, in which both stand.
    for kept in before
        .iter()
        .filter(|(name, _)| !name.ends_with(":generations"))
    {
        assert!(after.contains(kept), "{} changed", kept.0);
    }
}

async fn removing_a_tenant_leaves_nothing_of_it_and_all_else(bench: Bench) {
    bench.begun_on(bench.person(), bench.device()).await;
    bench.begun(bench.admin()).await;
    let before = bench.dump().await;
    let tenant = TenantId::from_uuid(bench.uuid());
    for generation in [Generation::FIRST, Generation::FIRST.next()] {
        let somebody = bench.person_in(tenant, generation);
        bench.begun_on(somebody, bench.device()).await;
        let ended = bench.begun(somebody).await.session.handle();
        let logout = bench.store.end(&ended, EndReason::Logout, bench.now());
        logout.await.unwrap();
    }
    assert_eq!(bench.store.remove_tenant(tenant).await.unwrap(), 4);
    assert_eq!(bench.store.remove_tenant(tenant).await.unwrap(), 0);
    assert_eq!(bench.dump().await, before);
    // Its id is not used again, but a purge that is undone may be followed by a life of it.
    let again = bench.person_in(tenant, Generation::FIRST);
    let id = bench.begun(again).await.session.id;
    assert_eq!(bench.listed(&again).await, [id]);
}

async fn more_than_a_page_is_ended_counted_and_removed(bench: Bench) {
    const MANY: u64 = 501;
    let tenant = TenantId::from_uuid(bench.uuid());
    let somebody = bench.person_in(tenant, Generation::FIRST);
    for _ in 0..MANY {
        bench.begun(somebody).await;
    }
    let now = bench.now();
    assert_eq!(bench.listed(&somebody).await.len(), 501);
    assert_eq!(bench.store.count_live(tenant, now).await.unwrap(), MANY);
    let ended = bench.store.end_tenant(tenant, Generation::FIRST, now);
    assert_eq!(ended.await.unwrap(), MANY);
    assert_eq!(bench.store.count_live(tenant, now).await.unwrap(), 0);
    assert_eq!(bench.store.remove_tenant(tenant).await.unwrap(), MANY);
    assert_eq!(bench.dump().await, []);
}
