//! One's own names and address.

use tenantry_core::session::{EndReason, SessionKind};
use tenantry_core::{Locale, Role};
use tenantry_service::Refusal;
use tenantry_service::profile::ProfileChange;
use tenantry_service::sessions::{Credential, Principal};
use tenantry_service::staff::StaffChange;
use tenantry_testkit::service::{Options, PASSWORD};

use crate::bench::{Bench, address, cut_off};
use crate::people::{one, sign_in, sign_in_twice, start, try_in};

everywhere!(
    names_change_at_once,
    an_address_changes_once_it_is_proven,
    a_link_is_good_once_and_for_one_person,
    an_address_that_was_taken_meanwhile_is_told,
    whatever_dies_while_an_address_changes_is_settled,
);

fn to(email: &str) -> ProfileChange {
    ProfileChange {
        email: Some(address(email)),
        ..ProfileChange::default()
    }
}

async fn change(
    bench: &Bench,
    who: &Principal,
    change: ProfileChange,
) -> Result<Option<tenantry_core::Email>, Refusal> {
    let service = bench.service();
    let changed = service.change_profile(who, change, Locale::En).await?;
    Ok(changed.email_pending)
}

/// The token in the newest mail to an address.
async fn token(bench: &Bench, to: &str) -> Option<String> {
    let mails = bench.test.mails().await.unwrap();
    let mail = mails.iter().find(|mail| mail.to == to)?;
    let (_, rest) = mail.text.as_deref()?.split_once("/verify-email/")?;
    let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
    Some(rest[..end].to_owned())
}

async fn names_change_at_once(bench: &Bench) {
    let ada = bench.owner().await;
    bench.add(&ada, "names@own.example", Role::Member).await;
    let me = bench.principal("names@own.example").await;
    let names = ProfileChange {
        full_name: Some(Some("  Grace Hopper ".to_owned())),
        username: Some(Some("grace.own".parse().unwrap())),
        email: None,
    };
    assert_eq!(change(bench, &me, names).await.unwrap(), None);
    let login = tenantry_service::signin::Login::Username("GRACE.own".parse().unwrap());
    let tenant = crate::people::named(bench.service(), "acme").await.unwrap();
    let client = tenantry_testkit::service::client(SessionKind::Browser, "192.0.2.1");
    let signed_in = bench
        .service()
        .sign_in(&tenant, &login, PASSWORD, &client)
        .await;
    let (person, _) = one(signed_in.unwrap());
    let tenantry_service::signin::Person::User { user, .. } = person else {
        panic!("a person is in a tenant");
    };
    assert_eq!(user.full_name.as_deref(), Some("Grace Hopper"));
    bench.add(&ada, "second@own.example", Role::Member).await;
    let second = bench.principal("second@own.example").await;
    let taken = ProfileChange {
        username: Some(Some("grace.own".parse().unwrap())),
        ..ProfileChange::default()
    };
    refused!(change(bench, &second, taken).await, Refusal::UsernameTaken);
    let long = ProfileChange {
        full_name: Some(Some("x".repeat(121))),
        ..ProfileChange::default()
    };
    refused!(change(bench, &second, long).await, Refusal::Validation(_));
    // Another way to write the same address needs no proof.
    assert_eq!(
        change(bench, &me, to("Names@own.example")).await.unwrap(),
        None
    );
    bench.expect_in_step("names").await;
}

async fn an_address_changes_once_it_is_proven(bench: &Bench) {
    let ada = bench.owner().await;
    bench.add(&ada, "before@own.example", Role::Admin).await;
    let me = bench.principal("before@own.example").await;
    let others = sign_in_twice(&bench.test, "acme", "before@own.example", PASSWORD).await;
    let pending = change(bench, &me, to("after@own.example")).await.unwrap();
    assert_eq!(pending, Some(address("after@own.example")));
    // Until then nothing is different.
    others.expect_live(bench.service()).await;
    refused!(
        try_in(&bench.test, None, "after@own.example", PASSWORD).await,
        Refusal::InvalidCredentials
    );
    let token = token(bench, "after@own.example").await.unwrap();
    let service = bench.service();
    for _ in 0..2 {
        let view = service.new_address_view(&token, None).await.unwrap();
        assert_eq!(view.from, address("before@own.example"));
        assert_eq!(view.to, address("after@own.example"));
    }
    let confirmed = service
        .confirm_new_address(&token, None, Some(&me), Locale::De)
        .await
        .unwrap();
    assert!(confirmed.signed_in);
    others.expect_stale(service, "an address was changed").await;
    for (name, credential) in others.credentials() {
        let told = service.why_ended(credential, None).await;
        assert_eq!(told, Some(EndReason::Address), "{name}");
    }
    one(try_in(&bench.test, None, "after@own.example", PASSWORD)
        .await
        .unwrap());
    refused!(
        try_in(&bench.test, None, "before@own.example", PASSWORD).await,
        Refusal::InvalidCredentials
    );
    let mails = bench.test.mails().await.unwrap();
    let notice = mails.iter().find(|mail| mail.to == "before@own.example");
    let notice = notice.unwrap().text.as_deref().unwrap().to_owned();
    assert!(notice.contains("andere E-Mail-Adresse"), "{notice}");
    assert!(!notice.contains("after@own.example"), "{notice}");
    bench.expect_in_step("a proven address").await;
}

async fn a_link_is_good_once_and_for_one_person(bench: &Bench) {
    let ada = bench.owner().await;
    bench.add(&ada, "one@once.example", Role::Member).await;
    bench.add(&ada, "other@once.example", Role::Member).await;
    let me = bench.principal("one@once.example").await;
    let other = bench.principal("other@once.example").await;
    let service = bench.service();
    change(bench, &me, to("first@once.example")).await.unwrap();
    let first = token(bench, "first@once.example").await.unwrap();
    bench.test.clock.advance(std::time::Duration::from_secs(1));
    change(bench, &me, to("second@once.example")).await.unwrap();
    let second = token(bench, "second@once.example").await.unwrap();
    refused!(
        service
            .confirm_new_address(&first, None, None, Locale::En)
            .await,
        Refusal::TokenInvalid
    );
    // In another's browser it changes its own person and keeps nobody signed in.
    let many = (0..5).map(|_| service.confirm_new_address(&second, None, Some(&other), Locale::En));
    let used = futures_util::future::join_all(many).await;
    let good: Vec<_> = used.iter().flatten().collect();
    assert_eq!(good.len(), 1);
    assert!(!good[0].signed_in);
    for refusal in used.iter().filter_map(|used| used.as_ref().err()) {
        assert!(matches!(refusal, Refusal::TokenInvalid), "{refusal:?}");
    }
    one(try_in(&bench.test, None, "other@once.example", PASSWORD)
        .await
        .unwrap());
    one(try_in(&bench.test, None, "second@once.example", PASSWORD)
        .await
        .unwrap());
    let me = bench.principal("second@once.example").await;
    change(bench, &me, to("late@once.example")).await.unwrap();
    let late = token(bench, "late@once.example").await.unwrap();
    bench
        .test
        .clock
        .advance(std::time::Duration::from_hours(24));
    refused!(
        service
            .confirm_new_address(&late, None, None, Locale::En)
            .await,
        Refusal::TokenInvalid
    );
    bench.expect_in_step("links").await;
}

async fn an_address_that_was_taken_meanwhile_is_told(bench: &Bench) {
    let ada = bench.owner().await;
    bench.add(&ada, "wants@taken.example", Role::Member).await;
    let me = bench.principal("wants@taken.example").await;
    // Asking tells nothing about it.
    let holder = bench.add(&ada, "wanted@taken.example", Role::Member).await;
    let pending = change(bench, &me, to("wanted@taken.example"))
        .await
        .unwrap();
    assert_eq!(pending, Some(address("wanted@taken.example")));
    let token = token(bench, "wanted@taken.example").await.unwrap();
    let service = bench.service();
    for _ in 0..2 {
        refused!(
            service
                .confirm_new_address(&token, None, Some(&me), Locale::En)
                .await,
            Refusal::EmailTaken
        );
    }
    bench.expect_in_step("taken").await;
    // Free again, the link still changes it.
    let acting = tenantry_service::staff::Acting::of(&ada).unwrap();
    service.remove_staff(&acting, holder.id).await.unwrap();
    service
        .confirm_new_address(&token, None, Some(&me), Locale::En)
        .await
        .unwrap();
    bench.expect_in_step("taken and free again").await;
}

async fn whatever_dies_while_an_address_changes_is_settled(bench: &Bench) {
    let ada = bench.owner().await;
    let acting = tenantry_service::staff::Acting::of(&ada).unwrap();
    let service = bench.service();
    let mover = bench.add(&ada, "mover@dying.example", Role::Member).await;
    let mut waits = 0;
    loop {
        // Whether the one before came through is for the row to say. What was sent to the database
        // before the cut may still be on its way, as after a real death: whoever writes the row next
        // waits for it.
        let named = StaffChange {
            full_name: Some(Some(format!("Mover {waits}"))),
            ..StaffChange::default()
        };
        service
            .change_staff(&acting, mover.id, named)
            .await
            .unwrap();
        let now = service.find_staff(acting.tenant(), mover.id).await.unwrap();
        let me = bench.principal(now.email.as_str()).await;
        let next = format!("mover{waits}@dying.example");
        change(bench, &me, to(&next)).await.unwrap();
        let token = token(bench, &next).await.unwrap();
        let confirming = service.confirm_new_address(&token, None, Some(&me), Locale::En);
        if cut_off(Box::pin(confirming), waits).await.is_some() {
            break;
        }
        assert!(waits < 400);
        waits += 2 + waits / 4;
    }
    bench.reconcile_later().await;
    bench
        .expect_in_step("deaths while an address changes")
        .await;
}

/// Where an address may belong to one tenant only, a link proves nothing about another tenant's.
#[tokio::test]
async fn a_proven_address_of_another_tenant_is_taken() {
    let bench = Bench::open(Options::sqlite().with_global_addresses()).await;
    let ada = bench.owner().await;
    change(&bench, &ada, to("grace@globex.example"))
        .await
        .unwrap();
    let token = token(&bench, "grace@globex.example").await.unwrap();
    let globex = bench
        .test
        .make_tenant("globex", "grace@globex.example", PASSWORD);
    let globex = globex.await.unwrap();
    refused!(
        bench
            .service()
            .confirm_new_address(&token, None, Some(&ada), Locale::En)
            .await,
        Refusal::EmailTaken
    );
    // Under another tenant's name the link is none.
    refused!(
        bench
            .service()
            .new_address_view(&token, Some(globex.tenant.id))
            .await,
        Refusal::TokenInvalid
    );
    one(try_in(&bench.test, None, "grace@globex.example", PASSWORD)
        .await
        .unwrap());
    bench.expect_in_step("another tenant's address").await;
}

/// Mails to one address, and by one person, are few.
#[tokio::test]
async fn nobody_is_flooded_with_links() {
    let test = start(tenantry_testkit::service::Driver::Sqlite).await;
    test.make_tenant("acme", crate::people::ADA, PASSWORD)
        .await
        .unwrap();
    let (_, issued) = sign_in(
        &test,
        "acme",
        crate::people::ADA,
        PASSWORD,
        SessionKind::Browser,
    )
    .await;
    let cookie = Credential::Cookie(issued.token.expose());
    let ada = test.service.authenticate(cookie, None).await.unwrap();
    for number in 0..20 {
        let change = to(&format!("victim{}@flood.example", number % 2));
        let changed = test.service.change_profile(&ada, change, Locale::En).await;
        assert!(changed.unwrap().email_pending.is_some());
    }
    let mails = test.mails().await.unwrap();
    let flood = mails.iter().filter(|mail| mail.to.contains("flood"));
    let sent = flood.count();
    assert!((1..=6).contains(&sent), "{sent}");
}

#[tokio::test]
async fn a_platform_admin_changes_the_name_alone() {
    let test = start(tenantry_testkit::service::Driver::Sqlite).await;
    let root = "root@example.org";
    test.service
        .create_admin(root.parse().unwrap(), Some(PASSWORD))
        .await
        .unwrap();
    let (_, issued) = one(try_in(&test, None, root, PASSWORD).await.unwrap());
    let admin = crate::people::principal(&test, issued.token.expose()).await;
    let name = ProfileChange {
        full_name: Some(Some("Root".to_owned())),
        ..ProfileChange::default()
    };
    let service = &test.service;
    service
        .change_profile(&admin, name, Locale::En)
        .await
        .unwrap();
    let now = crate::people::principal(&test, issued.token.expose()).await;
    let tenantry_service::signin::Person::Admin(shown) = &now.person else {
        panic!("an admin is in no tenant");
    };
    assert_eq!(shown.full_name.as_deref(), Some("Root"));
    let other = ProfileChange {
        username: Some(Some("root".parse().unwrap())),
        ..to("other@example.org")
    };
    let refused = service.change_profile(&admin, other, Locale::En).await;
    let Err(Refusal::Validation(errors)) = refused else {
        panic!("an admin's address was changed");
    };
    let fields: Vec<_> = errors.iter().map(|error| &*error.field).collect();
    assert_eq!(fields, ["username", "email"]);
}
