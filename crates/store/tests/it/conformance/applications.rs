//! Applications for a tenant: proven in time, decided once, forgotten.

use std::time::Duration;

use tenantry_core::application::ApplicationState::{
    self, Approved, Expired, Pending, PendingProof, Rejected,
};
use tenantry_core::{ApplicationId, TenantId};
use tenantry_store::control::ApplicationRecord;

use crate::support::{Bench, Dialect};

on_both! {
    an_address_is_proven_once_and_in_time,
    an_application_is_decided_once,
    one_whose_tenant_could_not_be_made_waits_again,
    they_are_listed_by_state_the_newest_first,
    what_ran_out_is_forgotten,
}

const DAY: Duration = Duration::from_hours(24);

pub(super) async fn apply(bench: &Bench) -> (ApplicationRecord, [u8; 32]) {
    let application = ApplicationRecord {
        id: ApplicationId::from_uuid(bench.uuid()),
        state: PendingProof,
        name: "Acme".to_owned(),
        slug: "acme".to_owned(),
        applicant: vec![1, 2, 3],
        expires_at: bench.now() + DAY,
        reason: None,
        tenant: None,
        created_at: bench.now(),
        proven_at: None,
        decided_at: None,
    };
    let hash = bench.hash();
    apply!(bench, applications().add(&application, &hash));
    (application, hash)
}

async fn proven(bench: &Bench) -> ApplicationId {
    let (application, hash) = apply(bench).await;
    let now = bench.now();
    assert!(apply!(
        bench,
        applications().mark_proven(application.id, &hash, now)
    ));
    application.id
}

async fn state(bench: &Bench, id: ApplicationId) -> ApplicationState {
    look!(bench, applications().lookup(id)).unwrap().state
}

async fn an_address_is_proven_once_and_in_time(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let (application, hash) = apply(&bench).await;
    let (id, wrong) = (application.id, bench.hash());
    assert_eq!(
        look!(bench, applications().lookup(id)),
        Some(application.clone())
    );
    let now = bench.now();
    assert_eq!(
        look!(bench, applications().find_good(id, &wrong, now)),
        None
    );
    assert!(!apply!(bench, applications().mark_proven(id, &wrong, now)));
    let late = now + DAY;
    assert_eq!(
        look!(bench, applications().find_good(id, &hash, late)),
        None
    );
    assert!(!apply!(bench, applications().mark_proven(id, &hash, late)));
    assert_eq!(
        look!(bench, applications().find_good(id, &hash, now)),
        Some(application)
    );
    assert!(apply!(bench, applications().mark_proven(id, &hash, now)));
    assert!(!apply!(bench, applications().mark_proven(id, &hash, now)));
    // Whoever opens the link again is told how things are, as long as nobody decided.
    let seen = look!(bench, applications().find_good(id, &hash, late)).unwrap();
    assert_eq!((seen.state, seen.proven_at), (Pending, Some(now)));
    assert!(apply!(bench, applications().reject(id, None, now)));
    assert_eq!(look!(bench, applications().find_good(id, &hash, now)), None);
}

async fn an_application_is_decided_once(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let now = bench.now();
    let tenant = TenantId::from_uuid(bench.uuid());
    let (unproven, _) = apply(&bench).await;
    assert!(!apply!(
        bench,
        applications().approve(unproven.id, tenant, now)
    ));
    assert!(!apply!(
        bench,
        applications().reject(unproven.id, None, now)
    ));
    let id = proven(&bench).await;
    assert!(apply!(bench, applications().approve(id, tenant, now)));
    assert!(!apply!(bench, applications().approve(id, tenant, now)));
    assert!(!apply!(bench, applications().reject(id, Some("no"), now)));
    let seen = look!(bench, applications().lookup(id)).unwrap();
    assert_eq!(
        (seen.state, seen.tenant, seen.decided_at, seen.reason),
        (Approved, Some(tenant), Some(now), None)
    );
    let id = proven(&bench).await;
    assert!(apply!(
        bench,
        applications().reject(id, Some("we know you"), now)
    ));
    assert!(!apply!(bench, applications().approve(id, tenant, now)));
    let seen = look!(bench, applications().lookup(id)).unwrap();
    assert_eq!(
        (seen.state, seen.reason.as_deref()),
        (Rejected, Some("we know you"))
    );
}

async fn one_whose_tenant_could_not_be_made_waits_again(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let now = bench.now();
    let tenant = TenantId::from_uuid(bench.uuid());
    let id = proven(&bench).await;
    assert!(apply!(bench, applications().approve(id, tenant, now)));
    let other = TenantId::from_uuid(bench.uuid());
    assert!(!apply!(bench, applications().reopen(other)));
    assert!(apply!(bench, applications().reopen(tenant)));
    assert!(!apply!(bench, applications().reopen(tenant)));
    let seen = look!(bench, applications().lookup(id)).unwrap();
    assert_eq!(
        (seen.state, seen.tenant, seen.decided_at),
        (Pending, None, None)
    );
    assert!(apply!(bench, applications().approve(id, other, now)));
}

async fn they_are_listed_by_state_the_newest_first(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let now = bench.now();
    let (first, _) = apply(&bench).await;
    let second = proven(&bench).await;
    let third = proven(&bench).await;
    assert!(apply!(bench, applications().reject(second, None, now)));
    let ids = async |state, before, limit| {
        let listed = look!(bench, applications().list(state, before, limit));
        listed.into_iter().map(|one| one.id).collect::<Vec<_>>()
    };
    assert_eq!(ids(None, None, 10).await, [third, second, first.id]);
    assert_eq!(ids(None, None, 2).await, [third, second]);
    assert_eq!(ids(None, Some(second), 10).await, [first.id]);
    assert_eq!(ids(Some(Pending), None, 10).await, [third]);
    assert_eq!(ids(Some(Rejected), None, 10).await, [second]);
    assert!(ids(Some(Approved), None, 10).await.is_empty());
}

async fn what_ran_out_is_forgotten(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let begun = bench.now();
    let (late, _) = apply(&bench).await;
    let waiting = proven(&bench).await;
    let rejected = proven(&bench).await;
    assert!(apply!(bench, applications().reject(rejected, None, begun)));
    assert_eq!(apply!(bench, applications().expire(begun)), 0);
    assert_eq!(apply!(bench, applications().expire(begun + DAY)), 1);
    let seen = look!(bench, applications().lookup(late.id)).unwrap();
    assert_eq!((seen.state, seen.applicant), (Expired, Vec::new()));
    assert_eq!(apply!(bench, applications().remove_done(begun)), 0);
    let after = begun + Duration::from_micros(1);
    assert_eq!(apply!(bench, applications().remove_done(after)), 1);
    assert_eq!(state(&bench, late.id).await, Expired);
    assert_eq!(
        apply!(bench, applications().remove_done(begun + DAY + DAY)),
        1
    );
    assert_eq!(state(&bench, waiting).await, Pending);
}
