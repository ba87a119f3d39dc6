//! One-time secrets of a tenant's people: good once, and only as they were bound.

use std::time::Duration;

use tenantry_core::one_time::Purpose;
use tenantry_core::{Generation, OneTimeId, TenantId, UserId};
use tenantry_store::control::StoredSecret;
use tenantry_store::tenant::{Changed, SecretOwner};

use super::users::{email, person};
use crate::support::{Bench, Dialect, People, raw};

on_both! {
    a_secret_is_used_up_once,
    a_secret_is_good_only_as_it_was_bound,
    a_secret_ends_with_its_generation,
    a_secret_of_another_tenant_is_none,
    a_changed_password_voids_it,
    a_disabled_person_has_none,
    a_removed_person_has_none,
    another_one_voids_the_first,
    adding_the_same_again_does_not_revive_it,
    nobody_gets_none,
    what_it_is_about_comes_back,
    all_of_one_person_are_voided,
    one_made_far_ahead_is_not_good,
}

const HOUR: Duration = Duration::from_hours(1);

fn secret(bench: &Bench, purpose: Purpose) -> StoredSecret {
    StoredSecret {
        id: OneTimeId::from_uuid(bench.uuid()),
        purpose,
        hash: bench.hash(),
        created_at: bench.now(),
        expires_at: bench.now() + HOUR,
    }
}

async fn with_secret(bench: &Bench) -> (People, UserId, StoredSecret) {
    let people = bench.people().await;
    let address = email("ada@example.com");
    let ada = person(bench, &address);
    apply!(people, users().add(&ada));
    let secret = secret(bench, Purpose::Reset);
    apply!(people, secrets().add(ada.id, &secret));
    (people, ada.id, secret)
}

async fn good(bench: &Bench, people: &People, secret: &StoredSecret) -> bool {
    let (id, purpose, now) = (secret.id, secret.purpose, bench.now());
    apply!(people, secrets().find_good(id, purpose, &secret.hash, now)).is_some()
}

async fn use_up(bench: &Bench, people: &People, secret: &StoredSecret) -> Option<SecretOwner> {
    let (id, purpose, now) = (secret.id, secret.purpose, bench.now());
    apply!(people, secrets().use_up(id, purpose, &secret.hash, now))
}

async fn a_secret_is_used_up_once(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let (people, user, secret) = with_secret(&bench).await;
    let owner = SecretOwner {
        user,
        expires_at: secret.expires_at,
        payload: None,
    };
    let (id, purpose, now) = (secret.id, secret.purpose, bench.now());
    for _ in 0..2 {
        let found = apply!(people, secrets().find_good(id, purpose, &secret.hash, now));
        assert_eq!(found, Some(owner.clone()), "looking uses nothing up");
    }
    assert_eq!(
        apply!(people, secrets().use_up(id, purpose, &secret.hash, now)),
        Some(owner)
    );
    assert_eq!(
        apply!(people, secrets().use_up(id, purpose, &secret.hash, now)),
        None
    );
    assert!(!good(&bench, &people, &secret).await);
}

async fn a_secret_is_good_only_as_it_was_bound(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let (people, user, secret) = with_secret(&bench).await;
    let wrong = [
        StoredSecret {
            hash: bench.hash(),
            ..secret.clone()
        },
        StoredSecret {
            purpose: Purpose::Setup,
            ..secret.clone()
        },
        StoredSecret {
            id: OneTimeId::from_uuid(bench.uuid()),
            ..secret.clone()
        },
    ];
    for other in &wrong {
        assert!(!good(&bench, &people, other).await, "{other:?}");
        assert_eq!(use_up(&bench, &people, other).await, None, "{other:?}");
    }
    bench.time.advance(HOUR);
    assert!(
        !good(&bench, &people, &secret).await,
        "expires at that very moment"
    );
    assert_eq!(use_up(&bench, &people, &secret).await, None);
    bench.time.set(bench.now() - Duration::from_micros(1));
    assert!(good(&bench, &people, &secret).await);
    assert_eq!(
        use_up(&bench, &people, &secret)
            .await
            .map(|owner| owner.user),
        Some(user)
    );
}

async fn a_secret_ends_with_its_generation(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let (people, _, secret) = with_secret(&bench).await;
    let next = Generation::FIRST.next();
    let later = People::of(people.db.clone(), people.tenant, next).await;
    assert!(!good(&bench, &later, &secret).await);
    assert_eq!(use_up(&bench, &later, &secret).await, None);
    assert!(good(&bench, &people, &secret).await);
}

async fn a_secret_of_another_tenant_is_none(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let (people, user, secret) = with_secret(&bench).await;
    let other = TenantId::from_uuid(bench.uuid());
    let there = People::of(people.db.clone(), other, Generation::FIRST).await;
    assert!(!good(&bench, &there, &secret).await);
    assert_eq!(use_up(&bench, &there, &secret).await, None);
    let another = StoredSecret {
        id: OneTimeId::from_uuid(bench.uuid()),
        ..secret.clone()
    };
    apply!(there, secrets().add(user, &another));
    assert!(
        !good(&bench, &there, &another).await,
        "that person is not theirs"
    );
    assert!(good(&bench, &people, &secret).await);
}

async fn a_changed_password_voids_it(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let (people, user, secret) = with_secret(&bench).await;
    apply!(people, users().set_password(user, "$1", false));
    assert!(!good(&bench, &people, &secret).await);
    assert_eq!(use_up(&bench, &people, &secret).await, None);
}

async fn a_disabled_person_has_none(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let (people, user, secret) = with_secret(&bench).await;
    let disable = "UPDATE tenantry_users SET disabled_at = 1 WHERE id = $1";
    raw(&people.db, disable, user.uuid()).await.unwrap();
    assert!(!good(&bench, &people, &secret).await);
    assert_eq!(use_up(&bench, &people, &secret).await, None);
}

async fn a_removed_person_has_none(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let (people, user, secret) = with_secret(&bench).await;
    assert_eq!(
        apply!(people, users().remove(user)),
        Changed::Yes,
        "secrets don't hold a person back"
    );
    assert!(!good(&bench, &people, &secret).await);
}

async fn another_one_voids_the_first(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let (people, user, first) = with_secret(&bench).await;
    let other_purpose = secret(&bench, Purpose::Setup);
    apply!(people, secrets().add(user, &other_purpose));
    assert!(good(&bench, &people, &first).await, "of another purpose");
    let second = secret(&bench, Purpose::Reset);
    apply!(people, secrets().add(user, &second));
    assert!(!good(&bench, &people, &first).await);
    assert_eq!(use_up(&bench, &people, &first).await, None);
    assert!(use_up(&bench, &people, &second).await.is_some());
    let third = secret(&bench, Purpose::Reset);
    apply!(people, secrets().add(user, &third));
    assert!(
        good(&bench, &people, &third).await,
        "also after one was used"
    );
}

async fn adding_the_same_again_does_not_revive_it(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let (people, user, secret) = with_secret(&bench).await;
    apply!(people, secrets().add(user, &secret));
    assert!(use_up(&bench, &people, &secret).await.is_some());
    apply!(people, secrets().add(user, &secret));
    assert_eq!(use_up(&bench, &people, &secret).await, None);
}

async fn nobody_gets_none(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let people = bench.people().await;
    let secret = secret(&bench, Purpose::Setup);
    apply!(
        people,
        secrets().add(UserId::from_uuid(bench.uuid()), &secret)
    );
    assert!(!good(&bench, &people, &secret).await);
}

async fn what_it_is_about_comes_back(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let (people, user, _) = with_secret(&bench).await;
    let change = secret(&bench, Purpose::NewAddress);
    let about = Some("countess@example.com");
    apply!(people, secrets().add_about(user, &change, about));
    let (id, purpose, now) = (change.id, change.purpose, bench.now());
    let found = apply!(people, secrets().find_good(id, purpose, &change.hash, now));
    assert_eq!(found.unwrap().payload.as_deref(), about);
    let used = use_up(&bench, &people, &change).await;
    assert_eq!(used.unwrap().payload.as_deref(), about);
}

async fn all_of_one_person_are_voided(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let (people, user, reset) = with_secret(&bench).await;
    let setup = secret(&bench, Purpose::Setup);
    apply!(people, secrets().add(user, &setup));
    let address = email("grace@example.com");
    let grace = person(&bench, &address);
    apply!(people, users().add(&grace));
    let hers = secret(&bench, Purpose::Reset);
    apply!(people, secrets().add(grace.id, &hers));
    let now = bench.now();
    assert_eq!(apply!(people, secrets().void_all(user, now)), 2);
    assert!(!good(&bench, &people, &reset).await && !good(&bench, &people, &setup).await);
    assert!(good(&bench, &people, &hers).await, "another's stay");
}

/// A clock that was wrong made it: it would be good until that day.
async fn one_made_far_ahead_is_not_good(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let (people, user, _) = with_secret(&bench).await;
    let now = bench.now();
    let second = Duration::from_secs(1);
    for (ahead, is_good) in [(HOUR + second, false), (HOUR * 24, false), (HOUR, true)] {
        bench.time.advance(ahead);
        let secret = secret(&bench, Purpose::Reset);
        apply!(people, secrets().add(user, &secret));
        bench.time.set(now);
        assert_eq!(good(&bench, &people, &secret).await, is_good, "{ahead:?}");
        let used = use_up(&bench, &people, &secret).await;
        assert_eq!(used.is_some(), is_good, "{ahead:?}");
    }
}
