//! A process that dies anywhere in a rotation: what worked goes on working, and the next one ends
//! what was begun.

use std::sync::Arc;
use std::time::Duration;

use tenantry_core::TenantId;
use tenantry_core::credential::CredentialState;
use tenantry_core::workflow::LogEvent;
use tenantry_saga::{Fault, Faults, Moment};
use tenantry_service::credentials::Access;
use tenantry_testkit::cluster::superuser;
use tenantry_testkit::on_both;
use tenantry_testkit::service::{Driver, LEASE, Place, TestService};

use super::{drain, enter, rotate, start, states, wait};

/// The entries of a rotation's log.
async fn places(test: &TestService) -> Vec<Place> {
    let runs = test.service.list_workflows(None, 1).await.unwrap();
    assert_eq!(runs[0].kind, "rotate");
    let (_, log) = test.service.find_workflow(runs[0].id).await.unwrap();
    log.into_iter()
        .map(|entry| Place {
            kind: "rotate".to_owned(),
            step: entry.step,
            event: entry.event,
        })
        .collect()
}

/// Whether there is nothing half-done any more: one secret to use, and none on its way.
async fn expect_settled(test: &TestService, tenant: TenantId, at: &str) {
    let states = states(&test.service, tenant).await;
    let active = states
        .iter()
        .filter(|(_, state)| *state == CredentialState::Active);
    assert_eq!(active.count(), 1, "{at}: {states:?}");
    let moving =
        "SELECT COUNT(*) FROM tenant_database_users WHERE state IN ('pending', 'retiring')";
    assert_eq!(test.control().number(moving).await.unwrap(), 0, "{at}");
    let unfinished = "SELECT COUNT(*) FROM workflows WHERE finished_at IS NULL OR state = 'stuck'";
    assert_eq!(test.control().number(unfinished).await.unwrap(), 0, "{at}");
}

/// Lets a process die at a place of a rotation, and another go on; the credentials to use then.
async fn die_at(test: &TestService, tenant: TenantId, place: Place, known: Access) -> Access {
    let at = format!("died after {} {}", place.step, place.event);
    let done = (place.step.as_str(), place.event) == ("switch", LogEvent::Succeeded);
    let (faults, reached) = place.halt(|_, _, _| None);
    let dying = Arc::new(test.beside(faults).await.unwrap());
    let acting = Arc::clone(&dying);
    let acting = tokio::spawn(async move { rotate(&acting.service, tenant).await.map(drop) });
    tokio::time::timeout(Duration::from_secs(30), reached.wait())
        .await
        .unwrap_or_else(|_| panic!("{at}: never came there"));
    acting.abort();
    // A working credential at every moment.
    enter(&known).await.unwrap();
    wait(rotate(&test.service, tenant).await);
    enter(&known).await.unwrap();

    test.clock.advance(LEASE);
    test.settle().await.unwrap();
    enter(&known).await.unwrap();
    let switched = states(&test.service, tenant)
        .await
        .iter()
        .any(|(slot, state)| {
            *state == CredentialState::Active && !known.user.ends_with(&format!("_{slot}"))
        });
    // Nobody was shown what it had made, so only where it had switched already it stays.
    assert_eq!(switched, done, "{at}");
    if switched {
        // It had come to its end, and whoever asked is not there to see: so once more, in time.
        wait(rotate(&test.service, tenant).await);
        drain(test).await;
    }
    let next = rotate(&test.service, tenant).await.unwrap();
    enter(&next).await.unwrap();
    drain(test).await;
    enter(&next).await.unwrap();
    expect_settled(test, tenant, &at).await;
    next
}

async fn a_process_dies_anywhere(driver: Driver) {
    let (test, tenant) = start(driver).await;
    let mut known = rotate(&test.service, tenant).await.unwrap();
    let places = places(&test).await;
    assert_eq!(places.len(), 8, "{places:?}");
    for place in places {
        known = die_at(&test, tenant, place, known).await;
    }
}

/// The very first rotation has nothing that works before it, and must leave none that nobody knows.
async fn the_first_dies(driver: Driver) {
    let (test, tenant) = start(driver).await;
    let place = Place {
        kind: "rotate".to_owned(),
        step: "try_sign_in".to_owned(),
        event: LogEvent::Succeeded,
    };
    let (faults, reached) = place.halt(|_, _, _| None);
    let dying = test.beside(faults).await.unwrap();
    let acting = tokio::spawn(async move { rotate(&dying.service, tenant).await.map(drop) });
    reached.wait().await;
    acting.abort();
    // Somebody asks again once the dead one's time is over, before any housekeeping.
    test.clock.advance(LEASE);
    let access = rotate(&test.service, tenant).await.unwrap();
    enter(&access).await.unwrap();
    expect_settled(&test, tenant, "first").await;
}

/// A step that fails leaves what there was, and the next try works.
async fn a_step_fails_for_good(driver: Driver) {
    let (test, tenant) = start(driver).await;
    let mut known = rotate(&test.service, tenant).await.unwrap();
    for step in ["prepare", "set_password", "try_sign_in", "switch"] {
        for moment in [Moment::BeforeForward, Moment::AfterForward] {
            let at = format!("{step} {moment:?}");
            let faults = Faults::new(move |_, running, now| {
                ((running, now) == (step, moment)).then_some(Fault::Fatal)
            });
            let failing = test.beside(faults).await.unwrap();
            let outcome = rotate(&failing.service, tenant).await;
            enter(&known).await.unwrap();
            if (step, moment) == ("switch", Moment::AfterForward) {
                // What has happened counts, whatever the engine heard of it.
                known = outcome.unwrap();
                enter(&known).await.unwrap();
            } else {
                assert!(outcome.is_err(), "{at}");
                let next = rotate(&test.service, tenant).await.unwrap();
                enter(&next).await.unwrap();
                known = next;
            }
            drain(&test).await;
            expect_settled(&test, tenant, &at).await;
        }
    }
}

async fn each_step_may_be_done_twice(driver: Driver) {
    let (test, tenant) = start(driver).await;
    let acting = test.beside(Faults::every_step_twice()).await.unwrap();
    for _ in 0..3 {
        let access = rotate(&acting.service, tenant).await.unwrap();
        enter(&access).await.unwrap();
        drain(&test).await;
        enter(&access).await.unwrap();
        expect_settled(&test, tenant, "twice").await;
    }
}

/// Whoever ends the old credentials dies at it; another does it once its hold is over.
async fn whoever_ends_the_old_ones_dies(driver: Driver) {
    let (test, tenant) = start(driver).await;
    let old = rotate(&test.service, tenant).await.unwrap();
    let new = rotate(&test.service, tenant).await.unwrap();
    let hold = Duration::from_mins(2);
    test.clock.advance(tenantry_testkit::service::DRAIN);
    let until = (test.clock.now() + hold).micros();
    let claim =
        format!("UPDATE tenant_database_users SET held_until = {until} WHERE state = 'retiring'");
    assert_eq!(test.control().damage(&claim).await.unwrap(), 1);
    // It had come as far as disabling the login.
    superuser(&format!(
        "ALTER ROLE \"{}\" NOLOGIN PASSWORD NULL",
        old.user
    ))
    .await
    .unwrap();
    test.service.look_after_credentials().await.unwrap();
    assert_eq!(wait(rotate(&test.service, tenant).await), hold);
    enter(&new).await.unwrap();
    test.clock.advance(hold);
    test.service.look_after_credentials().await.unwrap();
    expect_settled(&test, tenant, "ending").await;
    let next = rotate(&test.service, tenant).await.unwrap();
    enter(&next).await.unwrap();
}

on_both!(
    a_process_dies_anywhere,
    the_first_dies,
    a_step_fails_for_good,
    each_step_may_be_done_twice,
    whoever_ends_the_old_ones_dies,
);
