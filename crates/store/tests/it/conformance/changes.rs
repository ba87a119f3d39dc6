//! Changing people: names stay unique, an owner stays, what was proved before ends.

use tenantry_core::user::{SecurityVersion, Username};
use tenantry_core::{Email, Role, UserId};
use tenantry_store::tenant::{Change, Changed};

use super::users::{email, person};
use crate::support::{Bench, Dialect, People};

on_both! {
    only_what_is_named_changes,
    taken_names_are_refused,
    what_was_proved_before_ends_with_role_address_and_being_kept_out,
    the_last_owner_stays,
    of_two_owners_at_once_one_stays,
    a_pin_is_set_and_taken_away,
}

async fn add(bench: &Bench, people: &People, address: &Email, role: Role) -> UserId {
    let mut new = person(bench, address);
    new.role = role;
    new.full_name = Some("Somebody");
    apply!(people, users().add(&new));
    new.id
}

async fn version(people: &People, id: UserId) -> SecurityVersion {
    let there = apply!(people, users().lookup(id)).unwrap();
    there.user.security_version
}

async fn only_what_is_named_changes(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let people = bench.people().await;
    let id = add(&bench, &people, &email("ada@example.com"), Role::Member).await;
    let (address, name) = (
        email("Countess@example.com"),
        "Ada".parse::<Username>().unwrap(),
    );
    let all = Change {
        email: Some(&address),
        username: Some(Some(&name)),
        full_name: Some(Some("Ada Lovelace")),
        must_change_password: Some(true),
        ..Change::default()
    };
    for change in [all, Change::default()] {
        assert_eq!(apply!(people, users().change(id, &change)), Changed::Yes);
        let user = apply!(people, users().find_by_email(&address))
            .unwrap()
            .user;
        assert_eq!((user.id, user.username.as_deref()), (id, Some("Ada")));
        assert_eq!(user.full_name.as_deref(), Some("Ada Lovelace"));
        assert!(user.must_change_password);
    }
    let nothing = Change {
        username: Some(None),
        full_name: Some(None),
        must_change_password: Some(false),
        ..Change::default()
    };
    assert_eq!(apply!(people, users().change(id, &nothing)), Changed::Yes);
    let user = apply!(people, users().lookup(id)).unwrap().user;
    assert_eq!((user.username, user.full_name), (None, None));
    assert!(!user.must_change_password);
    let nobody = UserId::from_uuid(bench.uuid());
    assert_eq!(
        apply!(people, users().change(nobody, &Change::default())),
        Changed::Gone
    );
}

async fn taken_names_are_refused(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let people = bench.people().await;
    let (ada, grace) = (email("ada@example.com"), email("grace@example.com"));
    let name = "ada".parse::<Username>().unwrap();
    let mut first = person(&bench, &ada);
    first.username = Some(&name);
    apply!(people, users().add(&first));
    let second = add(&bench, &people, &grace, Role::Member).await;
    let (shouted, same) = (email("ADA@example.com"), "Ada".parse::<Username>().unwrap());
    let address = Change {
        email: Some(&shouted),
        ..Change::default()
    };
    let username = Change {
        username: Some(Some(&same)),
        full_name: Some(Some("nothing of it happens")),
        ..Change::default()
    };
    assert_eq!(
        apply!(people, users().change(second, &address)),
        Changed::EmailTaken
    );
    assert_eq!(
        apply!(people, users().change(second, &username)),
        Changed::UsernameTaken
    );
    let there = apply!(people, users().lookup(second)).unwrap().user;
    assert_eq!(
        (there.email, there.full_name.as_deref()),
        (grace, Some("Somebody"))
    );
    for own in [address, username] {
        assert_eq!(apply!(people, users().change(first.id, &own)), Changed::Yes);
    }
}

async fn what_was_proved_before_ends_with_role_address_and_being_kept_out(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let people = bench.people().await;
    let address = email("ada@example.com");
    add(&bench, &people, &email("owner@example.com"), Role::Owner).await;
    let id = add(&bench, &people, &address, Role::Owner).await;
    let (shouted, other) = (email("ADA@example.com"), email("countess@example.com"));
    let now = bench.now();
    let steps = [
        (
            Change {
                role: Some(Role::Owner),
                ..Change::default()
            },
            1,
        ),
        (
            Change {
                role: Some(Role::Admin),
                ..Change::default()
            },
            2,
        ),
        (
            Change {
                email: Some(&shouted),
                ..Change::default()
            },
            2,
        ),
        (
            Change {
                email: Some(&other),
                ..Change::default()
            },
            3,
        ),
        (
            Change {
                disabled_at: Some(Some(now)),
                ..Change::default()
            },
            4,
        ),
        (
            Change {
                disabled_at: Some(Some(now)),
                ..Change::default()
            },
            4,
        ),
        (
            Change {
                disabled_at: Some(None),
                ..Change::default()
            },
            5,
        ),
        (
            Change {
                disabled_at: Some(None),
                ..Change::default()
            },
            5,
        ),
        (
            Change {
                full_name: Some(None),
                ..Change::default()
            },
            5,
        ),
    ];
    for (change, expected) in steps {
        assert_eq!(apply!(people, users().change(id, &change)), Changed::Yes);
        assert_eq!(version(&people, id).await.0, expected, "{change:?}");
    }
}

async fn the_last_owner_stays(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let people = bench.people().await;
    let owner = add(&bench, &people, &email("owner@example.com"), Role::Owner).await;
    let second = add(&bench, &people, &email("second@example.com"), Role::Owner).await;
    let away = Change {
        disabled_at: Some(Some(bench.now())),
        ..Change::default()
    };
    let demoted = Change {
        role: Some(Role::Member),
        ..Change::default()
    };
    assert_eq!(apply!(people, users().change(second, &away)), Changed::Yes);
    for change in [&away, &demoted] {
        assert_eq!(
            apply!(people, users().change(owner, change)),
            Changed::LastOwner
        );
    }
    assert_eq!(apply!(people, users().remove(owner)), Changed::LastOwner);
    assert_eq!(
        apply!(people, users().remove(second)),
        Changed::Yes,
        "one who is kept out is no owner who gets in"
    );
    assert_eq!(apply!(people, users().count_owners()), 1);
}

async fn of_two_owners_at_once_one_stays(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let people = bench.people().await;
    apply!(people, stamps().set(1, bench.now()));
    let first = add(&bench, &people, &email("first@example.com"), Role::Owner).await;
    let second = add(&bench, &people, &email("second@example.com"), Role::Owner).await;
    let take_out = async |id: UserId| {
        let mut tx = people.begin().await.unwrap();
        tx.users().hold().await.unwrap();
        let outcome = tx.users().remove(id).await.unwrap();
        tx.commit().await.unwrap();
        outcome
    };
    let (one, other) = tokio::join!(take_out(first), take_out(second));
    let mut outcomes = [one, other];
    outcomes.sort_by_key(|outcome| *outcome != Changed::Yes);
    assert_eq!(outcomes, [Changed::Yes, Changed::LastOwner]);
}

async fn a_pin_is_set_and_taken_away(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let people = bench.people().await;
    let id = add(&bench, &people, &email("ada@example.com"), Role::Member).await;
    for pin in [Some("$pin"), None] {
        assert!(apply!(people, users().set_pin(id, pin)));
        let there = apply!(people, users().lookup(id)).unwrap();
        assert_eq!(there.pin_hash.as_deref(), pin);
    }
    let nobody = UserId::from_uuid(bench.uuid());
    assert!(!apply!(people, users().set_pin(nobody, None)));
    // It goes with another role, which whoever set it may not have, and with a password set anew.
    let pin = async || apply!(people, users().lookup(id)).unwrap().pin_hash;
    let named = Change {
        full_name: Some(Some("Ada")),
        role: Some(Role::Member),
        ..Change::default()
    };
    let promoted = Change {
        role: Some(Role::Admin),
        ..Change::default()
    };
    apply!(people, users().set_pin(id, Some("$pin")));
    apply!(people, users().change(id, &named));
    assert_eq!(pin().await.as_deref(), Some("$pin"));
    apply!(people, users().change(id, &promoted));
    assert_eq!(pin().await, None);
    apply!(people, users().set_pin(id, Some("$pin")));
    apply!(people, users().set_password(id, "$1", false));
    assert_eq!(pin().await, None);
}
