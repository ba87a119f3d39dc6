//! Sessions that come to lie elsewhere, and back where they lay before: everybody is signed out, for
//! good.

use tenantry_core::TenantId;
use tenantry_core::session::SessionDriver;
use tenantry_service::Service;
use tenantry_testkit::on_each_session_driver;
use tenantry_testkit::service::{Options, PASSWORD, TestService};

use super::files;
use crate::people::{ADA, SignedInTwice, id, sign_in_twice};

on_each_session_driver! {
    nobody_comes_back_with_the_place,
    many_processes_switch_once,
}

/// Another process that has sessions there.
async fn opened(test: &TestService, driver: SessionDriver) -> Service {
    let change = |settings: &mut tenantry_service::Settings| settings.sessions = driver;
    test.open_otherwise(change, None).await.unwrap().unwrap()
}

const fn elsewhere(from: SessionDriver) -> SessionDriver {
    match from {
        SessionDriver::File => SessionDriver::Database,
        SessionDriver::Database | SessionDriver::Redis => SessionDriver::File,
    }
}

/// Somebody who is signed in where sessions lie at first.
async fn signed_in(options: Options) -> (TestService, TenantId, SignedInTwice) {
    let test = TestService::start(options).await.unwrap();
    let tenant = id(&test.make_tenant("acme", ADA, PASSWORD).await.unwrap());
    assert_eq!(test.service.settle_session_driver().await.unwrap(), None);
    let before = sign_in_twice(&test, "acme", ADA, PASSWORD).await;
    before.expect_live(&test.service).await;
    (test, tenant, before)
}

async fn nobody_comes_back_with_the_place(options: Options) {
    let (test, tenant, before) = signed_in(options).await;
    let here = test.service.session_driver();
    let there = elsewhere(here);
    let away = opened(&test, there).await;
    let settled = away.settle_session_driver().await.unwrap();
    assert_eq!(settled, Some(here));
    before.expect_stale(&away, "elsewhere").await;
    let cleared = away.clear_everything(true, |_, _| {}).await.unwrap();
    assert_eq!(cleared.sessions(), 0);

    let back = opened(&test, here).await;
    // Whoever looks before a server was started there finds what the servers have.
    let refused = back.expect_shared_sessions().await;
    refused!(refused, tenantry_service::Refusal::Conflict(_));
    let settled = back.settle_session_driver().await.unwrap();
    assert_eq!(settled, Some(there));
    before.expect_stale(&back, "back again").await;
    let listed = back.sessions_of(&before.person).await.unwrap();
    assert_eq!(listed.len(), 0, "{listed:?}");
    assert_eq!(back.end_tenant_sessions(tenant).await.unwrap(), 0);
    // A command or server that is started later, and one that ran all the while.
    let later = opened(&test, here).await;
    assert_eq!(later.settle_session_driver().await.unwrap(), None);
    before.expect_stale(&later, "later").await;
    test.service.follow_sessions().await.unwrap();
    // What it keeps counts for half a second, unless it hears of a change.
    let changes = test.service.control().changes();
    changes.hear(tenantry_core::marks::Topic::Everything);
    before.expect_stale(&test.service, "all the while").await;
    // They find each other's again.
    let after = sign_in_twice(&test, "acme", ADA, PASSWORD).await;
    for service in [&test.service, &back, &later] {
        after.expect_live(service).await;
    }
    // Nothing is left of a tenant, whenever its sessions began.
    let purged = back.delete_tenant(tenant, true).await.unwrap();
    assert_eq!(purged.cleared.sessions(), 2);
    let redis = test.redis().map(|redis| redis.keys().unwrap());
    let mut traces = files(&test.data_dir().join("sessions"));
    traces.extend(redis.unwrap_or_default());
    traces.retain(|trace| trace.contains(&tenant.to_string()));
    assert_eq!(traces, Vec::<String>::new());
}

async fn many_processes_switch_once(options: Options) {
    let (test, _, before) = signed_in(options).await;
    let here = test.service.session_driver();
    let away = opened(&test, elsewhere(here)).await;
    away.settle_session_driver().await.unwrap();
    let (one, two) = (opened(&test, here).await, opened(&test, here).await);
    let (first, second) = tokio::join!(one.settle_session_driver(), two.settle_session_driver());
    let settled = [first.unwrap(), second.unwrap()];
    let switched = settled.iter().flatten().count();
    assert_eq!(switched, 1, "{settled:?}");
    test.service.follow_sessions().await.unwrap();
    let after = sign_in_twice(&test, "acme", ADA, PASSWORD).await;
    for service in [&one, &two] {
        after.expect_live(service).await;
        before.expect_stale(service, "switched").await;
    }
}
