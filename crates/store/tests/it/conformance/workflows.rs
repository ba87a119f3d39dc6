//! Workflows: one unfinished for a tenant, one worker at a time, and nothing by a lost fence.

use std::time::Duration;

use tenantry_core::workflow::WorkflowState;
use tenantry_core::{TenantId, WorkflowId};
use tenantry_store::control::Claim;

use crate::support::{Bench, Dialect};

on_both! {
    a_tenant_has_one_unfinished_run,
    work_without_a_tenant_is_not_counted,
    a_claim_holds_until_its_lease_ends,
    a_lost_fence_changes_nothing,
    a_deferred_run_waits,
    a_run_turns_back,
    a_finished_run_forgets_what_it_was_asked,
    a_stuck_run_is_taken_up_again,
    due_runs_are_listed_longest_waiting_first,
    runs_are_listed_newest_first,
}

const MINUTE: Duration = Duration::from_mins(1);

async fn add(bench: &Bench, tenant: Option<TenantId>) -> Option<WorkflowId> {
    let id = WorkflowId::from_uuid(bench.uuid());
    let added = apply!(
        bench,
        workflows().add(id, "create", 2, tenant, r#"{"a":1}"#, bench.now())
    );
    added.then_some(id)
}

pub(super) async fn claim(bench: &Bench, id: WorkflowId) -> Option<Claim> {
    apply!(
        bench,
        workflows().claim(id, bench.now(), bench.now() + MINUTE)
    )
}

async fn finish(bench: &Bench, id: WorkflowId, state: WorkflowState) {
    let claim = claim(bench, id).await.unwrap();
    assert!(apply!(
        bench,
        workflows().finish((id, claim.fence), state, None, bench.now())
    ));
}

async fn a_tenant_has_one_unfinished_run(dialect: Dialect) {
    use WorkflowState::{Stuck, Succeeded, Undone};
    let bench = Bench::open(dialect).await;
    let tenant = TenantId::from_uuid(bench.uuid());
    assert!(look!(bench, workflows().find_unfinished(tenant)).is_none());
    let first = add(&bench, Some(tenant)).await.unwrap();
    assert_eq!(add(&bench, Some(tenant)).await, None);
    assert!(
        add(&bench, Some(TenantId::from_uuid(bench.uuid())))
            .await
            .is_some()
    );
    assert_eq!(
        look!(bench, workflows().find_unfinished(tenant))
            .unwrap()
            .id,
        first
    );
    finish(&bench, first, Succeeded).await;
    assert!(look!(bench, workflows().find_unfinished(tenant)).is_none());
    let second = add(&bench, Some(tenant)).await.unwrap();
    finish(&bench, second, Undone).await;
    let third = add(&bench, Some(tenant)).await.unwrap();
    finish(&bench, third, Stuck).await;
    assert_eq!(
        add(&bench, Some(tenant)).await,
        None,
        "a stuck run is unfinished"
    );
    assert_eq!(
        look!(bench, workflows().find_unfinished(tenant))
            .unwrap()
            .id,
        third
    );
}

async fn work_without_a_tenant_is_not_counted(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    assert!(add(&bench, None).await.is_some());
    let id = add(&bench, None).await.unwrap();
    let run = look!(bench, workflows().lookup(id)).unwrap();
    assert_eq!(
        (run.kind.as_str(), run.version, run.tenant),
        ("create", 2, None)
    );
    assert_eq!((run.params.as_str(), run.attempts), (r#"{"a":1}"#, 0));
    assert_eq!(
        (run.state, run.error, run.finished_at),
        (WorkflowState::Running, None, None)
    );
    assert_eq!(
        (run.next_run_at, run.created_at),
        (bench.now(), bench.now())
    );
    assert!(
        look!(
            bench,
            workflows().lookup(WorkflowId::from_uuid(bench.uuid()))
        )
        .is_none()
    );
}

async fn a_claim_holds_until_its_lease_ends(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let id = add(&bench, None).await.unwrap();
    bench.time.set(bench.now() - MINUTE);
    assert!(claim(&bench, id).await.is_none(), "not due");
    bench.time.advance(MINUTE);
    let first = claim(&bench, id).await.unwrap();
    assert_eq!((first.run.id, first.fence), (id, 1));
    assert!(claim(&bench, id).await.is_none());
    let end = bench.now() + MINUTE;
    bench.time.set(end - Duration::from_micros(1));
    assert!(claim(&bench, id).await.is_none());
    bench.time.set(end);
    assert_eq!(claim(&bench, id).await.unwrap().fence, 2);
    assert!(
        claim(&bench, WorkflowId::from_uuid(bench.uuid()))
            .await
            .is_none()
    );
}

async fn a_lost_fence_changes_nothing(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let id = add(&bench, None).await.unwrap();
    let lost = (id, claim(&bench, id).await.unwrap().fence);
    bench.time.advance(MINUTE);
    let held = (id, claim(&bench, id).await.unwrap().fence);
    let later = bench.now() + MINUTE * 2;
    assert!(!apply!(bench, workflows().renew(id, lost.1, later)));
    assert!(!apply!(bench, workflows().defer(lost, 9, later, Some("x"))));
    assert!(!apply!(bench, workflows().turn_back(lost, "x")));
    let undone = WorkflowState::Undone;
    assert!(!apply!(
        bench,
        workflows().finish(lost, undone, Some("x"), later)
    ));
    let run = look!(bench, workflows().lookup(id)).unwrap();
    assert_eq!(
        (run.state, run.attempts, run.error),
        (WorkflowState::Running, 0, None)
    );
    assert!(apply!(bench, workflows().renew(id, held.1, later)));
    bench.time.advance(MINUTE);
    assert!(claim(&bench, id).await.is_none(), "the lease was renewed");
}

async fn a_deferred_run_waits(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let id = add(&bench, None).await.unwrap();
    let fence = claim(&bench, id).await.unwrap().fence;
    let later = bench.now() + MINUTE * 5;
    assert!(apply!(
        bench,
        workflows().defer((id, fence), 3, later, Some("busy"))
    ));
    bench.time.advance(MINUTE * 2);
    assert!(claim(&bench, id).await.is_none());
    bench.time.set(later);
    let again = claim(&bench, id).await.unwrap();
    assert_eq!(
        (again.run.attempts, again.run.error.as_deref()),
        (3, Some("busy"))
    );
    assert!(apply!(
        bench,
        workflows().defer((id, again.fence), 0, later, None)
    ));
    let run = look!(bench, workflows().lookup(id)).unwrap();
    assert_eq!(
        run.error.as_deref(),
        Some("busy"),
        "no error leaves the last one"
    );
    assert!(
        claim(&bench, id).await.is_some(),
        "deferring gives the lease back"
    );
}

async fn a_run_turns_back(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let id = add(&bench, None).await.unwrap();
    let fence = claim(&bench, id).await.unwrap().fence;
    assert!(apply!(
        bench,
        workflows().turn_back((id, fence), "no space")
    ));
    bench.time.advance(MINUTE);
    let back = claim(&bench, id).await.unwrap();
    assert_eq!(back.run.state, WorkflowState::Undoing);
    assert_eq!(back.run.error.as_deref(), Some("no space"));
}

async fn a_finished_run_forgets_what_it_was_asked(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    for (state, params) in [
        (WorkflowState::Succeeded, "{}"),
        (WorkflowState::Undone, "{}"),
        (WorkflowState::Stuck, r#"{"a":1}"#),
    ] {
        let id = add(&bench, None).await.unwrap();
        finish(&bench, id, state).await;
        let run = look!(bench, workflows().lookup(id)).unwrap();
        assert_eq!((run.state, run.params.as_str()), (state, params));
        assert_eq!(run.finished_at, Some(bench.now()));
        bench.time.advance(MINUTE * 5);
        assert!(claim(&bench, id).await.is_none(), "{state} is over");
    }
}

async fn a_stuck_run_is_taken_up_again(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let id = add(&bench, None).await.unwrap();
    let undoing = WorkflowState::Undoing;
    assert!(
        !apply!(bench, workflows().retry(id, undoing, bench.now())),
        "it is running"
    );
    finish(&bench, id, WorkflowState::Stuck).await;
    let later = bench.now() + MINUTE;
    assert!(apply!(bench, workflows().retry(id, undoing, later)));
    assert!(!apply!(bench, workflows().retry(id, undoing, later)));
    assert!(claim(&bench, id).await.is_none());
    bench.time.set(later);
    let again = claim(&bench, id).await.unwrap();
    assert_eq!((again.run.state, again.run.attempts), (undoing, 0));
    assert_eq!((again.run.finished_at, again.fence), (None, 2));
    let done = add(&bench, None).await.unwrap();
    finish(&bench, done, WorkflowState::Succeeded).await;
    assert!(!apply!(bench, workflows().retry(done, undoing, later)));
}

async fn due_runs_are_listed_longest_waiting_first(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let late = add(&bench, None).await.unwrap();
    bench.time.set(bench.now() - MINUTE);
    let early = add(&bench, None).await.unwrap();
    let claimed = add(&bench, None).await.unwrap();
    let done = add(&bench, None).await.unwrap();
    finish(&bench, done, WorkflowState::Succeeded).await;
    bench.time.advance(MINUTE);
    claim(&bench, claimed).await.unwrap();
    let now = bench.now();
    assert_eq!(look!(bench, workflows().list_due(now, 10)), [early, late]);
    assert_eq!(look!(bench, workflows().list_due(now, 1)), [early]);
    assert_eq!(
        look!(bench, workflows().list_due(now - MINUTE, 10)),
        [early]
    );
}

async fn runs_are_listed_newest_first(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(add(&bench, None).await.unwrap());
    }
    ids.reverse();
    let page = async |before, limit| {
        let runs = look!(bench, workflows().list(before, limit));
        runs.into_iter().map(|run| run.id).collect::<Vec<_>>()
    };
    assert_eq!(page(None, 3).await, ids[..3]);
    assert_eq!(page(Some(ids[2]), 3).await, ids[3..]);
    assert_eq!(page(Some(ids[4]), 3).await, []);
}
