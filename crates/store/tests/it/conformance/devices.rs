//! Devices: known by their secret, in their own generation.

use tenantry_core::{DeviceId, Generation};

use crate::support::{Bench, Dialect, People};

on_both! {
    a_device_is_known_by_its_secret,
    devices_are_listed_and_removed,
    a_device_of_an_earlier_life_is_none,
}

async fn enrol(bench: &Bench, people: &People, name: &str) -> (DeviceId, [u8; 32]) {
    let (id, hash) = (DeviceId::from_uuid(bench.uuid()), bench.hash());
    for _ in 0..2 {
        apply!(people, devices().add(id, name, &hash, bench.now()));
    }
    (id, hash)
}

async fn a_device_is_known_by_its_secret(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let people = bench.people().await;
    let (id, hash) = enrol(&bench, &people, "Till 1").await;
    let found = apply!(people, devices().find_good(id, &hash)).unwrap();
    assert_eq!((found.id, found.name.as_str()), (id, "Till 1"));
    assert_eq!((found.created_at, found.last_used_at), (bench.now(), None));
    let other = bench.hash();
    assert_eq!(apply!(people, devices().find_good(id, &other)), None);
    assert!(apply!(people, devices().mark_used(id, bench.now())));
    let found = apply!(people, devices().find_good(id, &hash)).unwrap();
    assert_eq!(found.last_used_at, Some(bench.now()));
}

async fn devices_are_listed_and_removed(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let people = bench.people().await;
    let (first, hash) = enrol(&bench, &people, "Till 1").await;
    let (second, _) = enrol(&bench, &people, "Till 2").await;
    let listed = apply!(people, devices().list(None, 10));
    let names: Vec<_> = listed.iter().map(|device| device.name.as_str()).collect();
    assert_eq!(names, ["Till 1", "Till 2"]);
    let rest = apply!(people, devices().list(Some(first), 10));
    assert_eq!(rest[0].id, second);
    let known = apply!(people, devices().lookup(first));
    assert_eq!(known.map(|device| device.id), Some(first));
    assert!(apply!(people, devices().remove(first)));
    assert!(apply!(people, devices().lookup(first)).is_none());
    assert!(!apply!(people, devices().remove(first)));
    assert_eq!(apply!(people, devices().find_good(first, &hash)), None);
    assert!(!apply!(people, devices().mark_used(first, bench.now())));
}

async fn a_device_of_an_earlier_life_is_none(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let people = bench.people().await;
    let (id, hash) = enrol(&bench, &people, "Till 1").await;
    let next = Generation::FIRST.next();
    let later_life = People::of(people.db.clone(), people.tenant, next).await;
    assert_eq!(apply!(later_life, devices().find_good(id, &hash)), None);
    assert!(apply!(later_life, devices().list(None, 10)).is_empty());
}
