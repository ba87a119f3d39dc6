//! Registrations: proven once, and forgotten.

use std::time::Duration;

use tenantry_core::{Generation, OneTimeId};
use tenantry_store::tenant::Registration;

use super::users::{email, person};
use crate::support::{Bench, Dialect, People};

on_both! {
    a_registration_is_taken_once,
    it_is_good_only_as_it_was_bound,
    one_made_far_ahead_is_not_good,
    what_is_done_is_forgotten,
    what_ran_out_is_forgotten,
}

const DAY: Duration = Duration::from_hours(24);

async fn registered(bench: &Bench, people: &People, address: &str) -> (OneTimeId, [u8; 32]) {
    let registration = Registration {
        id: OneTimeId::from_uuid(bench.uuid()),
        email: email(address),
        username: "Ada.L".parse().unwrap(),
        full_name: Some("Ada Lovelace".to_owned()),
        password_hash: "$1".to_owned(),
        expires_at: bench.now() + DAY,
    };
    let hash = bench.hash();
    for _ in 0..2 {
        apply!(
            people,
            registrations().add(&registration, &hash, bench.now())
        );
    }
    (registration.id, hash)
}

async fn a_registration_is_taken_once(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let people = bench.people().await;
    let (id, hash) = registered(&bench, &people, "Ada@example.com").await;
    for _ in 0..2 {
        let found = apply!(people, registrations().find_good(id, &hash, bench.now()));
        assert_eq!(found.unwrap().email, email("Ada@example.com"));
    }
    let taken = apply!(people, registrations().take(id, &hash, bench.now())).unwrap();
    assert_eq!((taken.id, taken.username.as_str()), (id, "Ada.L"));
    assert_eq!(taken.full_name.as_deref(), Some("Ada Lovelace"));
    assert_eq!(
        (taken.password_hash.as_str(), taken.expires_at),
        ("$1", bench.now() + DAY)
    );
    assert!(apply!(people, registrations().take(id, &hash, bench.now())).is_none());
    assert!(apply!(people, registrations().find_good(id, &hash, bench.now())).is_none());
}

async fn it_is_good_only_as_it_was_bound(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let people = bench.people().await;
    let (id, hash) = registered(&bench, &people, "ada@example.com").await;
    let other = bench.hash();
    assert!(apply!(people, registrations().take(id, &other, bench.now())).is_none());
    let late = bench.now() + DAY;
    assert!(apply!(people, registrations().take(id, &hash, late)).is_none());
    let next = Generation::FIRST.next();
    let later_life = People::of(people.db.clone(), people.tenant, next).await;
    assert!(apply!(later_life, registrations().take(id, &hash, bench.now())).is_none());
    assert!(apply!(people, registrations().take(id, &hash, bench.now())).is_some());
}

async fn what_is_done_is_forgotten(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let people = bench.people().await;
    let (address, now) = (email("ada@example.com"), bench.now());
    registered(&bench, &people, "ada@example.com").await;
    registered(&bench, &people, "grace@example.com").await;
    assert_eq!(
        apply!(people, registrations().remove_done(now, &address)),
        0
    );
    apply!(people, users().add(&person(&bench, &address)));
    assert_eq!(
        apply!(people, registrations().remove_done(now, &address)),
        1
    );
    let late = now + DAY;
    assert_eq!(
        apply!(people, registrations().remove_done(late, &address)),
        1
    );
}

async fn what_ran_out_is_forgotten(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let people = bench.people().await;
    registered(&bench, &people, "one@example.com").await;
    bench.time.advance(DAY);
    let (id, hash) = registered(&bench, &people, "two@example.com").await;
    let now = bench.now();
    assert_eq!(apply!(people, registrations().remove_expired(now)), 1);
    assert_eq!(apply!(people, registrations().remove_expired(now)), 0);
    assert!(apply!(people, registrations().find_good(id, &hash, now)).is_some());
}

/// A clock that was wrong made it: it would be good until that day.
async fn one_made_far_ahead_is_not_good(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let people = bench.people().await;
    let now = bench.now();
    for (ahead, is_good) in [(DAY + Duration::from_secs(1), false), (DAY, true)] {
        bench.time.advance(ahead);
        let (id, hash) = registered(&bench, &people, "ada@example.com").await;
        bench.time.set(now);
        let found = apply!(people, registrations().find_good(id, &hash, now));
        assert_eq!(found.is_some(), is_good, "{ahead:?}");
        let taken = apply!(people, registrations().take(id, &hash, now));
        assert_eq!(taken.is_some(), is_good, "{ahead:?}");
    }
}
