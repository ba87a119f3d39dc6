//! What a tenant's database says about itself.

use tenantry_core::{Generation, TenantId};
use tenantry_store::tenant::Stamp;

use crate::support::{Bench, Dialect, People};

on_both! {
    a_stamp_is_set_and_raised,
    another_tenants_stamp_is_left_alone,
}

async fn a_stamp_is_set_and_raised(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let people = bench.people().await;
    assert_eq!(apply!(people, stamps().find()), None);
    assert!(apply!(people, stamps().set(1, bench.now())));
    let next = Generation::FIRST.next();
    let later = People::of(people.db.clone(), people.tenant, next).await;
    assert!(apply!(later, stamps().set(2, bench.now())));
    let stamp = apply!(people, stamps().find()).unwrap();
    assert_eq!(
        stamp,
        Stamp {
            tenant: people.tenant,
            generation: next,
            schema_version: 2
        }
    );
}

async fn another_tenants_stamp_is_left_alone(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let people = bench.people().await;
    assert!(apply!(people, stamps().set(1, bench.now())));
    let other = TenantId::from_uuid(bench.uuid());
    let thief = People::of(people.db.clone(), other, Generation::FIRST).await;
    assert!(!apply!(thief, stamps().set(1, bench.now())));
    assert_eq!(
        apply!(thief, stamps().find()).unwrap().tenant,
        people.tenant
    );
}
