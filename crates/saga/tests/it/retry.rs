//! Steps that fail for now: tried again after a growing pause, and in the end given up.

use std::time::Duration;

use tenantry_core::workflow::WorkflowState;
use tenantry_saga::{Faults, Outcome};
use tenantry_testkit::on_both;
use tenantry_testkit::service::Driver;

use crate::bench::{BUILD, Bench, PACE, again};

async fn a_failing_step_waits_longer_each_time(driver: Driver) {
    let bench = Bench::start(driver).await;
    bench
        .world
        .fail("forward two", [again("busy"), again("busy")]);
    let id = bench.add(BUILD, 1).await;
    let engine = bench.engine(Faults::none());
    for pause in [PACE.pause, PACE.pause * 2] {
        assert_eq!(engine.run(id).await.unwrap(), Outcome::Deferred);
        let run = bench.run(id).await;
        assert_eq!(run.next_run_at, bench.clock.now() + pause);
        assert_eq!(run.error.as_deref(), Some("busy"));
        bench.clock.set(run.next_run_at - Duration::from_micros(1));
        assert_eq!(
            engine.list_due(10).await.unwrap(),
            [],
            "not before its time"
        );
        assert_eq!(engine.run(id).await.unwrap(), Outcome::Elsewhere);
        bench.clock.advance(Duration::from_micros(1));
    }
    let outcome = engine.run(id).await.unwrap();
    assert_eq!(outcome, Outcome::Ended(WorkflowState::Succeeded));
    let forward = |step| {
        let call = format!("forward {step}");
        bench
            .world
            .calls()
            .iter()
            .filter(|made| **made == call)
            .count()
    };
    assert_eq!((forward("one"), forward("two")), (1, 3));
}

async fn a_step_that_never_works_turns_the_run_back(driver: Driver) {
    let bench = Bench::start(driver).await;
    let tries = usize::try_from(PACE.attempts).unwrap();
    bench
        .world
        .fail("forward two", (0..tries).map(|_| again("busy")));
    let id = bench.add(BUILD, 1).await;
    let engine = bench.engine(Faults::none());
    for _ in 1..tries {
        assert_eq!(engine.run(id).await.unwrap(), Outcome::Deferred);
        bench.clock.advance(PACE.longest);
    }
    let outcome = engine.run(id).await.unwrap();
    assert_eq!(outcome, Outcome::Ended(WorkflowState::Undone));
    assert!(bench.world.effects().is_empty());
}

/// The way back has as many tries as the way forward, however many that took.
async fn an_undo_is_tried_as_often_as_a_step(driver: Driver) {
    let bench = Bench::start(driver).await;
    let tries = usize::try_from(PACE.attempts).unwrap();
    bench
        .world
        .fail("forward two", (0..tries).map(|_| again("busy")));
    bench
        .world
        .fail("undo two", (1..tries).map(|_| again("still busy")));
    let id = bench.add(BUILD, 1).await;
    let engine = bench.engine(Faults::none());
    let mut outcome = engine.run(id).await.unwrap();
    while outcome == Outcome::Deferred {
        bench.clock.advance(PACE.longest);
        outcome = engine.run(id).await.unwrap();
    }
    assert_eq!(outcome, Outcome::Ended(WorkflowState::Undone));
    let undone = bench.world.calls();
    assert_eq!(
        undone.iter().filter(|call| *call == "undo two").count(),
        tries
    );
}

on_both!(
    a_failing_step_waits_longer_each_time,
    a_step_that_never_works_turns_the_run_back,
    an_undo_is_tried_as_often_as_a_step,
);
