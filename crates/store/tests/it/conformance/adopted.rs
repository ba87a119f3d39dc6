//! Records of adopted databases.

use tenantry_core::TenantId;
use tenantry_store::ErrorKind;
use tenantry_store::cluster::AdoptedDatabase;

use crate::support::{Bench, Dialect};

on_both! {
    a_database_is_one_tenants,
    a_report_is_kept_and_goes_with_the_record,
    a_tenant_with_an_adopted_database_is_not_forgotten,
}

fn named(name: &str) -> AdoptedDatabase {
    name.parse().unwrap()
}

async fn a_database_is_one_tenants(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let (acme, globex) = (
        bench.tenant("acme").await.id,
        bench.tenant("globex").await.id,
    );
    let name = named("Tenant \"UML\" ä");
    let now = bench.now();
    assert!(apply!(bench, adopted().add(acme, "default", &name, now)));
    assert!(!apply!(bench, adopted().add(globex, "default", &name, now)));
    // Another one on the same server, and the same name on another server, are other databases.
    let other = named("tenant \"uml\" ä");
    assert!(!apply!(bench, adopted().add(acme, "default", &other, now)));
    assert!(apply!(bench, adopted().add(globex, "other", &name, now)));
    let found = look!(bench, adopted().find("default", &name)).unwrap();
    assert_eq!(
        (found.tenant, found.cluster.as_str(), &found.database),
        (acme, "default", &name)
    );
    assert_eq!(look!(bench, adopted().find("default", &other)), None);
    assert_eq!(look!(bench, adopted().lookup(acme)), Some(found));
    let nobody = TenantId::from_uuid(bench.uuid());
    assert_eq!(look!(bench, adopted().lookup(nobody)), None);
}

async fn a_report_is_kept_and_goes_with_the_record(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let acme = bench.tenant("acme").await.id;
    assert!(!apply!(bench, adopted().keep_report(acme, &[1])));
    let name = named("shop");
    assert!(apply!(
        bench,
        adopted().add(acme, "default", &name, bench.now())
    ));
    for report in [vec![1], vec![2, 3]] {
        assert!(apply!(bench, adopted().keep_report(acme, &report)));
        let kept = look!(bench, adopted().lookup(acme)).unwrap();
        assert_eq!(kept.sealed_report, Some(report));
    }
    for _ in 0..2 {
        apply!(bench, adopted().remove(acme));
        assert_eq!(look!(bench, adopted().lookup(acme)), None);
    }
}

async fn a_tenant_with_an_adopted_database_is_not_forgotten(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let acme = bench.draft("acme", 1);
    assert!(apply!(bench, tenants().add(&acme)));
    let name = named("shop");
    assert!(apply!(
        bench,
        adopted().add(acme.id, "default", &name, bench.now())
    ));
    assert_eq!(
        refused!(bench, tenants().remove(acme.id)),
        ErrorKind::Constraint
    );
}
