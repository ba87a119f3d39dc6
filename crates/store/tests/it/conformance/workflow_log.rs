//! The log of a workflow.

use tenantry_core::WorkflowId;
use tenantry_core::workflow::LogEvent;
use tenantry_store::ErrorKind;

use super::workflows::claim;
use crate::support::{Bench, Dialect};

on_both! {
    entries_are_numbered_and_kept_apart,
    every_event_is_known_to_the_table,
    an_entry_needs_its_run,
}

async fn run(bench: &Bench) -> (WorkflowId, i64) {
    let id = WorkflowId::from_uuid(bench.uuid());
    apply!(
        bench,
        workflows().add(id, "create", 1, None, "{}", bench.now())
    );
    (id, claim(bench, id).await.unwrap().fence)
}

async fn entries_are_numbered_and_kept_apart(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let (first, second) = (run(&bench).await, run(&bench).await);
    let mut tx = bench.begin().await.unwrap();
    for (at, step) in [(first, "reserve"), (second, "drop"), (first, "create")] {
        let mut workflows = tx.workflows();
        let event = LogEvent::Started;
        workflows
            .append(at, step, event, Some("why"), bench.now())
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
    apply!(
        bench,
        workflows().append(first, "create", LogEvent::Failed, None, bench.now())
    );
    let log = look!(bench, workflows().log(first.0));
    let seen: Vec<_> = log
        .iter()
        .map(|entry| (entry.seq, entry.step.as_str()))
        .collect();
    assert_eq!(seen, [(1, "reserve"), (2, "create"), (3, "create")]);
    assert_eq!(
        (log[1].event, log[2].event),
        (LogEvent::Started, LogEvent::Failed)
    );
    assert_eq!(
        (log[1].detail.as_deref(), log[2].detail.as_deref()),
        (Some("why"), None)
    );
    assert_eq!(log[0].at, bench.now());
    assert_eq!(look!(bench, workflows().log(second.0)).len(), 1);
}

async fn every_event_is_known_to_the_table(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let run = run(&bench).await;
    for event in LogEvent::ALL {
        apply!(
            bench,
            workflows().append(run, "step", *event, None, bench.now())
        );
    }
    let log = look!(bench, workflows().log(run.0));
    let events: Vec<_> = log.iter().map(|entry| entry.event).collect();
    assert_eq!(events, LogEvent::ALL);
}

async fn an_entry_needs_its_run(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let nothing = (WorkflowId::from_uuid(bench.uuid()), 1);
    let event = LogEvent::Started;
    let kind = refused!(
        bench,
        workflows().append(nothing, "step", event, None, bench.now())
    );
    assert_eq!(kind, ErrorKind::Constraint);
}
