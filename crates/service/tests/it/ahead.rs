//! What a node wrote while its clock was a day ahead, once that is mended.

use std::time::Duration;

use tenantry_core::Timestamp;
use tenantry_saga::{Fault, Faults, Moment};
use tenantry_service::Refusal;
use tenantry_testkit::on_both;
use tenantry_testkit::service::{Driver, LEASE, Options, PASSWORD, RECONCILE, TestService};

use crate::people::{ADA, OTHER, named, one, start, try_from, try_in};

const DAY: Duration = Duration::from_hours(24);

/// A time after that of the databases' server, which has a word in what lies ahead.
const NOW: Timestamp = Timestamp::from_seconds(4_102_444_800);

async fn nobody_is_locked_out_for_longer(driver: Driver) {
    let test = start(driver).await;
    test.clock.set(NOW);
    test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    test.clock.set(NOW + DAY);
    for number in 1..=5 {
        let ip = format!("198.51.100.{number}");
        let wrong = try_from(&test, Some("acme"), ADA, OTHER, &ip).await;
        refused!(wrong, Refusal::InvalidCredentials);
    }
    test.clock.set(NOW);
    let waits = async || match try_in(&test, Some("acme"), ADA, PASSWORD).await {
        Err(Refusal::RateLimited(wait)) => wait,
        other => panic!("not kept waiting: {}", other.is_ok()),
    };
    assert!(waits().await > DAY);
    test.service.sweep().await.unwrap();
    let wait = Duration::from_secs(15);
    assert_eq!(waits().await, wait);
    test.clock.advance(wait);
    one(try_in(&test, Some("acme"), ADA, PASSWORD).await.unwrap());
}

/// It takes what the others write for dates that lie ahead; the server, whose clock is right, tells it
/// that they are none. (A test's clock stands in a past of the server's.)
#[tokio::test(flavor = "multi_thread")]
async fn a_node_whose_clock_is_behind_lifts_nothing() {
    let test = start(Driver::Postgres).await;
    test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    let behind = test.clock.now();
    test.clock.set(behind + DAY);
    for number in 1..=5 {
        let ip = format!("198.51.100.{number}");
        let wrong = try_from(&test, Some("acme"), ADA, OTHER, &ip).await;
        refused!(wrong, Refusal::InvalidCredentials);
    }
    test.clock.set(behind);
    test.service.sweep().await.unwrap();
    test.clock.set(behind + DAY);
    refused!(
        try_in(&test, Some("acme"), ADA, PASSWORD).await,
        Refusal::RateLimited(_)
    );
}

async fn an_admins_link_counts_a_day(driver: Driver) {
    let test = start(driver).await;
    test.clock.set(NOW + DAY);
    let invited = test.service.create_admin(ADA.parse().unwrap(), None).await;
    let link = invited.unwrap().setup_link.unwrap();
    let token = link.expose().rsplit('/').next().unwrap().to_owned();
    test.clock.set(NOW);
    test.service.sweep().await.unwrap();
    test.clock.set(NOW + DAY - Duration::from_secs(1));
    assert!(test.service.setup_view(&token, None).await.is_ok());
    test.clock.set(NOW + DAY);
    refused!(
        test.service.setup_view(&token, None).await,
        Refusal::TokenInvalid
    );
}

/// Work whose process died then is taken up, and the reconciler's turn comes.
async fn work_that_was_left_goes_on(driver: Driver) {
    let faults = Faults::new(|_, step, moment| {
        (step == "owner" && moment == Moment::BeforeForward).then_some(Fault::Halt)
    });
    let test = TestService::start(Options::on(driver).with_faults(faults))
        .await
        .unwrap();
    test.clock.set(NOW + DAY);
    let new = TestService::new_tenant("acme", ADA, Some(PASSWORD)).unwrap();
    let asked = test.service.create_tenant(new, None, Duration::ZERO);
    asked.await.unwrap();
    let begun = "SELECT COUNT(*) FROM workflow_log WHERE step = 'owner'";
    test.control().until(begun).await.unwrap();
    test.service.reconcile().await.unwrap();
    test.clock.set(NOW);
    let next = test.beside(Faults::default()).await.unwrap();
    test.clock.set(NOW + LEASE + RECONCILE);
    assert_eq!(next.service.run_due_workflows().await.unwrap(), 0);
    assert_eq!(next.service.reconcile().await.unwrap(), 0);
    test.clock.set(NOW);
    next.service.sweep().await.unwrap();
    assert_eq!(next.service.run_due_workflows().await.unwrap(), 0);
    test.clock.set(NOW + LEASE + RECONCILE);
    assert_eq!(next.service.run_due_workflows().await.unwrap(), 1);
    assert_eq!(next.service.reconcile().await.unwrap(), 1);
    assert!(named(&next.service, "acme").await.is_ok());
    one(try_in(&next, Some("acme"), ADA, PASSWORD).await.unwrap());
}

on_both!(
    nobody_is_locked_out_for_longer,
    an_admins_link_counts_a_day,
    work_that_was_left_goes_on,
);
