//! Records of clusters.

use tenantry_core::Generation;
use tenantry_core::tenant::Driver;
use tenantry_store::control::ClusterRecord;

use crate::support::{Bench, Dialect, record};

on_both! {
    a_cluster_comes_back_as_added,
    a_name_belongs_to_one_cluster,
    what_can_change_about_a_cluster,
    only_an_empty_cluster_goes,
}

fn cluster(bench: &Bench, name: &str) -> ClusterRecord {
    ClusterRecord {
        name: name.to_owned(),
        sealed_url: vec![1, 2, 3],
        host: "db.example".to_owned(),
        port: 6543,
        accepts: true,
        capacity: Some(7),
        sealed_shared: None,
        created_at: bench.now(),
        tenants: 0,
    }
}

async fn a_cluster_comes_back_as_added(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let (west, east) = (cluster(&bench, "west"), cluster(&bench, "east"));
    assert!(apply!(bench, clusters().add(&west)));
    assert!(apply!(bench, clusters().add(&east)));
    assert_eq!(look!(bench, clusters().find("west")), Some(west.clone()));
    assert_eq!(look!(bench, clusters().find("north")), None);
    let address = look!(bench, clusters().address("west"));
    assert_eq!(address, Some(("db.example".to_owned(), 6543)));
    assert_eq!(look!(bench, clusters().address("north")), None);
    assert_eq!(look!(bench, clusters().list()), [east, west]);
}

async fn a_name_belongs_to_one_cluster(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    assert!(apply!(bench, clusters().add(&cluster(&bench, "east"))));
    let other = ClusterRecord {
        host: "elsewhere".to_owned(),
        ..cluster(&bench, "east")
    };
    assert!(!apply!(bench, clusters().add(&other)));
    assert_eq!(
        look!(bench, clusters().find("east")).unwrap().host,
        "db.example"
    );
}

async fn what_can_change_about_a_cluster(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    assert!(apply!(bench, clusters().add(&cluster(&bench, "east"))));
    assert!(apply!(
        bench,
        clusters().change_url("east", &[9], "other.example", 1)
    ));
    assert!(apply!(bench, clusters().change_accepts("east", false)));
    assert!(apply!(bench, clusters().keep_shared("east", &[5])));
    assert!(
        !apply!(bench, clusters().keep_shared("east", &[6])),
        "the first stays"
    );
    let changed = look!(bench, clusters().find("east")).unwrap();
    let wanted = ClusterRecord {
        sealed_url: vec![9],
        host: "other.example".to_owned(),
        port: 1,
        accepts: false,
        sealed_shared: Some(vec![5]),
        ..cluster(&bench, "east")
    };
    assert_eq!(changed, wanted);
    assert!(!apply!(bench, clusters().change_url("west", &[9], "x", 1)));
    assert!(!apply!(bench, clusters().change_accepts("west", true)));
    assert!(!apply!(bench, clusters().keep_shared("west", &[5])));
}

async fn only_an_empty_cluster_goes(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    assert!(apply!(bench, clusters().add(&cluster(&bench, "east"))));
    let tenant = bench.draft("acme", 1);
    assert!(apply!(bench, tenants().add(&tenant)));
    let mut place = record(&tenant, Generation::FIRST);
    place.driver = Driver::Postgres;
    "east".clone_into(&mut place.cluster);
    apply!(bench, databases().add(&place, bench.now()));
    assert_eq!(look!(bench, clusters().find("east")).unwrap().tenants, 1);
    assert!(!apply!(bench, clusters().remove("east")));
    apply!(bench, databases().remove(tenant.id, Generation::FIRST));
    assert!(apply!(bench, clusters().remove("east")));
    assert!(!apply!(bench, clusters().remove("east")));
}
