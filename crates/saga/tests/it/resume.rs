//! A process that dies after any entry of the log; another one goes on once the lease has passed.

use tenantry_core::workflow::{LogEvent, WorkflowState};
use tenantry_saga::{Fault, Faults, Moment, Outcome};
use tenantry_testkit::on_both;
use tenantry_testkit::service::{Driver, Place};

use crate::bench::{BUILD, Bench, PACE, STEPS, World, never};

/// What the steps meet in a scenario.
type Trouble = fn(&World);

fn none(_: &World) {}

fn third_is_refused(world: &World) {
    world.fail("forward three", (0..2).map(|_| never("no third")));
}

/// The entries a run of this scenario writes when nobody dies.
async fn entries(driver: Driver, trouble: Trouble) -> (Vec<(String, LogEvent)>, WorkflowState) {
    let bench = Bench::start(driver).await;
    trouble(&bench.world);
    let id = bench.add(BUILD, 1).await;
    bench.engine(Faults::none()).run(id).await.unwrap();
    let log = bench.log(id).await;
    let entries = log.into_iter().map(|entry| (entry.step, entry.event));
    (entries.collect(), bench.state(id).await)
}

/// Dies after `step event`, and lets another process go on.
async fn die_at(driver: Driver, step: &str, event: LogEvent, trouble: Trouble) -> Bench {
    let bench = Bench::start(driver).await;
    trouble(&bench.world);
    let id = bench.add(BUILD, 1).await;
    let place = Place {
        kind: BUILD.to_owned(),
        step: step.to_owned(),
        event,
    };
    let (faults, reached) = place.halt(|_, _, _| None);
    let engine = bench.engine(faults);
    let dying = tokio::spawn(async move { engine.run(id).await });
    reached.wait().await;
    dying.abort();
    assert!(dying.await.unwrap_err().is_cancelled());

    let next = bench.engine(Faults::none());
    let early = next.run(id).await.unwrap();
    assert_eq!(early, Outcome::Elsewhere, "the lease still holds");
    bench.clock.advance(PACE.lease);
    assert_eq!(next.list_due(10).await.unwrap(), [id]);
    let outcome = next.run(id).await.unwrap();
    assert!(matches!(outcome, Outcome::Ended(_)), "{outcome:?}");
    bench
}

async fn converges(driver: Driver, trouble: Trouble, end: WorkflowState, effects: &[&str]) {
    let (entries, ended) = entries(driver, trouble).await;
    assert_eq!(ended, end);
    for (step, event) in entries {
        let bench = die_at(driver, &step, event, trouble).await;
        let at = format!("died after {step} {event}");
        let states = bench.rows.texts("SELECT state FROM workflows").await;
        assert_eq!(states.unwrap(), [end.as_str()], "{at}");
        assert_eq!(bench.world.effects(), effects, "{at}");
    }
}

async fn a_death_after_any_entry_is_made_good(driver: Driver) {
    converges(
        driver,
        none,
        WorkflowState::Succeeded,
        &["one", "three", "two"],
    )
    .await;
}

async fn a_death_on_the_way_back_is_made_good(driver: Driver) {
    converges(driver, third_is_refused, WorkflowState::Undone, &[]).await;
}

/// A step whose beginning is in the log may have happened: it is asked, and not done again.
async fn a_step_that_was_begun_is_asked_whether_it_happened(driver: Driver) {
    for happened in [true, false] {
        let bench = Bench::start(driver).await;
        let id = bench.add(BUILD, 1).await;
        let gate = bench.world.gate("forward two");
        let engine = bench.engine(Faults::none());
        let dying = tokio::spawn(async move { engine.run(id).await });
        gate.entered.notified().await;
        dying.abort();
        assert!(dying.await.unwrap_err().is_cancelled());
        if happened {
            bench.world.add_effect("two");
        }
        bench.clock.advance(PACE.lease);
        bench.engine(Faults::none()).run(id).await.unwrap();
        let calls = bench.world.calls();
        let expected: &[&str] = if happened {
            &["probe two", "forward three"]
        } else {
            &["probe two", "forward two", "forward three"]
        };
        // Before: `forward one` and the `forward two` that was cut off.
        assert_eq!(calls[2..], *expected);
        assert_eq!(bench.world.effects().len(), STEPS.len());
    }
}

/// An effect that happened and was not recorded, since the step then failed, is not done again.
async fn a_step_that_failed_after_its_effect_is_asked_too(driver: Driver) {
    let bench = Bench::start(driver).await;
    let id = bench.add(BUILD, 1).await;
    let faults = Faults::new(|_, step, moment| {
        (step == "two" && moment == Moment::AfterForward).then_some(Fault::Retry)
    });
    let outcome = bench.engine(faults).run(id).await.unwrap();
    assert_eq!(outcome, Outcome::Deferred);
    bench.clock.advance(PACE.pause);
    let outcome = bench.engine(Faults::none()).run(id).await.unwrap();
    assert_eq!(outcome, Outcome::Ended(WorkflowState::Succeeded));
    assert_eq!(
        bench.world.calls(),
        ["forward one", "forward two", "probe two", "forward three"]
    );
}

on_both!(
    a_death_after_any_entry_is_made_good,
    a_death_on_the_way_back_is_made_good,
    a_step_that_was_begun_is_asked_whether_it_happened,
    a_step_that_failed_after_its_effect_is_asked_too,
);
