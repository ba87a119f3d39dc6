//! Naming an owner of a tenant, as platform admins do: through the same steps as its own people.

use serde_json::json;
use tenantry_core::user::User;
use tenantry_core::{Locale, Role};
use tenantry_service::Refusal;
use tenantry_service::sessions::Principal;
use tenantry_service::signin::Person;
use tenantry_service::staff::{Acting, StaffChange};
use tenantry_service::tenants::{Changed, NewOwner, TenantChange, TenantPatch};
use tenantry_testkit::service::{Options, PASSWORD};

use crate::bench::{Bench, address};
use crate::people::{ADA, OTHER, id, one, try_in};
use crate::webhooks::{deliver, listen};

fn named(email: &str) -> NewOwner {
    NewOwner {
        email: address(email),
        username: None,
        full_name: None,
        password: None,
    }
}

async fn name(bench: &Bench, owner: NewOwner) -> Result<Changed, Refusal> {
    let change = TenantChange {
        patch: TenantPatch {
            name: Some("Renamed".to_owned()),
            ..TenantPatch::default()
        },
        owner: Some((owner, Locale::En)),
        ..TenantChange::default()
    };
    bench.service().change_tenant(id(&bench.acme), change).await
}

#[tokio::test]
async fn whoever_is_there_gets_the_role_and_keeps_the_rest() {
    let bench = Bench::in_files().await;
    let (receiver, ..) = listen(&bench.test).await;
    let ada = bench.owner().await;
    let sam = bench.add(&ada, "sam@acme.example", Role::Member).await;
    let before = bench.principal("sam@acme.example").await;
    deliver(&bench.test).await;
    let told = receiver.seen().len();

    let other_words = NewOwner {
        full_name: Some("Somebody Else".to_owned()),
        password: Some(OTHER.to_owned()),
        ..named("SAM@acme.example")
    };
    let changed = name(&bench, other_words.clone()).await.unwrap();
    assert_eq!(changed.owner, Some(sam.id));
    assert_eq!(changed.view.tenant.name, "Renamed");
    let now = bench.find(&ada, &sam).await.unwrap();
    assert_eq!(
        (now.role, now.full_name),
        (Role::Owner, sam.full_name.clone())
    );
    // What was proved in the role before counts no more; the password stays.
    let cookie = before.session.id;
    let sessions = bench.service().sessions_of(&before.person).await.unwrap();
    assert!(sessions.iter().all(|session| session.id != cookie));
    one(
        try_in(&bench.test, Some("acme"), "sam@acme.example", PASSWORD)
            .await
            .unwrap(),
    );
    assert_eq!(
        bench.find(&ada, ada_user(&ada)).await.unwrap().role,
        Role::Owner
    );
    deliver(&bench.test).await;
    let kinds: Vec<_> = receiver.seen()[told..]
        .iter()
        .map(|one| one.json()["type"].clone())
        .collect();
    assert_eq!(kinds, [json!("user.updated"), json!("tenant.updated")]);

    // Named once more, nothing changes for him.
    let session = bench.principal("sam@acme.example").await;
    assert_eq!(name(&bench, other_words).await.unwrap().owner, Some(sam.id));
    let again = bench.find(&ada, &sam).await.unwrap();
    assert_eq!(again.security_version, now.security_version);
    let sessions = bench.service().sessions_of(&session.person).await.unwrap();
    assert!(sessions.iter().any(|one| one.id == session.session.id));
    bench.expect_in_step("an owner was named").await;
}

fn ada_user(ada: &Principal) -> &User {
    match &ada.person {
        Person::User { user, .. } => user,
        Person::Admin(_) => panic!("Ada is no admin"),
    }
}

#[tokio::test]
async fn somebody_unknown_is_added() {
    let bench = Bench::in_files().await;
    let ada = bench.owner().await;
    name(&bench, named("grace@acme.example")).await.unwrap();
    let token = bench.test.setup_token_from_mail("grace@acme.example").await;
    bench
        .service()
        .setup_password(&token.unwrap(), OTHER, None, None)
        .await
        .unwrap();
    let (person, _) = one(try_in(&bench.test, None, "grace@acme.example", OTHER)
        .await
        .unwrap());
    match person {
        Person::User { user, .. } => assert_eq!(user.role, Role::Owner),
        Person::Admin(_) => panic!("an owner is no admin"),
    }
    let given = NewOwner {
        username: Some("hedy".parse().unwrap()),
        password: Some(PASSWORD.to_owned()),
        ..named("hedy@acme.example")
    };
    name(&bench, given).await.unwrap();
    one(try_in(&bench.test, None, "hedy@acme.example", PASSWORD)
        .await
        .unwrap());
    bench.expect_in_step("two owners were added").await;
    assert_eq!(
        bench.find(&ada, ada_user(&ada)).await.unwrap().role,
        Role::Owner
    );
}

#[tokio::test]
async fn where_the_owner_is_refused_nothing_else_changed() {
    let bench = Bench::open(Options::sqlite().with_global_addresses()).await;
    let elsewhere = "grace@globex.example";
    let globex = bench.test.make_tenant("globex", elsewhere, PASSWORD).await;
    let ada = bench.owner().await;
    let sam = bench.add(&ada, "sam@acme.example", Role::Admin).await;
    let out = StaffChange {
        disabled: Some(true),
        ..StaffChange::default()
    };
    let acting = Acting::of(&ada).unwrap();
    let kept_out = bench.service().change_staff(&acting, sam.id, out).await;
    kept_out.unwrap();

    refused!(name(&bench, named(elsewhere)).await, Refusal::EmailTaken);
    refused!(
        name(&bench, named("sam@acme.example")).await,
        Refusal::Conflict(_)
    );
    let short = NewOwner {
        password: Some("short".to_owned()),
        ..named("new@acme.example")
    };
    match name(&bench, short).await {
        Err(Refusal::Validation(errors)) => assert_eq!(errors[0].field, "owner.password"),
        _ => panic!("a short password is refused"),
    }
    let taken = NewOwner {
        username: Some("ada".parse().unwrap()),
        ..named("new@acme.example")
    };
    let named_ada = StaffChange {
        username: Some(Some("ada".parse().unwrap())),
        ..StaffChange::default()
    };
    let own = acting.user_id().unwrap();
    let changed = bench.service().change_staff(&acting, own, named_ada).await;
    changed.unwrap();
    refused!(name(&bench, taken).await, Refusal::UsernameTaken);
    let view = bench.service().view(id(&bench.acme)).await.unwrap();
    assert_eq!(view.tenant.name, bench.acme.tenant.name);
    assert_eq!(bench.find(&ada, &sam).await.unwrap().role, Role::Admin);

    let globex = id(&globex.unwrap());
    bench.service().suspend_tenant(globex).await.unwrap();
    let change = TenantChange {
        owner: Some((named(ADA), Locale::En)),
        ..TenantChange::default()
    };
    refused!(
        bench.service().change_tenant(globex, change).await,
        Refusal::Conflict(_)
    );
    bench.expect_in_step("no owner was named").await;
}
