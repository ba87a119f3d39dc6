//! Suspending, deleting, restoring, recreating: what is told, and what can't be done.

use std::time::Duration;

use tenantry_core::workflow::WorkflowState;
use tenantry_core::{Locale, TenantId, TenantStatus};
use tenantry_saga::{Fault, Faults, Moment};
use tenantry_service::Refusal;
use tenantry_service::tenants::{NewOwner, TenantChange};
use tenantry_testkit::on_both;
use tenantry_testkit::service::{Driver, LEASE, PASSWORD, Place, TestService};

use crate::people::{ADA, OTHER, id, one, sign_in_twice, start, try_in};

const GRACE: Duration = Duration::from_hours(7 * 24);

fn owner(password: &str) -> NewOwner {
    TestService::new_tenant("acme", ADA, Some(password))
        .unwrap()
        .owner
}

async fn acme(driver: Driver) -> (TestService, TenantId) {
    let test = start(driver).await;
    let view = test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    (test, id(&view))
}

async fn status(test: &TestService) -> TenantStatus {
    test.service
        .find_tenant("acme")
        .await
        .unwrap()
        .tenant
        .status
}

async fn ended_sessions_are_counted(driver: Driver) {
    let (test, acme) = acme(driver).await;
    test.make_tenant("globex", ADA, PASSWORD).await.unwrap();
    let elsewhere = sign_in_twice(&test, "globex", ADA, PASSWORD).await;
    sign_in_twice(&test, "acme", ADA, PASSWORD).await;
    let deleted = test.service.delete_tenant(acme, false).await.unwrap();
    assert_eq!(deleted.cleared.sessions(), 2);
    let purge_at = deleted.tenant.unwrap().tenant.purge_at;
    assert_eq!(purge_at, Some(test.clock.now() + GRACE));
    test.service.restore_tenant(acme).await.unwrap();

    sign_in_twice(&test, "acme", ADA, PASSWORD).await;
    let (_, cleared) = test
        .service
        .recreate_tenant(acme, &owner(OTHER))
        .await
        .unwrap();
    assert_eq!(cleared.sessions(), 2);
    sign_in_twice(&test, "acme", ADA, OTHER).await;
    let ended = test.service.end_tenant_sessions(acme).await.unwrap();
    assert_eq!(ended, 2);
    assert_eq!(test.service.end_tenant_sessions(acme).await.unwrap(), 0);
    sign_in_twice(&test, "acme", ADA, OTHER).await;
    let purged = test.service.delete_tenant(acme, true).await.unwrap();
    assert_eq!(purged.cleared.sessions(), 2);
    assert!(purged.tenant.is_none());
    elsewhere.expect_live(&test.service).await;
}

/// Where nobody is named it is the first owner who can get in, and never one who is kept out.
async fn a_fresh_owner_is_one_who_gets_in(driver: Driver) {
    let (test, acme) = acme(driver).await;
    let grace = TestService::new_tenant("acme", "grace@example.org", None).unwrap();
    let change = TenantChange {
        owner: Some((grace.owner, Locale::En)),
        ..TenantChange::default()
    };
    test.service.change_tenant(acme, change).await.unwrap();
    let tenant = test.service.find_tenant("acme").await.unwrap();
    let out = "UPDATE tenantry_users SET disabled_at = 1 WHERE email = 'ada@example.org'";
    test.damage_tenant(&tenant, out).await.unwrap();
    test.service.recreate_tenant(acme, None).await.unwrap();
    let mails = test.mails().await.unwrap();
    let last = &mails.last().unwrap().to;
    assert_eq!(last, "grace@example.org");

    let nobody = "UPDATE tenantry_users SET disabled_at = 1";
    let tenant = test.service.find_tenant("acme").await.unwrap();
    test.damage_tenant(&tenant, nobody).await.unwrap();
    let refused = test.service.recreate_tenant(acme, None).await;
    refused!(refused, Refusal::Validation(_));
    let tenant = test.service.find_tenant("acme").await.unwrap().tenant;
    assert_eq!(tenant.generation.number(), 2, "nothing was begun");
}

async fn each_status_refuses_what_makes_no_sense(driver: Driver) {
    let (test, acme) = acme(driver).await;
    let service = &test.service;
    refused!(service.resume_tenant(acme).await, Refusal::Conflict(_));
    refused!(service.restore_tenant(acme).await, Refusal::Conflict(_));
    service.suspend_tenant(acme).await.unwrap();
    refused!(service.suspend_tenant(acme).await, Refusal::Conflict(_));
    service.delete_tenant(acme, false).await.unwrap();
    refused!(
        service.delete_tenant(acme, false).await,
        Refusal::Conflict(_)
    );
    refused!(service.resume_tenant(acme).await, Refusal::Conflict(_));
    let recreated = service.recreate_tenant(acme, &owner(OTHER)).await;
    refused!(recreated, Refusal::Conflict(_));
    service.delete_tenant(acme, true).await.unwrap();
    refused!(service.delete_tenant(acme, true).await, Refusal::NotFound);
    refused!(service.restore_tenant(acme).await, Refusal::NotFound);
    refused!(service.suspend_tenant(acme).await, Refusal::NotFound);
}

async fn recreating_forgets_everybody(driver: Driver) {
    let (test, acme) = acme(driver).await;
    let grace = TestService::new_tenant("acme", "grace@example.org", Some(OTHER)).unwrap();
    let (view, _) = test
        .service
        .recreate_tenant(acme, &grace.owner)
        .await
        .unwrap();
    assert_eq!(view.tenant.generation.number(), 2);
    let signed_in = try_in(&test, Some("acme"), "grace@example.org", OTHER).await;
    one(signed_in.unwrap());
    for slug in [Some("acme"), None] {
        let ada = try_in(&test, slug, ADA, PASSWORD).await;
        refused!(ada, Refusal::InvalidCredentials);
    }
    let report = test.service.check_tenant(view.tenant).await.unwrap();
    assert_eq!(report.findings, []);
    assert_eq!(test.service.check_orphans().await.unwrap(), []);
}

async fn of_several_acts_at_once_one_happens(driver: Driver) {
    let (test, acme) = acme(driver).await;
    let tries: Vec<_> = (0..4)
        .map(|_| {
            let service = test.service.clone();
            tokio::spawn(async move { service.recreate_tenant(acme, &owner(OTHER)).await })
        })
        .collect();
    let mut done = 0;
    for outcome in tries {
        match outcome.await.unwrap() {
            Ok(_) => done += 1,
            Err(refusal) => assert!(matches!(refusal, Refusal::Conflict(_)), "{refusal:?}"),
        }
    }
    let view = test.service.find_tenant("acme").await.unwrap();
    assert_eq!(view.tenant.generation.number(), 1 + done);
    assert!(done >= 1);
    let report = test.service.check_tenant(view.tenant).await.unwrap();
    assert_eq!(report.findings, []);
    assert_eq!(test.service.check_orphans().await.unwrap(), []);
}

/// A tenant whose work stands still is not lost to the operator: it can be made anew or removed.
async fn a_failed_tenant_can_be_recreated_or_purged(driver: Driver) {
    let (test, acme) = acme(driver).await;
    let faults = || {
        Faults::new(|kind, step, moment| {
            let here = (kind, step, moment) == ("recreate", "owner", Moment::BeforeForward);
            here.then_some(Fault::Fatal)
        })
    };
    for purge in [false, true] {
        let broken = test.beside(faults()).await.unwrap();
        let recreated = broken.service.recreate_tenant(acme, &owner(OTHER)).await;
        refused!(recreated, Refusal::Failed { .. });
        assert_eq!(status(&test).await, TenantStatus::Failed);
        if purge {
            test.service.delete_tenant(acme, true).await.unwrap();
            refused!(test.service.view(acme).await, Refusal::NotFound);
            assert_eq!(test.tenant_files().unwrap(), Vec::<String>::new());
        } else {
            let recreated = test.service.recreate_tenant(acme, &owner(OTHER)).await;
            assert_eq!(recreated.unwrap().0.tenant.status, TenantStatus::Active);
            one(try_in(&test, Some("acme"), ADA, OTHER).await.unwrap());
            // Neither the file of the first life nor that of the failed one is left.
            let records = "SELECT COUNT(*) FROM tenant_databases";
            assert_eq!(test.control().number(records).await.unwrap(), 1);
            let view = test.service.find_tenant("acme").await.unwrap();
            for generation in 1..view.tenant.generation.number() {
                let generation = tenantry_core::Generation::new(generation).unwrap();
                let file = test.tenant_file(acme, generation);
                assert!(!file.exists(), "{}", file.display());
            }
        }
        assert_eq!(test.service.check_orphans().await.unwrap(), []);
    }
    let runs = test.service.list_workflows(None, 50).await.unwrap();
    let stuck = runs.iter().filter(|run| run.state == WorkflowState::Stuck);
    assert_eq!(stuck.count(), 0);
}

/// The process died right after the tenant became active. Meanwhile the operator suspended or
/// deleted it; whoever takes the work up again must not take that for a failure.
async fn an_active_tenant_is_never_undone(driver: Driver) {
    for delete in [false, true] {
        let test = start(driver).await;
        let faults = Faults::new(|_, step, moment| {
            (step == "activate" && moment == Moment::AfterForward).then_some(Fault::Halt)
        });
        let dying = test.beside(faults).await.unwrap();
        let new = TestService::new_tenant("acme", ADA, Some(PASSWORD)).unwrap();
        let making = tokio::spawn(async move {
            let wait = Duration::from_mins(1);
            dying.service.create_tenant(new, None, wait).await.is_ok()
        });
        until_active(&test).await;
        let acme = test.service.find_tenant("acme").await.unwrap().tenant.id;
        if delete {
            test.service.delete_tenant(acme, false).await.unwrap();
        } else {
            test.service.suspend_tenant(acme).await.unwrap();
        }
        making.abort();
        let next = test.beside(Faults::none()).await.unwrap();
        next.clock.advance(LEASE);
        next.settle().await.unwrap();
        if delete {
            next.service.restore_tenant(acme).await.unwrap();
        } else {
            next.service.resume_tenant(acme).await.unwrap();
        }
        one(try_in(&next, Some("acme"), ADA, PASSWORD).await.unwrap());
        let view = next.service.find_tenant("acme").await.unwrap();
        let report = next.service.check_tenant(view.tenant).await.unwrap();
        assert_eq!(report.findings, []);
    }
}

async fn until_active(test: &TestService) {
    let active = "SELECT COUNT(*) FROM tenants WHERE status = 'active'";
    test.control().until(active).await.unwrap();
}

/// While a tenant is in the making nobody may act on it.
async fn a_tenant_in_the_making_is_left_alone(driver: Driver) {
    let test = start(driver).await;
    let place = Place {
        kind: "provision".to_owned(),
        step: "owner".to_owned(),
        event: tenantry_core::workflow::LogEvent::Started,
    };
    let (faults, reached) = place.halt(|_, _, _| None);
    let dying = test.beside(faults).await.unwrap();
    let making = tokio::spawn(async move { dying.invite_tenant("acme", ADA).await.is_ok() });
    reached.wait().await;
    let acme = test.service.find_tenant("acme").await.unwrap().tenant.id;
    let service = &test.service;
    refused!(service.suspend_tenant(acme).await, Refusal::Conflict(_));
    for purge in [false, true] {
        let deleted = service.delete_tenant(acme, purge).await;
        refused!(deleted, Refusal::Conflict(_));
    }
    let recreated = service.recreate_tenant(acme, &owner(OTHER)).await;
    refused!(recreated, Refusal::Conflict(_));
    making.abort();
    test.clock.advance(LEASE);
    test.settle().await.unwrap();
    assert_eq!(status(&test).await, TenantStatus::Active);
}

on_both!(
    ended_sessions_are_counted,
    a_fresh_owner_is_one_who_gets_in,
    each_status_refuses_what_makes_no_sense,
    recreating_forgets_everybody,
    of_several_acts_at_once_one_happens,
    a_failed_tenant_can_be_recreated_or_purged,
    an_active_tenant_is_never_undone,
    a_tenant_in_the_making_is_left_alone,
);
