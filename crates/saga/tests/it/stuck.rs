//! Runs that can go neither forward nor back, and an operator who takes them up again.

use tenantry_core::workflow::{LogEvent, WorkflowState};
use tenantry_saga::{Faults, Outcome};
use tenantry_testkit::on_both;
use tenantry_testkit::service::Driver;

use crate::bench::{BUILD, Bench, PRESS_ON, never};

const STUCK: Outcome = Outcome::Ended(WorkflowState::Stuck);

async fn a_kind_that_does_not_turn_back_stands_still(driver: Driver) {
    let bench = Bench::start(driver).await;
    bench.world.fail("forward two", [never("no second")]);
    let id = bench.add(PRESS_ON, 1).await;
    let engine = bench.engine(Faults::none());
    assert_eq!(engine.run(id).await.unwrap(), STUCK);
    assert_eq!(
        bench.world.calls(),
        ["forward one", "forward two", "stuck run"]
    );
    assert_eq!(bench.world.effects(), ["one"], "nothing was taken back");
    let last = bench.log(id).await.pop().unwrap();
    assert_eq!(
        (last.event, last.step.as_str(), last.detail.as_deref()),
        (LogEvent::Stuck, "two", Some("no second"))
    );
    assert_eq!(engine.run(id).await.unwrap(), Outcome::Elsewhere);

    assert!(engine.retry(&bench.run(id).await).await.unwrap());
    let outcome = engine.run(id).await.unwrap();
    assert_eq!(outcome, Outcome::Ended(WorkflowState::Succeeded));
    assert_eq!(
        bench.world.calls()[3..],
        ["probe two", "forward two", "forward three"]
    );
}

async fn an_undo_that_fails_for_good_stands_still(driver: Driver) {
    let bench = Bench::start(driver).await;
    bench.world.fail("forward three", [never("no third")]);
    bench.world.fail("undo two", [never("can't be undone")]);
    let id = bench.add(BUILD, 1).await;
    let engine = bench.engine(Faults::none());
    assert_eq!(engine.run(id).await.unwrap(), STUCK);
    assert_eq!(bench.world.effects(), ["one", "two"]);
    assert_eq!(
        bench.run(id).await.error.as_deref(),
        Some("can't be undone")
    );

    assert!(engine.retry(&bench.run(id).await).await.unwrap());
    let outcome = engine.run(id).await.unwrap();
    assert_eq!(
        outcome,
        Outcome::Ended(WorkflowState::Undone),
        "it goes on in the direction it had"
    );
    assert!(bench.world.effects().is_empty());
    let again = bench.world.calls();
    assert_eq!(again[again.len() - 2..], ["undo two", "undo one"]);
}

async fn only_a_stuck_run_is_taken_up_again(driver: Driver) {
    let bench = Bench::start(driver).await;
    let id = bench.add(BUILD, 1).await;
    let engine = bench.engine(Faults::none());
    assert!(!engine.retry(&bench.run(id).await).await.unwrap());
    engine.run(id).await.unwrap();
    assert!(!engine.retry(&bench.run(id).await).await.unwrap());
    assert_eq!(bench.state(id).await, WorkflowState::Succeeded);
}

on_both!(
    a_kind_that_does_not_turn_back_stands_still,
    an_undo_that_fails_for_good_stands_still,
    only_a_stuck_run_is_taken_up_again,
);
