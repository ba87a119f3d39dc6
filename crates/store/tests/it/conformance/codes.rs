//! One-time codes: few tries, one use, bound to the person as the person was.

use std::time::Duration;

use tenantry_core::UserId;
use tenantry_core::user::SecurityVersion;

use super::users::{email, person};
use crate::support::{Bench, Dialect, People};

on_both! {
    a_code_has_few_tries,
    many_tries_at_once_are_counted_one_by_one,
    a_code_is_used_up_once,
    a_code_runs_out,
    a_changed_password_voids_it,
    another_one_takes_its_place,
    one_made_far_ahead_is_not_good,
}

const MOST: i64 = 5;

async fn with_code(bench: &Bench) -> (People, UserId, [u8; 32]) {
    let people = bench.people().await;
    let address = email("ada@example.com");
    let ada = person(bench, &address);
    apply!(people, users().add(&ada));
    let hash = bench.hash();
    set(bench, &people, ada.id, &hash).await;
    (people, ada.id, hash)
}

async fn set(bench: &Bench, people: &People, user: UserId, hash: &[u8; 32]) {
    let (now, until) = (bench.now(), bench.now() + Duration::from_mins(10));
    assert!(apply!(people, codes().set(user, hash, now, until)));
    let nobody = UserId::from_uuid(bench.uuid());
    assert!(!apply!(people, codes().set(nobody, hash, now, until)));
}

async fn try_it(bench: &Bench, people: &People, user: UserId) -> Option<[u8; 32]> {
    let tried = apply!(people, codes().count_try(user, MOST, bench.now()));
    tried.map(|(hash, version)| {
        assert_eq!(version, SecurityVersion(1));
        hash
    })
}

async fn a_code_has_few_tries(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let (people, user, hash) = with_code(&bench).await;
    for _ in 0..MOST {
        assert_eq!(try_it(&bench, &people, user).await, Some(hash));
    }
    assert_eq!(try_it(&bench, &people, user).await, None);
    let nobody = UserId::from_uuid(bench.uuid());
    assert_eq!(try_it(&bench, &people, nobody).await, None);
}

async fn many_tries_at_once_are_counted_one_by_one(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let (people, user, _) = with_code(&bench).await;
    let tries = (0..20).map(|_| try_it(&bench, &people, user));
    let heard = futures_util::future::join_all(tries).await;
    assert_eq!(heard.iter().flatten().count(), 5);
}

async fn a_code_is_used_up_once(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let (people, user, hash) = with_code(&bench).await;
    let other = bench.hash();
    assert!(!apply!(people, codes().use_up(user, &other, bench.now())));
    assert!(apply!(people, codes().use_up(user, &hash, bench.now())));
    assert!(!apply!(people, codes().use_up(user, &hash, bench.now())));
    assert_eq!(try_it(&bench, &people, user).await, None);
}

async fn a_code_runs_out(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let (people, user, _) = with_code(&bench).await;
    bench.time.advance(Duration::from_mins(10));
    assert_eq!(try_it(&bench, &people, user).await, None);
}

async fn a_changed_password_voids_it(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let (people, user, _) = with_code(&bench).await;
    apply!(people, users().set_password(user, "$1", false));
    assert_eq!(try_it(&bench, &people, user).await, None);
}

async fn another_one_takes_its_place(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let (people, user, hash) = with_code(&bench).await;
    assert!(apply!(people, codes().use_up(user, &hash, bench.now())));
    let next = bench.hash();
    set(&bench, &people, user, &next).await;
    assert_eq!(try_it(&bench, &people, user).await, Some(next));
}

/// A clock that was wrong made it: it would be good until that day.
async fn one_made_far_ahead_is_not_good(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let (people, user, _) = with_code(&bench).await;
    let (now, life) = (bench.now(), Duration::from_mins(10));
    for (ahead, is_good) in [(life + Duration::from_secs(1), false), (life, true)] {
        bench.time.advance(ahead);
        let hash = bench.hash();
        set(&bench, &people, user, &hash).await;
        bench.time.set(now);
        let tried = try_it(&bench, &people, user).await;
        assert_eq!(tried, is_good.then_some(hash), "{ahead:?}");
    }
}
