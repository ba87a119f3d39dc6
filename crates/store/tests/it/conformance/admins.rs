//! Platform admins.

use tenantry_core::AdminId;
use tenantry_core::admin::Admin;
use tenantry_core::user::SecurityVersion;
use tenantry_store::control::AdminRecord;

use crate::support::{Bench, Dialect};

on_both! {
    an_admin_comes_back_as_added,
    a_name_is_set_and_taken_away,
    a_taken_address_is_an_outcome,
    admins_are_listed_oldest_first,
    a_password_raises_the_security_version,
    a_hash_is_replaced_only_if_it_is_the_one_read,
}

pub(crate) fn admin(bench: &Bench, email: &str) -> AdminRecord {
    AdminRecord {
        admin: Admin {
            id: AdminId::from_uuid(bench.uuid()),
            email: email.parse().unwrap(),
            full_name: None,
            security_version: SecurityVersion(1),
            must_change_password: false,
            has_password: false,
            disabled_at: None,
            created_at: bench.now(),
            last_login_at: None,
        },
        password_hash: None,
    }
}

async fn a_name_is_set_and_taken_away(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let (root, other) = (
        admin(&bench, "root@example.com"),
        admin(&bench, "b@example.com"),
    );
    apply!(bench, admins().add(&root));
    apply!(bench, admins().add(&other));
    for name in [Some("Root"), None] {
        assert!(apply!(bench, admins().set_full_name(root.admin.id, name)));
        let found = look!(bench, admins().lookup(root.admin.id)).unwrap();
        assert_eq!(found.admin.full_name.as_deref(), name);
    }
    apply!(bench, admins().set_full_name(root.admin.id, Some("Root")));
    let left = look!(bench, admins().lookup(other.admin.id)).unwrap();
    assert_eq!(left.admin.full_name, None);
    let nobody = AdminId::from_uuid(bench.uuid());
    assert!(!apply!(bench, admins().set_full_name(nobody, None)));
}

async fn an_admin_comes_back_as_added(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let mut record = admin(&bench, "Root@Example.com");
    record.admin.full_name = Some("Root".to_owned());
    record.admin.must_change_password = true;
    record.admin.has_password = true;
    record.admin.disabled_at = Some(bench.now());
    record.password_hash = Some("$argon2id$1".to_owned());
    assert!(apply!(bench, admins().add(&record)));
    let by_id = look!(bench, admins().lookup(record.admin.id)).unwrap();
    assert_eq!(format!("{:?}", by_id.admin), format!("{:?}", record.admin));
    assert_eq!(by_id.password_hash, record.password_hash);
    let by_email = look!(
        bench,
        admins().find_by_email(&"root@example.COM".parse().unwrap())
    );
    assert_eq!(by_email.unwrap().admin.id, record.admin.id);
    assert!(
        look!(
            bench,
            admins().find_by_email(&"b@example.com".parse().unwrap())
        )
        .is_none()
    );
    assert!(look!(bench, admins().lookup(AdminId::from_uuid(bench.uuid()))).is_none());
}

async fn a_taken_address_is_an_outcome(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    assert!(apply!(
        bench,
        admins().add(&admin(&bench, "root@example.com"))
    ));
    let mut tx = bench.begin().await.unwrap();
    assert!(
        !tx.admins()
            .add(&admin(&bench, "ROOT@example.com"))
            .await
            .unwrap()
    );
    assert!(
        tx.admins()
            .add(&admin(&bench, "other@example.com"))
            .await
            .unwrap()
    );
    tx.commit().await.unwrap();
}

async fn admins_are_listed_oldest_first(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    for (email, age) in [
        ("b@example.com", 1),
        ("c@example.com", 0),
        ("a@example.com", 2),
    ] {
        let mut record = admin(&bench, email);
        record.admin.created_at = bench.now() - std::time::Duration::from_hours(age);
        assert!(apply!(bench, admins().add(&record)));
    }
    let listed = look!(bench, admins().list());
    let emails: Vec<_> = listed.iter().map(|admin| admin.email.as_str()).collect();
    assert_eq!(emails, ["a@example.com", "b@example.com", "c@example.com"]);
}

async fn a_password_raises_the_security_version(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let mut record = admin(&bench, "root@example.com");
    record.admin.must_change_password = true;
    apply!(bench, admins().add(&record));
    let id = record.admin.id;
    assert!(apply!(bench, admins().set_password(id, "$1")));
    apply!(bench, admins().mark_signed_in(id, bench.now()));
    let after = look!(bench, admins().lookup(id)).unwrap();
    assert_eq!(after.admin.security_version, SecurityVersion(2));
    assert_eq!(after.password_hash.as_deref(), Some("$1"));
    assert!(after.admin.has_password && !after.admin.must_change_password);
    assert_eq!(after.admin.last_login_at, Some(bench.now()));
    let nobody = AdminId::from_uuid(bench.uuid());
    let now = apply!(bench, admins().lookup(id))
        .unwrap()
        .admin
        .security_version;
    assert!(apply!(bench, admins().change_password(id, "$2", now)));
    assert!(
        !apply!(bench, admins().change_password(id, "$3", now)),
        "raised meanwhile"
    );
    let after = apply!(bench, admins().lookup(id)).unwrap();
    assert_eq!(after.password_hash.as_deref(), Some("$2"));
    assert_eq!(after.admin.security_version.0, now.0 + 1);
    assert!(!apply!(bench, admins().set_password(nobody, "$1")));
}

async fn a_hash_is_replaced_only_if_it_is_the_one_read(dialect: Dialect) {
    let bench = Bench::open(dialect).await;
    let record = admin(&bench, "root@example.com");
    let id = record.admin.id;
    apply!(bench, admins().add(&record));
    assert!(
        !apply!(bench, admins().upgrade_hash(id, "$1", "$2")),
        "there is none"
    );
    apply!(bench, admins().set_password(id, "$1"));
    assert!(apply!(bench, admins().upgrade_hash(id, "$1", "$2")));
    assert!(!apply!(bench, admins().upgrade_hash(id, "$1", "$3")));
    let after = look!(bench, admins().lookup(id)).unwrap();
    assert_eq!(after.password_hash.as_deref(), Some("$2"));
    assert_eq!(after.admin.security_version, SecurityVersion(2));
}
