//! Creates remembered by their key.

use std::time::Duration;

use tenantry_core::{TenantId, WorkflowId};
use tenantry_store::control::Remembered;

use crate::support::{Bench, Dialect};

on_both! {
    a_key_is_taken_once,
    keys_are_forgotten,
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
