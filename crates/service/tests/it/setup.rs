//! Setup links: good once, for a day, for one person in one generation of one tenant.

use std::time::Duration;

use tenantry_core::Secret;
use tenantry_service::Refusal;
use tenantry_service::resolve::Resolved;
use tenantry_service::signin::Person;
use tenantry_testkit::on_both;
use tenantry_testkit::service::{Driver, PASSWORD, TestService, client};

use crate::people::{ADA, OTHER, advance_until_just_before, by_email, id, one, start, try_in};

async fn invited(driver: Driver) -> (TestService, tenantry_core::TenantId, String) {
    let test = start(driver).await;
    let view = test.invite_tenant("acme", ADA).await.unwrap();
    let token = test.setup_token_from_mail(ADA).await.unwrap();
    (test, id(&view), token)
}

async fn expect_void(test: &TestService, token: &str, at: &str) {
    let view = test.service.setup_view(token, None).await;
    refused!(view, Refusal::TokenInvalid, at);
    let set = test
        .service
        .setup_password(token, PASSWORD, None, None)
        .await;
    refused!(set, Refusal::TokenInvalid, at);
}

async fn a_link_sets_the_password_once(driver: Driver) {
    let (test, tenant, token) = invited(driver).await;
    refused!(
        try_in(&test, Some("acme"), ADA, PASSWORD).await,
        Refusal::InvalidCredentials
    );
    // A mail scanner follows the link as often as it likes.
    for _ in 0..3 {
        let view = test.service.setup_view(&token, Some(tenant)).await.unwrap();
        assert_eq!(view.email.as_str(), ADA);
        assert_eq!(view.tenant.unwrap().id, tenant);
    }
    test.service
        .setup_password(&token, PASSWORD, Some(tenant), None)
        .await
        .unwrap();
    let (person, _) = one(try_in(&test, Some("acme"), ADA, PASSWORD).await.unwrap());
    assert_eq!(person.tenant().unwrap().id, tenant);
    expect_void(&test, &token, "used").await;
}

async fn of_fifty_at_once_one_sets_the_password(driver: Driver) {
    let (test, _, token) = invited(driver).await;
    let password = |number: usize| format!("password number {number:02}");
    let tries: Vec<_> = (0..50)
        .map(|number| {
            let (service, token) = (test.service.clone(), token.clone());
            let password = password(number);
            tokio::spawn(async move { service.setup_password(&token, &password, None, None).await })
        })
        .collect();
    let mut winners = Vec::new();
    for (number, outcome) in tries.into_iter().enumerate() {
        match outcome.await.unwrap() {
            Ok(_) => winners.push(number),
            Err(refusal) => assert!(matches!(refusal, Refusal::TokenInvalid), "{refusal:?}"),
        }
    }
    assert_eq!(winners.len(), 1, "{winners:?}");
    let signed_in = try_in(&test, Some("acme"), ADA, &password(winners[0])).await;
    one(signed_in.unwrap());
}

async fn a_link_ends_after_a_day(driver: Driver) {
    let (test, _, token) = invited(driver).await;
    advance_until_just_before(&test, Duration::from_hours(24));
    assert!(test.service.setup_view(&token, None).await.is_ok());
    test.clock.advance(Duration::from_micros(1));
    expect_void(&test, &token, "a day later").await;
}

async fn a_link_ends_with_its_generation(driver: Driver) {
    let (test, tenant, token) = invited(driver).await;
    let owner = TestService::new_tenant("acme", ADA, None).unwrap().owner;
    test.clock.advance(Duration::from_millis(1));
    test.service.recreate_tenant(tenant, &owner).await.unwrap();
    expect_void(&test, &token, "recreated").await;

    let fresh = test.setup_token_from_mail(ADA).await.unwrap();
    assert_ne!(fresh, token);
    test.service.delete_tenant(tenant, false).await.unwrap();
    expect_void(&test, &fresh, "deleted").await;
    test.service.restore_tenant(tenant).await.unwrap();
    expect_void(&test, &fresh, "restored").await;
}

async fn a_link_of_a_suspended_tenant_waits(driver: Driver) {
    let (test, tenant, token) = invited(driver).await;
    test.service.suspend_tenant(tenant).await.unwrap();
    expect_void(&test, &token, "suspended").await;
    test.service.resume_tenant(tenant).await.unwrap();
    assert!(test.service.setup_view(&token, None).await.is_ok());
}

async fn a_link_under_another_tenant_is_garbage(driver: Driver) {
    let (test, _, token) = invited(driver).await;
    let other = test.make_tenant("globex", ADA, OTHER).await.unwrap();
    let (at, service) = (Some(id(&other)), &test.service);
    refused!(service.setup_view(&token, at).await, Refusal::TokenInvalid);
    let set = service.setup_password(&token, PASSWORD, at, None).await;
    refused!(set, Refusal::TokenInvalid);
    for garbage in [
        "",
        "x",
        &token[1..],
        &token.to_uppercase(),
        &"A".repeat(120),
    ] {
        expect_void(&test, garbage, garbage).await;
    }
    assert!(service.setup_view(&token, None).await.is_ok(), "still good");
}

async fn a_password_that_is_refused_uses_nothing_up(driver: Driver) {
    let (test, _, token) = invited(driver).await;
    for (password, code) in [("too short", "too_short"), (&"x".repeat(300), "too_long")] {
        let set = test
            .service
            .setup_password(&token, password, None, None)
            .await;
        let Err(Refusal::Validation(errors)) = set else {
            panic!("a password of {} characters was taken", password.len());
        };
        assert_eq!((&*errors[0].field, errors[0].code), ("password", code));
    }
    let set = test
        .service
        .setup_password(&token, PASSWORD, None, None)
        .await;
    assert!(set.is_ok());
}

async fn a_platform_admin_sets_a_password_too(driver: Driver) {
    let test = start(driver).await;
    let link = |link: Option<Secret<String>>| {
        let link = link.unwrap().expose().clone();
        link.strip_prefix("http://localhost:8000/setup/password/")
            .unwrap()
            .to_owned()
    };
    let email = || "root@example.org".parse().unwrap();
    let first = test.service.create_admin(email(), None).await.unwrap();
    let first = link(first.setup_link);
    let second = test.service.create_admin(email(), None).await.unwrap();
    let second = link(second.setup_link);
    expect_void(&test, &first, "a fresh link was asked for").await;
    let tenant = test.make_tenant("acme", ADA, OTHER).await.unwrap();
    refused!(
        test.service.setup_view(&second, Some(id(&tenant))).await,
        Refusal::TokenInvalid
    );
    let view = test
        .service
        .setup_password(&second, PASSWORD, None, None)
        .await
        .unwrap();
    assert!(view.tenant.is_none());
    expect_void(&test, &second, "used").await;
    let client = client(tenantry_core::session::SessionKind::Browser, "192.0.2.1");
    let login = by_email("root@example.org");
    let signed_in = test
        .service
        .sign_in(&Resolved::None, &login, PASSWORD, &client)
        .await;
    let (person, _) = one(signed_in.unwrap());
    assert!(matches!(person, Person::Admin(_)));
    refused!(
        test.service.create_admin(email(), None).await,
        Refusal::EmailTaken
    );
}

on_both!(
    a_link_sets_the_password_once,
    of_fifty_at_once_one_sets_the_password,
    a_link_ends_after_a_day,
    a_link_ends_with_its_generation,
    a_link_of_a_suspended_tenant_waits,
    a_link_under_another_tenant_is_garbage,
    a_password_that_is_refused_uses_nothing_up,
    a_platform_admin_sets_a_password_too,
);
