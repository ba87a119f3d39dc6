//! The reconciler's turn, what it records, and what it looks for.

use std::time::Duration;

use tenantry_core::finding::{Finding, FindingCode, Severity};
use tenantry_core::tenant::Tenant;
use tenantry_core::workflow::WorkflowState;
use tenantry_core::{Generation, TenantId, TenantStatus, UserId, WorkflowId};
use tenantry_store::control::{DirectoryEntry, EntryKind, EntryState};

use super::workflows::claim;
use crate::support::{Bench, Dialect};

on_both! {
    one_has_the_turn_until_its_lease_ends,
    a_pass_replaces_what_earlier_ones_found,
    findings_go_with_their_tenant,
    a_tenant_is_noted_once,
    what_nobody_makes_is_incomplete,
    unsettled_entries_are_old_and_nobodys_work,
    every_recorded_generation_is_known,
}

const MINUTE: Duration = Duration::from_mins(1);

fn finding(tenant: Option<TenantId>, code: FindingCode, repairable: bool) -> Finding {
    Finding {
        tenant,
        code,
        severity: Severity::Error,
        detail: format!("about {code}"),
        repairable,
    }
}

async fn turn(bench: &Bench) -> Option<i64> {
    apply!(bench, reconciler().claim(bench.now(), bench.now() + MINUTE))
}

async fn one_has_the_turn_until_its_lease_ends(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let last = look!(bench, reconciler().last());
    assert_eq!((last.tenants, last.finished_at), (0, None));
    let first = turn(&bench).await.unwrap();
    assert_eq!(turn(&bench).await, None);
    bench.time.advance(MINUTE / 2);
    assert!(apply!(
        bench,
        reconciler().renew(first, bench.now() + MINUTE)
    ));
    bench.time.advance(MINUTE / 2);
    assert_eq!(turn(&bench).await, None, "it was renewed");
    bench.time.advance(MINUTE);
    let second = turn(&bench).await.unwrap();
    assert!(second > first);
    let now = bench.now();
    assert!(!apply!(bench, reconciler().renew(first, now + MINUTE)));
    assert!(!apply!(bench, reconciler().finish(first, 9, now, now)));
    let next = now + MINUTE * 15;
    assert!(apply!(bench, reconciler().finish(second, 3, now, next)));
    let last = look!(bench, reconciler().last());
    assert_eq!(
        (last.tenants, last.finished_at, last.next_at),
        (3, Some(now), next)
    );
    assert_eq!(turn(&bench).await, None, "it is not due");
    bench.time.set(next);
    assert!(turn(&bench).await.is_some());
}

async fn a_pass_replaces_what_earlier_ones_found(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let acme = bench.active_tenant("acme").await.id;
    let globex = bench.active_tenant("globex").await.id;
    let first = turn(&bench).await.unwrap();
    let now = bench.now();
    for found in [
        finding(Some(acme), FindingCode::RoleMissing, true),
        finding(Some(globex), FindingCode::OwnerMissing, false),
        finding(None, FindingCode::DatabaseOrphaned, true),
    ] {
        apply!(bench, reconciler().record(first, &found, now));
    }
    let listed = look!(bench, reconciler().list((0, 0), 10));
    assert_eq!(listed.len(), 3);
    assert_eq!(
        listed[0].finding,
        finding(Some(acme), FindingCode::RoleMissing, true)
    );
    assert_eq!(listed[2].finding.tenant, None);
    let rest = look!(bench, reconciler().list(listed[0].place, 1));
    assert_eq!(rest, listed[1..2]);
    assert!(apply!(bench, reconciler().finish(first, 2, now, now)));

    let second = turn(&bench).await.unwrap();
    assert_eq!(apply!(bench, reconciler().forget(acme)), 1);
    let found = finding(Some(acme), FindingCode::RoleDisabled, true);
    apply!(bench, reconciler().record(second, &found, now));
    assert_eq!(
        look!(bench, reconciler().count()),
        [
            (FindingCode::DatabaseOrphaned, 1),
            (FindingCode::OwnerMissing, 1),
            (FindingCode::RoleDisabled, 1)
        ],
        "what was not looked at again stands until the pass has ended"
    );
    assert!(apply!(bench, reconciler().finish(second, 2, now, now)));
    assert_eq!(
        look!(bench, reconciler().count()),
        [(FindingCode::RoleDisabled, 1)]
    );
}

async fn findings_go_with_their_tenant(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let tenant = bench.draft("acme", 1);
    assert!(apply!(bench, tenants().add(&tenant)));
    assert_eq!(look!(bench, tenants().count()), 1);
    let fence = turn(&bench).await.unwrap();
    let found = finding(Some(tenant.id), FindingCode::RoleMissing, true);
    apply!(bench, reconciler().record(fence, &found, bench.now()));
    let noted = apply!(
        bench,
        reconciler().note_incomplete(tenant.id, tenant.generation, bench.now())
    );
    assert!(noted);
    assert!(apply!(bench, tenants().remove(tenant.id)));
    apply!(bench, reconciler().record(fence, &found, bench.now()));
    assert_eq!(look!(bench, reconciler().count()), []);
    assert_eq!(look!(bench, reconciler().list_noted()), []);
    assert_eq!(look!(bench, tenants().count()), 0);
}

async fn a_tenant_is_noted_once(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let tenant = bench.tenant("acme").await.id;
    let first = Generation::FIRST;
    let note = async |generation| {
        apply!(
            bench,
            reconciler().note_incomplete(tenant, generation, bench.now())
        )
    };
    assert!(note(first).await);
    assert!(!note(first).await);
    assert!(note(first.next()).await, "another life");
    assert_eq!(
        look!(bench, reconciler().list_noted()),
        [(tenant, first), (tenant, first.next())]
    );
    apply!(bench, reconciler().forget_incomplete(tenant, first));
    assert!(note(first).await);
}

async fn add_run(bench: &Bench, tenant: &Tenant) -> WorkflowId {
    let id = WorkflowId::from_uuid(bench.uuid());
    let added = apply!(
        bench,
        workflows().add(id, "provision", 2, Some(tenant.id), "{}", bench.now())
    );
    assert!(added);
    id
}

async fn what_nobody_makes_is_incomplete(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    bench.active_tenant("whole").await;
    let alone = bench.tenant("alone").await;
    let failed = bench.tenant("failed").await;
    let (from, to) = (TenantStatus::Provisioning, TenantStatus::Failed);
    assert!(apply!(bench, tenants().change_status(failed.id, from, to)));
    let stuck = bench.tenant("stuck").await;
    let run = claim(&bench, add_run(&bench, &stuck).await).await.unwrap();
    assert!(apply!(
        bench,
        workflows().finish(
            (run.run.id, run.fence),
            WorkflowState::Stuck,
            Some("no"),
            bench.now()
        )
    ));
    let slow = bench.tenant("slow").await;
    add_run(&bench, &slow).await;
    let begun = bench.now();
    bench.time.advance(MINUTE * 10);
    let fresh = bench.tenant("fresh").await;
    add_run(&bench, &fresh).await;
    let ids = |tenants: Vec<Tenant>| {
        let slugs = tenants.into_iter().map(|tenant| tenant.slug.to_string());
        slugs.collect::<Vec<_>>()
    };
    let before = begun - Duration::from_micros(1);
    assert_eq!(
        ids(look!(bench, tenants().list_incomplete(before, 10))),
        ["alone", "failed", "stuck"]
    );
    assert_eq!(
        ids(look!(bench, tenants().list_incomplete(begun, 10))),
        ["alone", "failed", "stuck", "slow"]
    );
    assert_eq!(
        ids(look!(bench, tenants().list_incomplete(begun, 1))),
        [alone.slug.as_str()]
    );
}

async fn reserve(bench: &Bench, tenant: &Tenant) -> DirectoryEntry {
    let entry = DirectoryEntry {
        tenant: tenant.id,
        generation: tenant.generation,
        user: UserId::from_uuid(bench.uuid()),
        address_hash: bench.hash(),
        kind: EntryKind::Staff,
        state: EntryState::Reserved,
    };
    apply!(bench, directory().reserve(&entry, false, bench.now()));
    entry
}

async fn unsettled_entries_are_old_and_nobodys_work(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let acme = bench.active_tenant("acme").await;
    let busy = bench.active_tenant("busy").await;
    let making = bench.tenant("making").await;
    let (first, second) = (reserve(&bench, &acme).await, reserve(&bench, &acme).await);
    let confirmed = reserve(&bench, &acme).await;
    assert!(apply!(bench, directory().confirm(acme.id, confirmed.user)));
    let earlier = reserve(&bench, &acme).await;
    bench
        .raw(
            "UPDATE directory SET generation = 9 WHERE user_id = $1",
            earlier.user.uuid(),
        )
        .await
        .unwrap();
    reserve(&bench, &making).await;
    reserve(&bench, &busy).await;
    add_run(&bench, &busy).await;
    let then = bench.now();
    bench.time.advance(MINUTE);
    reserve(&bench, &acme).await;

    let listed = look!(bench, directory().list_unsettled(then, None, 10));
    assert_eq!(listed, [first.clone(), second.clone()]);
    let after = Some((first.tenant, first.user));
    let rest = look!(bench, directory().list_unsettled(then, after, 10));
    assert_eq!(rest, [second]);
    let just_before = then - Duration::from_micros(1);
    assert_eq!(
        look!(bench, directory().list_unsettled(just_before, None, 10)),
        []
    );
}

async fn every_recorded_generation_is_known(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    assert_eq!(look!(bench, databases().list_generations()), []);
    let acme = bench.tenant("acme").await;
    let globex = bench.active_tenant("globex").await;
    let mut known = look!(bench, databases().list_generations());
    known.sort_by_key(|(tenant, _)| tenant.uuid());
    assert_eq!(
        known,
        [(acme.id, Generation::FIRST), (globex.id, Generation::FIRST)]
    );
}
