//! A run that meets no trouble, and one that turns back.

use tenantry_core::workflow::WorkflowState;
use tenantry_saga::{Faults, Outcome};
use tenantry_testkit::on_both;
use tenantry_testkit::service::Driver;

use crate::bench::{BUILD, Bench, STEPS, never};

async fn steps_happen_in_order_and_once(driver: Driver) {
    let bench = Bench::start(driver).await;
    let id = bench.add(BUILD, 1).await;
    let outcome = bench.engine(Faults::none()).run(id).await.unwrap();
    assert_eq!(outcome, Outcome::Ended(WorkflowState::Succeeded));
    assert_eq!(
        bench.world.calls(),
        ["forward one", "forward two", "forward three"]
    );
    let story: Vec<String> = STEPS
        .iter()
        .flat_map(|step| [format!("{step} started"), format!("{step} succeeded")])
        .collect();
    assert_eq!(bench.story(id).await, story);
    let run = bench.run(id).await;
    assert_eq!(
        (run.error, run.finished_at),
        (None, Some(bench.clock.now()))
    );
}

async fn a_run_that_ended_is_not_taken_up_again(driver: Driver) {
    let bench = Bench::start(driver).await;
    let id = bench.add(BUILD, 1).await;
    let engine = bench.engine(Faults::none());
    engine.run(id).await.unwrap();
    assert_eq!(engine.list_due(10).await.unwrap(), []);
    assert_eq!(engine.run(id).await.unwrap(), Outcome::Elsewhere);
    assert_eq!(bench.world.calls().len(), 3);
}

async fn a_step_that_fails_for_good_turns_the_run_back(driver: Driver) {
    let bench = Bench::start(driver).await;
    bench.world.fail("forward three", [never("no third")]);
    let id = bench.add(BUILD, 1).await;
    let outcome = bench.engine(Faults::none()).run(id).await.unwrap();
    assert_eq!(outcome, Outcome::Ended(WorkflowState::Undone));
    // The failed step too: its effect may have happened in part.
    assert_eq!(
        bench.world.calls()[3..],
        ["undo three", "undo two", "undo one"]
    );
    assert!(bench.world.effects().is_empty());
    assert_eq!(bench.run(id).await.error.as_deref(), Some("no third"));
    assert_eq!(
        bench.story(id).await[4..],
        [
            "three started",
            "three failed",
            "three undo_started",
            "three undo_finished",
            "two undo_started",
            "two undo_finished",
            "one undo_started",
            "one undo_finished",
        ]
    );
}

async fn what_never_began_is_not_undone(driver: Driver) {
    let bench = Bench::start(driver).await;
    bench.world.fail("forward one", [never("no first")]);
    let id = bench.add(BUILD, 1).await;
    bench.engine(Faults::none()).run(id).await.unwrap();
    assert_eq!(bench.world.calls(), ["forward one", "undo one"]);
}

async fn every_step_twice_does_each_effect_and_each_undo_twice(driver: Driver) {
    let bench = Bench::start(driver).await;
    bench.world.fail("forward three", [never("no third")]);
    let id = bench.add(BUILD, 1).await;
    bench
        .engine(Faults::every_step_twice())
        .run(id)
        .await
        .unwrap();
    assert_eq!(
        bench.world.calls(),
        [
            "forward one",
            "forward one",
            "forward two",
            "forward two",
            "forward three",
            "undo three",
            "undo three",
            "undo two",
            "undo two",
            "undo one",
            "undo one",
        ]
    );
}

on_both!(
    steps_happen_in_order_and_once,
    a_run_that_ended_is_not_taken_up_again,
    a_step_that_fails_for_good_turns_the_run_back,
    what_never_began_is_not_undone,
    every_step_twice_does_each_effect_and_each_undo_twice,
);
