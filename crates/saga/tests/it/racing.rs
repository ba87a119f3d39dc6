//! Two processes and one run.

use std::collections::BTreeSet;
use std::time::Duration;

use tenantry_core::workflow::WorkflowState;
use tenantry_saga::{Faults, Outcome, Pace};
use tenantry_testkit::on_both;
use tenantry_testkit::service::Driver;

use crate::bench::{BUILD, Bench, PACE};

const DONE: Outcome = Outcome::Ended(WorkflowState::Succeeded);

/// The log with the fence each entry was written under.
async fn fences(bench: &Bench) -> Vec<String> {
    bench
        .rows
        .texts("SELECT step || ' ' || event || ' ' || fence FROM workflow_log ORDER BY seq")
        .await
        .unwrap()
}

async fn of_many_engines_one_has_the_run(driver: Driver) {
    let bench = Bench::start(driver).await;
    let id = bench.add(BUILD, 1).await;
    let racing: Vec<_> = (0..8)
        .map(|_| {
            let engine = bench.engine(Faults::none());
            tokio::spawn(async move { engine.run(id).await.unwrap() })
        })
        .collect();
    let mut done = 0;
    for engine in racing {
        match engine.await.unwrap() {
            Outcome::Elsewhere => {}
            outcome => {
                assert_eq!(outcome, DONE);
                done += 1;
            }
        }
    }
    assert_eq!(done, 1);
    assert_eq!(bench.world.calls().len(), 3, "each effect happened once");
    let fences: BTreeSet<String> = fences(&bench)
        .await
        .iter()
        .filter_map(|entry| entry.rsplit(' ').next().map(str::to_owned))
        .collect();
    assert_eq!(fences, BTreeSet::from(["1".to_owned()]));
}

/// The first engine stands in the middle of a step for longer than its lease. What it does then
/// is not recorded, whatever it brings.
async fn who_lost_the_lease_writes_nothing_more(driver: Driver) {
    let bench = Bench::start(driver).await;
    let id = bench.add(BUILD, 1).await;
    let gate = bench.world.gate("forward two");
    let slow = bench.engine(Faults::none());
    let slow = tokio::spawn(async move { slow.run(id).await.unwrap() });
    gate.entered.notified().await;

    bench.clock.advance(PACE.lease);
    let outcome = bench.engine(Faults::none()).run(id).await.unwrap();
    assert_eq!(outcome, DONE);
    let before = fences(&bench).await;
    gate.opened.notify_one();
    assert_eq!(slow.await.unwrap(), Outcome::Elsewhere);

    assert_eq!(fences(&bench).await, before);
    assert_eq!(
        before,
        [
            "one started 1",
            "one succeeded 1",
            "two started 1",
            "two started 2",
            "two succeeded 2",
            "three started 2",
            "three succeeded 2",
        ]
    );
    assert_eq!(bench.state(id).await, WorkflowState::Succeeded);
}

/// An engine in a long step shows signs of life; once the run is somebody else's it lets go, even
/// though its step never ends.
async fn an_engine_in_a_long_step_notices_the_loss(driver: Driver) {
    let bench = Bench::start(driver).await;
    let id = bench.add(BUILD, 1).await;
    let gate = bench.world.gate("forward two");
    let pace = Pace {
        lease: Duration::from_millis(60),
        ..PACE
    };
    let slow = bench.paced(pace, Faults::none());
    let slow = tokio::spawn(async move { slow.run(id).await.unwrap() });
    gate.entered.notified().await;
    let mut tx = bench.control.begin().await.unwrap();
    // Somebody takes the run over while the clock stands beyond the lease.
    let later = bench.clock.now() + Duration::from_hours(1);
    let claim = tx.workflows().claim(id, later, later + PACE.lease).await;
    assert_eq!(claim.unwrap().unwrap().fence, 2);
    tx.commit().await.unwrap();
    assert_eq!(slow.await.unwrap(), Outcome::Elsewhere);
    assert_eq!(
        fences(&bench).await,
        ["one started 1", "one succeeded 1", "two started 1"]
    );
}

async fn a_sign_of_life_keeps_the_run(driver: Driver) {
    let bench = Bench::start(driver).await;
    let id = bench.add(BUILD, 1).await;
    let gate = bench.world.gate("forward two");
    let pace = Pace {
        lease: Duration::from_millis(60),
        ..PACE
    };
    let slow = bench.paced(pace, Faults::none());
    let slow = tokio::spawn(async move { slow.run(id).await.unwrap() });
    gate.entered.notified().await;
    bench.clock.advance(pace.lease / 2);
    let renewed = (bench.clock.now() + pace.lease).micros();
    let until = format!("SELECT COUNT(*) FROM workflows WHERE lease_until = {renewed}");
    bench.rows.until(&until).await.unwrap();
    // The first lease would have ended now.
    bench.clock.advance(pace.lease / 2);
    let other = bench.engine(Faults::none());
    assert_eq!(other.run(id).await.unwrap(), Outcome::Elsewhere);
    gate.opened.notify_one();
    assert_eq!(slow.await.unwrap(), DONE);
}

/// On SQLite one connection writes. A step that has it for longer than a sign of life takes must
/// not be kept from going on by that very sign.
async fn a_step_may_write_to_the_registry_for_long(driver: Driver) {
    let bench = Bench::start(driver).await;
    let pace = Pace {
        lease: Duration::from_millis(60),
        ..PACE
    };
    bench
        .world
        .hold_writer(bench.control.clone(), pace.lease * 2);
    let id = bench.add(BUILD, 1).await;
    let engine = bench.paced(pace, Faults::none());
    let outcome = tokio::time::timeout(Duration::from_secs(5), engine.run(id)).await;
    assert_eq!(outcome.unwrap().unwrap(), DONE);
}

on_both!(
    of_many_engines_one_has_the_run,
    who_lost_the_lease_writes_nothing_more,
    an_engine_in_a_long_step_notices_the_loss,
    a_sign_of_life_keeps_the_run,
    a_step_may_write_to_the_registry_for_long,
);
