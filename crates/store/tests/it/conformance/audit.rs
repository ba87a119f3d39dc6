//! The audit: entries are settled once and sealed once, and one moves the chain's ends at a time.

use std::time::Duration;

use tenantry_core::audit::{Action, Actor, ActorKind, Chain, Entry, Outcome, Source};
use tenantry_core::{AdminId, AuditId, TenantId, UserId};
use tenantry_store::control::AuditFilter;

use crate::support::{Bench, Dialect};

on_both! {
    an_entry_comes_back_as_written,
    an_act_is_settled_once,
    an_act_that_did_not_happen_leaves_nothing,
    what_was_begun_long_ago_is_given_up,
    settled_entries_are_sealed_once_and_in_order,
    one_moves_the_ends_of_the_chain,
    entries_go_from_the_beginning,
    lists_show_what_is_asked_for,
}

fn entry(bench: &Bench, outcome: Option<Outcome>) -> Entry {
    Entry {
        id: AuditId::from_uuid(bench.uuid()),
        at: bench.now(),
        action: Action::named("tenant.create").unwrap(),
        actor: Actor::System,
        tenant: None,
        target: None,
        outcome,
        code: None,
        source: Source::default(),
        detail: None,
    }
}

async fn list(bench: &Bench, filter: AuditFilter) -> Vec<AuditId> {
    let listed = look!(bench, audit().list(&filter, 10));
    listed.into_iter().map(|(entry, _)| entry.id).collect()
}

async fn an_entry_comes_back_as_written(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let plain = entry(&bench, None);
    let full = Entry {
        actor: Actor::Command("ada".to_owned()),
        tenant: Some(TenantId::from_uuid(bench.uuid())),
        target: Some("eu-1".to_owned()),
        code: Some("conflict".to_owned()),
        source: Source {
            ip: Some("2001:db8::7".parse().unwrap()),
            user_agent: Some("curl".to_owned()),
            request_id: Some("r".to_owned()),
        },
        detail: Some("{\"purge\":true}".to_owned()),
        ..entry(&bench, Some(Outcome::Refused))
    };
    apply!(bench, audit().add(&plain));
    apply!(bench, audit().add(&full));
    let all = look!(bench, audit().list(&AuditFilter::default(), 10));
    assert_eq!(all, [(full, None), (plain, None)]);
}

async fn an_act_is_settled_once(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let begun = entry(&bench, None);
    apply!(bench, audit().add(&begun));
    let settled = Entry {
        actor: Actor::User(UserId::from_uuid(bench.uuid())),
        tenant: Some(TenantId::from_uuid(bench.uuid())),
        target: Some("x".to_owned()),
        outcome: Some(Outcome::Failed),
        code: Some("busy".to_owned()),
        detail: Some("{}".to_owned()),
        ..begun
    };
    assert!(apply!(bench, audit().settle(&settled)));
    let again = Entry {
        outcome: Some(Outcome::Done),
        ..settled.clone()
    };
    assert!(!apply!(bench, audit().settle(&again)));
    assert!(!apply!(bench, audit().withdraw(settled.id)));
    let all = look!(bench, audit().list(&AuditFilter::default(), 10));
    assert_eq!(all, [(settled, None)]);
}

async fn an_act_that_did_not_happen_leaves_nothing(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let begun = entry(&bench, None);
    apply!(bench, audit().add(&begun));
    assert!(apply!(bench, audit().withdraw(begun.id)));
    assert!(!apply!(bench, audit().withdraw(begun.id)));
    assert!(!apply!(bench, audit().settle(&begun)));
    assert_eq!(list(&bench, AuditFilter::default()).await, []);
}

async fn what_was_begun_long_ago_is_given_up(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let old = entry(&bench, None);
    let done = entry(&bench, Some(Outcome::Done));
    apply!(bench, audit().add(&old));
    apply!(bench, audit().add(&done));
    let later = bench.time.advance(Duration::from_secs(1));
    let young = entry(&bench, None);
    apply!(bench, audit().add(&young));
    assert_eq!(apply!(bench, audit().abandon(later)), 1);
    let all = look!(bench, audit().list(&AuditFilter::default(), 10));
    let outcomes: Vec<_> = all.iter().map(|(entry, _)| entry.outcome).collect();
    assert_eq!(
        outcomes,
        [None, Some(Outcome::Done), Some(Outcome::Unknown)]
    );
}

async fn settled_entries_are_sealed_once_and_in_order(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let (first, going_on, second) = (
        entry(&bench, Some(Outcome::Done)),
        entry(&bench, None),
        entry(&bench, Some(Outcome::Done)),
    );
    for entry in [&second, &going_on, &first] {
        apply!(bench, audit().add(entry));
    }
    let unsealed = look!(bench, audit().list_unsealed(10));
    assert_eq!(unsealed, [first.clone(), second.clone()]);
    assert_eq!(look!(bench, audit().list_unsealed(1)).len(), 1);
    assert_eq!(look!(bench, audit().count_unsealed()), 3);
    assert_eq!(look!(bench, audit().ends()), None);

    assert!(!apply!(bench, audit().seal(going_on.id, 1, b"h")));
    assert!(apply!(bench, audit().seal(first.id, 1, b"h")));
    assert!(!apply!(bench, audit().seal(first.id, 2, b"i")));
    assert!(apply!(bench, audit().seal(second.id, 2, b"i")));
    assert_eq!(look!(bench, audit().count_unsealed()), 1);
    assert_eq!(look!(bench, audit().ends()), Some((1, 2)));
    let sealed = look!(bench, audit().list_sealed(0, 10));
    let seen: Vec<_> = sealed
        .iter()
        .map(|sealed| (sealed.seq, sealed.hash.as_slice(), sealed.entry.clone()))
        .collect();
    let expected = [
        (1, b"h".as_slice(), Some(first)),
        (2, b"i".as_slice(), Some(second)),
    ];
    assert_eq!(seen, expected);
    assert_eq!(look!(bench, audit().list_sealed(1, 10)).len(), 1);

    // What nobody here writes is read as such, so that it can be told.
    let odd = "UPDATE audit SET action = 'no action' WHERE seq = 1 AND id <> $1";
    bench.raw(odd, bench.uuid()).await.unwrap();
    assert_eq!(look!(bench, audit().list_sealed(0, 1))[0].entry, None);
}

async fn one_moves_the_ends_of_the_chain(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    assert_eq!(look!(bench, audit().find_chain()), None);
    let empty = Chain::begin(bench.now());
    assert!(apply!(bench, audit().begin_chain(&empty, b"m0")));
    assert!(!apply!(bench, audit().begin_chain(&empty, b"other")));
    let longer = Chain {
        last: 3,
        last_hash: b"h3".to_vec(),
        ..empty.clone()
    };
    assert!(apply!(bench, audit().move_chain(&empty, &longer, b"m1")));
    assert!(!apply!(bench, audit().move_chain(&empty, &longer, b"m1")));
    let shorter = Chain {
        pruned: 2,
        pruned_hash: b"h2".to_vec(),
        ..longer.clone()
    };
    assert!(apply!(bench, audit().move_chain(&longer, &shorter, b"m2")));
    assert!(!apply!(bench, audit().move_chain(&longer, &shorter, b"m2")));
    let found = look!(bench, audit().find_chain());
    assert_eq!(found, Some((shorter, b"m2".to_vec())));
}

async fn entries_go_from_the_beginning(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    for seq in 1..=3 {
        let entry = entry(&bench, Some(Outcome::Done));
        apply!(bench, audit().add(&entry));
        assert!(apply!(bench, audit().seal(entry.id, seq, b"h")));
    }
    let unsealed = entry(&bench, Some(Outcome::Done));
    apply!(bench, audit().add(&unsealed));
    assert_eq!(apply!(bench, audit().prune(2)), 2);
    assert_eq!(look!(bench, audit().ends()), Some((3, 3)));
    assert_eq!(list(&bench, AuditFilter::default()).await.len(), 2);
}

async fn lists_show_what_is_asked_for(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let tenant = TenantId::from_uuid(bench.uuid());
    let admin = AdminId::from_uuid(bench.uuid());
    let plain = entry(&bench, Some(Outcome::Done));
    let of_tenant = Entry {
        tenant: Some(tenant),
        ..entry(&bench, Some(Outcome::Done))
    };
    let of_admin = Entry {
        actor: Actor::Admin(admin),
        ..entry(&bench, Some(Outcome::Done))
    };
    let other = Entry {
        action: Action::named("session.begin").unwrap(),
        tenant: Some(tenant),
        ..entry(&bench, None)
    };
    for entry in [&plain, &of_tenant, &of_admin, &other] {
        apply!(bench, audit().add(entry));
    }
    let all = AuditFilter::default;
    let ids = [other.id, of_admin.id, of_tenant.id, plain.id];
    assert_eq!(list(&bench, all()).await, ids);
    assert_eq!(look!(bench, audit().list(&all(), 2)).len(), 2);
    let by_tenant = AuditFilter {
        tenant: Some(tenant),
        ..all()
    };
    assert_eq!(
        list(&bench, by_tenant.clone()).await,
        [other.id, of_tenant.id]
    );
    let by_both = AuditFilter {
        action: Some("session.begin".to_owned()),
        ..by_tenant
    };
    assert_eq!(list(&bench, by_both).await, [other.id]);
    let by_action = AuditFilter {
        action: Some("tenant.create".to_owned()),
        ..all()
    };
    assert_eq!(list(&bench, by_action).await, ids[1..]);
    let by_actor = AuditFilter {
        actor: Some(admin.uuid()),
        ..all()
    };
    assert_eq!(list(&bench, by_actor).await, [of_admin.id]);
    let by_kind = AuditFilter {
        kind: Some(ActorKind::Admin),
        ..all()
    };
    assert_eq!(list(&bench, by_kind).await, [of_admin.id]);
    let between = AuditFilter {
        from: Some(of_tenant.id),
        before: Some(other.id),
        ..all()
    };
    assert_eq!(list(&bench, between).await, [of_admin.id, of_tenant.id]);
}
