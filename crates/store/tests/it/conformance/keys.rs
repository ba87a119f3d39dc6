//! Data keys and signing keys, and the states they pass through.

use std::time::Duration;

use tenantry_core::keys::{SealingState, SigningState};
use tenantry_store::control::{SealedDataKey, SealedSigningKey};
use uuid::Uuid;

use crate::support::{Bench, Dialect};

on_both! {
    data_keys_come_in_the_order_they_were_made,
    one_data_key_seals,
    one_process_at_a_time_seals_anew,
    signing_keys_come_back_as_they_were,
    one_signing_key_signs_and_one_will,
    a_state_changes_from_what_was_read_and_a_retired_key_has_no_seed,
    all_are_revoked_whichever_signs,
    dates_far_ahead_are_put_right,
    retired_keys_are_forgotten,
    each_change_has_a_number,
}

fn data_key(bench: &Bench, state: SealingState, age: u64) -> SealedDataKey {
    let made = bench.now() - Duration::from_hours(age);
    SealedDataKey {
        id: bench.uuid(),
        sealed: vec![0, 255, 7],
        state,
        since: made,
        created_at: made,
    }
}

async fn data_keys(bench: &Bench) -> Vec<(Uuid, SealingState)> {
    let listed = look!(bench, keys().list_data_keys());
    listed.into_iter().map(|key| (key.id, key.state)).collect()
}

async fn data_keys_come_in_the_order_they_were_made(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let late = data_key(&bench, SealingState::Active, 1);
    let early = data_key(&bench, SealingState::Retiring, 2);
    assert!(apply!(bench, keys().add_data_key(&late)));
    assert!(apply!(bench, keys().add_data_key(&early)));
    assert!(!apply!(bench, keys().add_data_key(&early)));
    let listed = look!(bench, keys().list_data_keys());
    assert_eq!(format!("{listed:?}"), format!("{:?}", [&early, &late]));
}

async fn one_data_key_seals(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let (old, new) = (
        data_key(&bench, SealingState::Active, 2),
        data_key(&bench, SealingState::Active, 1),
    );
    assert!(apply!(bench, keys().add_data_key(&old)));
    assert!(!apply!(bench, keys().add_data_key(&new)));
    let now = bench.now();
    assert!(!apply!(bench, keys().retire_data_key(new.id, now)));
    assert!(apply!(bench, keys().retire_data_key(old.id, now)));
    assert!(!apply!(bench, keys().retire_data_key(old.id, now)));
    assert!(apply!(bench, keys().add_data_key(&new)));
    assert_eq!(
        data_keys(&bench).await,
        [
            (old.id, SealingState::Retiring),
            (new.id, SealingState::Active)
        ]
    );
    // The one in use does not go.
    assert!(!apply!(bench, keys().remove_data_key(new.id)));
    assert!(apply!(bench, keys().remove_data_key(old.id)));
    assert!(!apply!(bench, keys().remove_data_key(old.id)));
    assert_eq!(data_keys(&bench).await, [(new.id, SealingState::Active)]);
}

async fn one_process_at_a_time_seals_anew(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let pause = Duration::from_mins(1);
    let (now, later) = (bench.now(), bench.now() + pause);
    let active = data_key(&bench, SealingState::Active, 1);
    assert!(apply!(bench, keys().add_data_key(&active)));
    assert!(!apply!(bench, keys().claim_resealing(pause, now)));
    let retiring = data_key(&bench, SealingState::Retiring, 2);
    assert!(apply!(bench, keys().add_data_key(&retiring)));
    assert!(apply!(bench, keys().claim_resealing(pause, now)));
    let early = later - Duration::from_micros(1);
    assert!(!apply!(bench, keys().claim_resealing(pause, early)));
    assert!(apply!(bench, keys().claim_resealing(pause, later)));
    // A clock that is a little behind waits; one that was far ahead keeps nobody from his turn.
    assert!(!apply!(bench, keys().claim_resealing(pause, now)));
    let before = now - Duration::from_micros(1);
    assert!(apply!(bench, keys().claim_resealing(pause, before)));
}

fn signing_key(bench: &Bench, kid: &str, state: SigningState, age: u64) -> SealedSigningKey {
    let made = bench.now() - Duration::from_hours(age);
    SealedSigningKey {
        kid: kid.to_owned(),
        sealed_seed: (state != SigningState::Retired).then(|| vec![1; 60]),
        public_key: vec![2; 32],
        state,
        since: made,
        created_at: made,
    }
}

async fn states(bench: &Bench) -> Vec<(String, SigningState)> {
    let listed = look!(bench, keys().list_signing_keys());
    listed.into_iter().map(|key| (key.kid, key.state)).collect()
}

async fn signing_keys_come_back_as_they_were(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let young = signing_key(&bench, "young", SigningState::Active, 1);
    let old = signing_key(&bench, "old", SigningState::Retired, 9);
    assert!(apply!(bench, keys().add_signing_key(&young)));
    assert!(apply!(bench, keys().add_signing_key(&old)));
    assert!(!apply!(bench, keys().add_signing_key(&old)));
    let listed = look!(bench, keys().list_signing_keys());
    assert_eq!(format!("{listed:?}"), format!("{:?}", [&old, &young]));
}

async fn one_signing_key_signs_and_one_will(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    for (kid, state, taken) in [
        ("a", SigningState::Active, true),
        ("b", SigningState::Active, false),
        ("c", SigningState::Next, true),
        ("d", SigningState::Next, false),
        ("e", SigningState::Retiring, true),
        ("f", SigningState::Retiring, true),
    ] {
        let key = signing_key(&bench, kid, state, 1);
        assert_eq!(apply!(bench, keys().add_signing_key(&key)), taken, "{kid}");
    }
}

async fn a_state_changes_from_what_was_read_and_a_retired_key_has_no_seed(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let now = bench.now();
    let mut key = signing_key(&bench, "a", SigningState::Next, 1);
    assert!(apply!(bench, keys().add_signing_key(&key)));
    for to in [
        SigningState::Active,
        SigningState::Retiring,
        SigningState::Retired,
    ] {
        assert!(apply!(bench, keys().change_signing_state(&key, to, now)));
        assert!(!apply!(bench, keys().change_signing_state(&key, to, now)));
        key = look!(bench, keys().list_signing_keys()).remove(0);
        assert_eq!((key.state, key.since), (to, now));
        assert_eq!(key.sealed_seed.is_none(), to == SigningState::Retired);
    }
}

async fn all_are_revoked_whichever_signs(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let now = bench.now();
    for (kid, state) in [
        ("a", SigningState::Active),
        ("n", SigningState::Next),
        ("r", SigningState::Retiring),
        ("x", SigningState::Retired),
    ] {
        let key = signing_key(&bench, kid, state, 1);
        assert!(apply!(bench, keys().add_signing_key(&key)));
    }
    assert_eq!(apply!(bench, keys().revoke_signing_keys(now)), 3);
    assert_eq!(apply!(bench, keys().revoke_signing_keys(now)), 0);
    let all = states(&bench).await;
    assert_eq!(all.len(), 4);
    assert!(all.iter().all(|(_, state)| *state == SigningState::Retired));
}

async fn dates_far_ahead_are_put_right(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let now = bench.now();
    let latest = now + Duration::from_mins(10);
    for (kid, ahead) in [("a", 10), ("n", 11)] {
        let state = if kid == "a" {
            SigningState::Active
        } else {
            SigningState::Next
        };
        let mut key = signing_key(&bench, kid, state, 0);
        key.since = now + Duration::from_mins(ahead);
        assert!(apply!(bench, keys().add_signing_key(&key)));
    }
    assert_eq!(apply!(bench, keys().redate_signing_keys(latest, now)), 1);
    let listed = look!(bench, keys().list_signing_keys());
    let since = |key: &SealedSigningKey| (key.kid.clone(), key.since);
    let since: Vec<_> = listed.iter().map(since).collect();
    assert_eq!(since, [("a".to_owned(), latest), ("n".to_owned(), now)]);
    let mut retiring = data_key(&bench, SealingState::Retiring, 0);
    retiring.since = latest + Duration::from_micros(1);
    assert!(apply!(bench, keys().add_data_key(&retiring)));
    assert_eq!(apply!(bench, keys().redate_data_keys(latest, now)), 1);
    assert_eq!(look!(bench, keys().list_data_keys())[0].since, now);
    assert_eq!(apply!(bench, keys().redate_data_keys(latest, now)), 0);
}

async fn retired_keys_are_forgotten(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    for (kid, state) in [("a", SigningState::Active), ("x", SigningState::Retired)] {
        let key = signing_key(&bench, kid, state, 1);
        assert!(apply!(bench, keys().add_signing_key(&key)));
    }
    let made = bench.now() - Duration::from_hours(1);
    assert_eq!(apply!(bench, keys().remove_retired(made)), 0);
    assert_eq!(apply!(bench, keys().remove_retired(bench.now())), 1);
    let left = states(&bench).await;
    assert_eq!(left, [("a".to_owned(), SigningState::Active)]);
}

async fn each_change_has_a_number(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let first = look!(bench, keys().version());
    assert_eq!(apply!(bench, keys().raise_version()), first + 1);
    assert_eq!(look!(bench, keys().version()), first + 1);
}
