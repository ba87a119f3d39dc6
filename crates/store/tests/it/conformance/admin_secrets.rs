//! One-time secrets of platform admins, and selections: good once, and only as they were bound.

use std::time::Duration;

use tenantry_core::one_time::Purpose;
use tenantry_core::{AdminId, OneTimeId};
use tenantry_store::control::StoredSecret;

use super::admins::admin;
use crate::support::{Bench, Dialect};

on_both! {
    a_secret_is_used_up_once,
    a_secret_is_good_only_as_it_was_bound,
    a_changed_password_voids_it,
    a_disabled_admin_has_none,
    another_one_voids_the_first,
    adding_the_same_again_does_not_revive_it,
    nobody_gets_none,
    a_selection_is_used_up_once,
    expired_ones_are_forgotten,
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

async fn with_secret(bench: &Bench) -> (AdminId, StoredSecret) {
    let record = admin(bench, "root@example.com");
    assert!(apply!(bench, admins().add(&record)));
    let secret = secret(bench, Purpose::Setup);
    apply!(bench, one_time().add(record.admin.id, &secret));
    (record.admin.id, secret)
}

async fn good(bench: &Bench, secret: &StoredSecret) -> bool {
    let now = bench.now();
    let found = look!(
        bench,
        one_time().find_good(secret.id, secret.purpose, &secret.hash, now)
    );
    found.is_some()
}

async fn use_up(bench: &Bench, secret: &StoredSecret) -> Option<AdminId> {
    let now = bench.now();
    apply!(
        bench,
        one_time().use_up(secret.id, secret.purpose, &secret.hash, now)
    )
}

async fn a_secret_is_used_up_once(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let (id, secret) = with_secret(&bench).await;
    let now = bench.now();
    for _ in 0..2 {
        let found = look!(
            bench,
            one_time().find_good(secret.id, secret.purpose, &secret.hash, now)
        );
        assert_eq!(found, Some(id), "looking uses nothing up");
    }
    let used = apply!(
        bench,
        one_time().use_up(secret.id, secret.purpose, &secret.hash, now)
    );
    assert_eq!(used, Some(id));
    assert_eq!(use_up(&bench, &secret).await, None);
    assert!(!good(&bench, &secret).await);
}

async fn a_secret_is_good_only_as_it_was_bound(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let (id, secret) = with_secret(&bench).await;
    let wrong = [
        StoredSecret {
            hash: bench.hash(),
            ..secret.clone()
        },
        StoredSecret {
            purpose: Purpose::Reset,
            ..secret.clone()
        },
        StoredSecret {
            id: OneTimeId::from_uuid(bench.uuid()),
            ..secret.clone()
        },
    ];
    for other in &wrong {
        assert!(!good(&bench, other).await, "{other:?}");
        assert_eq!(use_up(&bench, other).await, None, "{other:?}");
    }
    let end = bench.now() + HOUR;
    bench.time.set(end - Duration::from_micros(1));
    assert!(good(&bench, &secret).await);
    bench.time.set(end);
    assert!(!good(&bench, &secret).await, "expires at that very moment");
    assert_eq!(use_up(&bench, &secret).await, None);
    bench.time.set(end - HOUR);
    assert_eq!(use_up(&bench, &secret).await, Some(id));
}

async fn a_changed_password_voids_it(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let (id, secret) = with_secret(&bench).await;
    apply!(bench, admins().set_password(id, "$1"));
    assert!(!good(&bench, &secret).await);
    assert_eq!(use_up(&bench, &secret).await, None);
}

async fn a_disabled_admin_has_none(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let (id, secret) = with_secret(&bench).await;
    let disable = "UPDATE platform_admins SET disabled_at = 1 WHERE id = $1";
    bench.raw(disable, id.uuid()).await.unwrap();
    assert!(!good(&bench, &secret).await);
    assert_eq!(use_up(&bench, &secret).await, None);
}

async fn another_one_voids_the_first(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let (id, first) = with_secret(&bench).await;
    let other_purpose = secret(&bench, Purpose::Reset);
    apply!(bench, one_time().add(id, &other_purpose));
    assert!(good(&bench, &first).await, "of another purpose");
    let second = secret(&bench, Purpose::Setup);
    apply!(bench, one_time().add(id, &second));
    assert!(!good(&bench, &first).await);
    assert_eq!(use_up(&bench, &first).await, None);
    assert_eq!(use_up(&bench, &second).await, Some(id));
}

async fn adding_the_same_again_does_not_revive_it(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let (id, secret) = with_secret(&bench).await;
    apply!(bench, one_time().add(id, &secret));
    assert_eq!(use_up(&bench, &secret).await, Some(id));
    apply!(bench, one_time().add(id, &secret));
    assert_eq!(use_up(&bench, &secret).await, None);
}

async fn nobody_gets_none(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let secret = secret(&bench, Purpose::Setup);
    apply!(
        bench,
        one_time().add(AdminId::from_uuid(bench.uuid()), &secret)
    );
    assert!(!good(&bench, &secret).await);
}

async fn a_selection_is_used_up_once(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let first = secret(&bench, Purpose::Selection);
    let second = secret(&bench, Purpose::Selection);
    apply!(bench, one_time().add_selection(&first, "[1]"));
    apply!(bench, one_time().add_selection(&second, "[2]"));
    let (id, hash, now) = (first.id, first.hash, bench.now());
    assert_eq!(
        look!(bench, one_time().find_selection(id, &hash, now)).as_deref(),
        Some("[1]")
    );
    assert_eq!(
        look!(bench, one_time().find_selection(id, &second.hash, now)),
        None
    );
    assert_eq!(
        look!(bench, one_time().find_selection(id, &hash, now + HOUR)),
        None
    );
    assert_eq!(
        apply!(bench, one_time().use_up_selection(id, &hash, now + HOUR)),
        None
    );
    assert_eq!(
        apply!(bench, one_time().use_up_selection(id, &second.hash, now)),
        None
    );
    let listed = apply!(bench, one_time().use_up_selection(id, &hash, now));
    assert_eq!(listed.as_deref(), Some("[1]"));
    assert_eq!(
        apply!(bench, one_time().use_up_selection(id, &hash, now)),
        None
    );
    assert_eq!(
        look!(bench, one_time().find_selection(id, &hash, now)),
        None
    );
    let listed = apply!(
        bench,
        one_time().use_up_selection(second.id, &second.hash, now)
    );
    assert_eq!(
        listed.as_deref(),
        Some("[2]"),
        "selections don't void each other"
    );
}

async fn expired_ones_are_forgotten(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let (_, secret) = with_secret(&bench).await;
    assert_eq!(apply!(bench, one_time().remove_expired(bench.now())), 0);
    assert_eq!(
        apply!(bench, one_time().remove_expired(secret.expires_at)),
        0
    );
    let after = secret.expires_at + Duration::from_micros(1);
    assert_eq!(apply!(bench, one_time().remove_expired(after)), 1);
    assert!(!good(&bench, &secret).await);
}
