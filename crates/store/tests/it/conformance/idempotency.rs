//! Creates remembered by their key.

use std::time::Duration;

use tenantry_core::{TenantId, WorkflowId};
use tenantry_store::control::Remembered;

use crate::support::{Bench, Dialect};

on_both! {
    a_key_is_taken_once,
    keys_are_forgotten,
    an_answer_is_kept_under_its_key,
    a_key_is_given_back_while_there_is_no_answer,
    answers_are_forgotten,
}

fn what(bench: &Bench) -> Remembered {
    Remembered {
        request_hash: bench.hash(),
        tenant: TenantId::from_uuid(bench.uuid()),
        workflow: WorkflowId::from_uuid(bench.uuid()),
    }
}

async fn a_key_is_taken_once(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let (key, first, second) = (bench.hash(), what(&bench), what(&bench));
    assert_eq!(look!(bench, idempotency().find(key)), None);
    assert!(apply!(bench, idempotency().add(key, first, bench.now())));
    assert!(!apply!(bench, idempotency().add(key, second, bench.now())));
    assert_eq!(look!(bench, idempotency().find(key)), Some(first));
    assert!(apply!(
        bench,
        idempotency().add(bench.hash(), second, bench.now())
    ));
}

async fn keys_are_forgotten(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let (old, gone, young) = (bench.hash(), bench.hash(), bench.hash());
    let leaving = what(&bench);
    apply!(bench, idempotency().add(old, what(&bench), bench.now()));
    let later = bench.time.advance(Duration::from_secs(1));
    apply!(bench, idempotency().add(young, what(&bench), later));
    apply!(bench, idempotency().add(gone, leaving, later));
    assert_eq!(apply!(bench, idempotency().remove_before(later)), 1);
    assert_eq!(
        apply!(bench, idempotency().remove_tenant(leaving.tenant)),
        1
    );
    assert_eq!(look!(bench, idempotency().find(old)), None);
    assert_eq!(look!(bench, idempotency().find(gone)), None);
    assert!(look!(bench, idempotency().find(young)).is_some());
}

async fn an_answer_is_kept_under_its_key(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let (key, request, now) = (bench.hash(), bench.hash(), bench.now());
    let begin = async |request, now, since| {
        apply!(bench, idempotency().begin(key, request, None, now, since))
    };
    assert_eq!(look!(bench, idempotency().find_begun(key)), None);
    assert!(!apply!(bench, idempotency().keep(key, b"answer")));
    assert!(begin(request, now, now).await);
    assert!(!begin(bench.hash(), now, now).await, "it is under way");
    assert!(apply!(bench, idempotency().keep(key, b"answer")));
    assert!(!apply!(bench, idempotency().keep(key, b"another")));
    let begun = look!(bench, idempotency().find_begun(key)).unwrap();
    assert_eq!((begun.request_hash, begun.created_at), (request, now));
    assert_eq!(begun.answer.as_deref(), Some(&b"answer"[..]));
    // Past its time the key is as good as new.
    let later = bench.time.advance(Duration::from_secs(1));
    let other = bench.hash();
    assert!(!begin(other, later, now).await);
    assert!(begin(other, later, later).await);
    let begun = look!(bench, idempotency().find_begun(key)).unwrap();
    assert_eq!((begun.request_hash, begun.created_at), (other, later));
    assert_eq!(begun.answer, None);
}

async fn a_key_is_given_back_while_there_is_no_answer(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let (key, now) = (bench.hash(), bench.now());
    let begin = async || {
        apply!(
            bench,
            idempotency().begin(key, bench.hash(), None, now, now)
        )
    };
    assert!(begin().await);
    assert!(apply!(bench, idempotency().give_back(key)));
    assert!(!apply!(bench, idempotency().give_back(key)));
    assert!(begin().await);
    assert!(apply!(bench, idempotency().keep(key, b"answer")));
    assert!(!apply!(bench, idempotency().give_back(key)));
    assert!(look!(bench, idempotency().find_begun(key)).is_some());
}

async fn answers_are_forgotten(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let (old, gone, young) = (bench.hash(), bench.hash(), bench.hash());
    let leaving = TenantId::from_uuid(bench.uuid());
    let begin = async |key, tenant, now| {
        let request = bench.hash();
        apply!(bench, idempotency().begin(key, request, tenant, now, now))
    };
    assert!(begin(old, None, bench.now()).await);
    let later = bench.time.advance(Duration::from_secs(1));
    assert!(begin(young, None, later).await);
    assert!(begin(gone, Some(leaving), later).await);
    assert_eq!(apply!(bench, idempotency().remove_answers_before(later)), 1);
    assert_eq!(apply!(bench, idempotency().remove_answers_of(leaving)), 1);
    assert_eq!(look!(bench, idempotency().find_begun(old)), None);
    assert_eq!(look!(bench, idempotency().find_begun(gone)), None);
    assert!(look!(bench, idempotency().find_begun(young)).is_some());
}
