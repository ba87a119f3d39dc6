//! A tenant's people, also beside another tenant's in the same tables.

use tenantry_core::user::{SecurityVersion, User, Username};
use tenantry_core::{Email, Generation, Role, TenantId, UserId};
use tenantry_store::tenant::{Added, Changed, NewUser};

use crate::support::{Bench, Dialect, People, raw};

on_both! {
    a_person_comes_back_as_added,
    taken_names_are_told_apart,
    adding_again_changes_nothing,
    lists_go_on_after_an_id,
    only_owners_who_can_sign_in_count,
    a_password_raises_the_security_version,
    a_hash_is_replaced_only_if_it_is_the_one_read,
    a_removed_person_is_gone,
    somebody_is_kept_out_once,
    tenants_in_one_database_do_not_see_each_other,
}

pub(crate) fn email(text: &str) -> Email {
    text.parse().unwrap()
}

pub(crate) fn person<'a>(bench: &Bench, email: &'a Email) -> NewUser<'a> {
    NewUser {
        id: UserId::from_uuid(bench.uuid()),
        email,
        username: None,
        full_name: None,
        role: Role::Member,
        password_hash: None,
        must_change_password: false,
        created_at: bench.now(),
    }
}

async fn a_person_comes_back_as_added(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let people = bench.people().await;
    let (address, name) = (
        email("Ada@Example.com"),
        "Ada.L".parse::<Username>().unwrap(),
    );
    let mut ada = person(&bench, &address);
    ada.username = Some(&name);
    ada.full_name = Some("Ada Lovelace");
    ada.role = Role::Owner;
    ada.password_hash = Some("$1");
    ada.must_change_password = true;
    assert_eq!(apply!(people, users().add(&ada)), Added::Yes);
    let by_id = apply!(people, users().lookup(ada.id)).unwrap();
    assert_eq!(by_id.password_hash.as_deref(), Some("$1"));
    let user = by_id.user;
    assert_eq!(
        (user.id, &user.email, user.role),
        (ada.id, &address, Role::Owner)
    );
    assert_eq!(
        (user.username.as_deref(), user.full_name.as_deref()),
        (Some("Ada.L"), Some("Ada Lovelace"))
    );
    assert_eq!(
        (user.security_version, user.created_at),
        (SecurityVersion(1), bench.now())
    );
    assert!(user.must_change_password && user.has_password);
    assert_eq!((user.disabled_at, user.last_login_at), (None, None));
    let by_email = apply!(people, users().find_by_email(&email("ada@example.COM")));
    assert_eq!(by_email.unwrap().user.id, ada.id);
    let by_name = apply!(people, users().find_by_username(&"ADA.l".parse().unwrap()));
    assert_eq!(by_name.unwrap().user.id, ada.id);
    assert!(apply!(people, users().find_by_email(&email("b@example.com"))).is_none());
    assert!(apply!(people, users().find_by_username(&"bob".parse().unwrap())).is_none());
    assert!(apply!(people, users().lookup(UserId::from_uuid(bench.uuid()))).is_none());
}

async fn taken_names_are_told_apart(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let people = bench.people().await;
    let (first, other) = (email("ada@example.com"), email("ADA@example.com"));
    let (name, same_name) = (
        "ada".parse::<Username>().unwrap(),
        "Ada".parse::<Username>().unwrap(),
    );
    let mut ada = person(&bench, &first);
    ada.username = Some(&name);
    assert_eq!(apply!(people, users().add(&ada)), Added::Yes);
    let mut tx = people.begin().await.unwrap();
    let same_address = person(&bench, &other);
    assert_eq!(
        tx.users().add(&same_address).await.unwrap(),
        Added::EmailTaken
    );
    let elsewhere = email("b@example.com");
    let mut namesake = person(&bench, &elsewhere);
    namesake.username = Some(&same_name);
    assert_eq!(
        tx.users().add(&namesake).await.unwrap(),
        Added::UsernameTaken
    );
    let mut both = person(&bench, &other);
    both.username = Some(&same_name);
    assert_eq!(tx.users().add(&both).await.unwrap(), Added::EmailTaken);
    namesake.username = None;
    assert_eq!(
        tx.users().add(&namesake).await.unwrap(),
        Added::Yes,
        "the transaction lives on"
    );
    let third = email("c@example.com");
    assert_eq!(
        tx.users().add(&person(&bench, &third)).await.unwrap(),
        Added::Yes,
        "many have no username"
    );
    tx.commit().await.unwrap();
}

async fn adding_again_changes_nothing(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let people = bench.people().await;
    let (address, moved) = (email("ada@example.com"), email("moved@example.com"));
    let ada = person(&bench, &address);
    assert_eq!(apply!(people, users().add(&ada)), Added::Yes);
    apply!(people, users().set_password(ada.id, "$1", false));
    let again = NewUser {
        id: ada.id,
        role: Role::Owner,
        ..person(&bench, &moved)
    };
    assert_eq!(apply!(people, users().add(&again)), Added::Yes);
    let found = apply!(people, users().lookup(ada.id)).unwrap();
    assert_eq!((found.user.role, found.user.email), (Role::Member, address));
    assert_eq!(found.password_hash.as_deref(), Some("$1"));
}

async fn lists_go_on_after_an_id(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let people = bench.people().await;
    let mut ids = Vec::new();
    for number in 0..5 {
        let address = email(&format!("p{number}@example.com"));
        let new = person(&bench, &address);
        ids.push(new.id);
        apply!(people, users().add(&new));
    }
    let page = async |after, limit| {
        let users = apply!(people, users().list(after, limit));
        users.into_iter().map(|user| user.id).collect::<Vec<_>>()
    };
    assert_eq!(page(None, 3).await, ids[..3]);
    assert_eq!(page(Some(ids[2]), 3).await, ids[3..]);
    assert_eq!(page(Some(ids[4]), 3).await, []);
}

async fn only_owners_who_can_sign_in_count(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let people = bench.people().await;
    let addresses = ["a@example.com", "b@example.com", "c@example.com"].map(email);
    let mut last = None;
    for (address, role) in addresses
        .iter()
        .zip([Role::Owner, Role::Admin, Role::Owner])
    {
        let new = NewUser {
            role,
            ..person(&bench, address)
        };
        apply!(people, users().add(&new));
        last = Some(new.id);
    }
    assert_eq!(apply!(people, users().count_owners()), 2);
    let owners = apply!(people, users().list_owners());
    assert!(owners.iter().all(|owner| owner.role == Role::Owner));
    assert!(owners.is_sorted_by_key(|owner| owner.id));
    assert_eq!(owners.len(), 2);
    let disable = "UPDATE tenantry_users SET disabled_at = 1 WHERE id = $1";
    raw(&people.db, disable, last.unwrap().uuid())
        .await
        .unwrap();
    assert_eq!(apply!(people, users().count_owners()), 1);
    let left = apply!(people, users().list_owners());
    assert_eq!(left.len(), 1);
    assert_ne!(Some(left[0].id), last, "who is kept out is none of them");
}

async fn a_password_raises_the_security_version(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let people = bench.people().await;
    let address = email("ada@example.com");
    let ada = person(&bench, &address);
    apply!(people, users().add(&ada));
    assert!(apply!(people, users().set_password(ada.id, "$1", true)));
    apply!(people, users().mark_signed_in(ada.id, bench.now()));
    let found = apply!(people, users().lookup(ada.id)).unwrap();
    assert_eq!(found.user.security_version, SecurityVersion(2));
    assert!(found.user.has_password && found.user.must_change_password);
    assert_eq!(found.user.last_login_at, Some(bench.now()));
    assert!(apply!(people, users().set_password(ada.id, "$2", false)));
    let found = apply!(people, users().lookup(ada.id)).unwrap();
    assert_eq!(found.user.security_version, SecurityVersion(3));
    assert!(!found.user.must_change_password);
    let nobody = UserId::from_uuid(bench.uuid());
    let version = |people: &User| people.security_version;
    let now = apply!(people, users().lookup(ada.id)).unwrap().user;
    assert!(apply!(
        people,
        users().change_password(ada.id, "$3", version(&now))
    ));
    let after = apply!(people, users().lookup(ada.id)).unwrap();
    assert_eq!(after.password_hash.as_deref(), Some("$3"));
    assert_eq!(after.user.security_version.0, now.security_version.0 + 1);
    assert!(
        !apply!(people, users().change_password(ada.id, "$4", version(&now))),
        "raised meanwhile"
    );
    assert!(!apply!(
        people,
        users().change_password(nobody, "$4", version(&now))
    ));
    assert!(!apply!(people, users().set_password(nobody, "$1", false)));
}

async fn a_hash_is_replaced_only_if_it_is_the_one_read(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let people = bench.people().await;
    let address = email("ada@example.com");
    let ada = person(&bench, &address);
    apply!(people, users().add(&ada));
    assert!(
        !apply!(people, users().upgrade_hash(ada.id, "$1", "$2")),
        "there is none"
    );
    apply!(people, users().set_password(ada.id, "$1", false));
    assert!(apply!(people, users().upgrade_hash(ada.id, "$1", "$2")));
    assert!(!apply!(people, users().upgrade_hash(ada.id, "$1", "$3")));
    let found = apply!(people, users().lookup(ada.id)).unwrap();
    assert_eq!(found.password_hash.as_deref(), Some("$2"));
    assert_eq!(
        found.user.security_version,
        SecurityVersion(2),
        "it is the same password"
    );
}

async fn a_removed_person_is_gone(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let people = bench.people().await;
    let address = email("ada@example.com");
    let ada = person(&bench, &address);
    apply!(people, users().add(&ada));
    assert_eq!(apply!(people, users().remove(ada.id)), Changed::Yes);
    assert_eq!(apply!(people, users().remove(ada.id)), Changed::Gone);
    assert_eq!(
        apply!(people, users().add(&person(&bench, &address))),
        Added::Yes
    );
}

async fn tenants_in_one_database_do_not_see_each_other(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let here = bench.people().await;
    let other = TenantId::from_uuid(bench.uuid());
    let there = People::of(here.db.clone(), other, Generation::FIRST).await;
    let (address, name) = (email("ada@example.com"), "ada".parse::<Username>().unwrap());
    let mut ada = person(&bench, &address);
    ada.username = Some(&name);
    ada.role = Role::Owner;
    assert_eq!(apply!(here, users().add(&ada)), Added::Yes);
    assert!(apply!(there, users().lookup(ada.id)).is_none());
    assert!(apply!(there, users().find_by_email(&address)).is_none());
    assert!(apply!(there, users().find_by_username(&name)).is_none());
    assert!(apply!(there, users().list(None, 10)).is_empty());
    assert_eq!(apply!(there, users().count_owners()), 0);
    assert!(apply!(there, users().list_owners()).is_empty());
    assert!(!apply!(there, users().set_password(ada.id, "$9", false)));
    assert_eq!(apply!(there, users().remove(ada.id)), Changed::Gone);
    assert_eq!(
        apply!(there, users().add(&ada)),
        Added::Yes,
        "the same address, even the same id"
    );
    apply!(there, users().mark_signed_in(ada.id, bench.now()));
    let mine = apply!(here, users().lookup(ada.id)).unwrap();
    assert_eq!((mine.user.last_login_at, mine.password_hash), (None, None));
}

async fn somebody_is_kept_out_once(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let people = bench.people().await;
    let (address, other) = (email("ada@example.com"), email("grace@example.com"));
    let (ada, grace) = (person(&bench, &address), person(&bench, &other));
    for new in [&ada, &grace] {
        assert_eq!(apply!(people, users().add(new)), Added::Yes);
    }
    let now = bench.now();
    assert!(apply!(people, users().mark_disabled(ada.id, now)));
    let later = bench.time.advance(std::time::Duration::from_secs(1));
    assert!(!apply!(people, users().mark_disabled(ada.id, later)));
    let there = apply!(people, users().lookup(ada.id)).unwrap();
    assert_eq!(there.user.disabled_at, Some(now));
    let there = apply!(people, users().lookup(grace.id)).unwrap();
    assert_eq!(there.user.disabled_at, None);
}
