//! Records of tenant databases.

use std::time::Duration;

use tenantry_core::tenant::{DatabaseState, Driver};
use tenantry_core::{Generation, TenantId};
use tenantry_store::ErrorKind;
use tenantry_store::control::DatabaseRecord;

use crate::support::{Bench, Dialect, record};

on_both! {
    a_record_is_pending_until_verified,
    adding_again_changes_nothing,
    a_name_belongs_to_one_record,
    records_are_listed_newest_first,
    a_retired_record_is_not_verified_again,
}

async fn a_record_is_pending_until_verified(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let tenant = bench.draft("acme", 1);
    assert!(apply!(bench, tenants().add(&tenant)));
    let first = Generation::FIRST;
    let mut wanted = record(&tenant, first);
    wanted.driver = Driver::Postgres;
    apply!(bench, databases().add(&wanted, bench.now()));
    assert_eq!(
        look!(bench, databases().lookup(tenant.id, first)),
        Some(wanted.clone())
    );
    assert!(apply!(
        bench,
        databases().mark_verified(tenant.id, first, 4, bench.now())
    ));
    wanted.state = DatabaseState::Verified;
    wanted.schema_version = Some(4);
    wanted.verified_at = Some(bench.now());
    assert_eq!(
        look!(bench, databases().lookup(tenant.id, first)),
        Some(wanted)
    );
    let next = first.next();
    assert!(!apply!(
        bench,
        databases().mark_verified(tenant.id, next, 4, bench.now())
    ));
    apply!(bench, databases().remove(tenant.id, first));
    apply!(bench, databases().remove(tenant.id, first));
    assert_eq!(look!(bench, databases().lookup(tenant.id, first)), None);
}

async fn adding_again_changes_nothing(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let tenant = bench.active_tenant("acme").await;
    let before = look!(bench, databases().lookup(tenant.id, Generation::FIRST)).unwrap();
    let again = DatabaseRecord {
        cluster: "elsewhere".to_owned(),
        ..record(&tenant, Generation::FIRST)
    };
    let later = bench.time.advance(Duration::from_secs(1));
    apply!(bench, databases().add(&again, later));
    let after = look!(bench, databases().lookup(tenant.id, Generation::FIRST)).unwrap();
    assert_eq!(before, after);
}

async fn a_name_belongs_to_one_record(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let tenant = bench.tenant("acme").await;
    let taken = record(&tenant, Generation::FIRST);
    let found = look!(bench, databases().find_by_name("local", &taken.name)).unwrap();
    assert_eq!(found.tenant, tenant.id);
    assert!(look!(bench, databases().find_by_name("other", &taken.name)).is_none());
    let other = bench.draft("globex", 99);
    assert!(apply!(bench, tenants().add(&other)));
    let mut stolen = record(&other, Generation::FIRST);
    stolen.name = taken.name;
    assert_eq!(
        refused!(bench, databases().add(&stolen, bench.now())),
        ErrorKind::Unique
    );
}

async fn records_are_listed_newest_first(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let tenant = bench.tenant("acme").await;
    bench.tenant("globex").await;
    let second = Generation::FIRST.next();
    apply!(
        bench,
        databases().add(&record(&tenant, second), bench.now())
    );
    let listed = look!(bench, databases().list(tenant.id));
    let generations: Vec<_> = listed.iter().map(|record| record.generation).collect();
    assert_eq!(generations, [second, Generation::FIRST]);
    let nobody = TenantId::from_uuid(bench.uuid());
    assert!(look!(bench, databases().list(nobody)).is_empty());
    let orphan = DatabaseRecord {
        tenant: nobody,
        name: "t_orphan".to_owned(),
        ..record(&tenant, second)
    };
    assert_eq!(
        refused!(bench, databases().add(&orphan, bench.now())),
        ErrorKind::Constraint
    );
}

async fn a_retired_record_is_not_verified_again(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let tenant = bench.tenant("acme").await;
    let retire = "UPDATE tenant_databases SET state = 'retired' WHERE tenant_id = $1";
    bench.raw(retire, tenant.id.uuid()).await.unwrap();
    let first = Generation::FIRST;
    assert!(!apply!(
        bench,
        databases().mark_verified(tenant.id, first, 1, bench.now())
    ));
}
