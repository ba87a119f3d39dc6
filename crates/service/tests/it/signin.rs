//! Signing in with a password.

use tenantry_core::session::SessionKind;
use tenantry_saga::{Fault, Faults, Moment};
use tenantry_service::Refusal;
use tenantry_service::resolve::Resolved;
use tenantry_service::signin::{Login, Person};
use tenantry_testkit::on_both;
use tenantry_testkit::service::{Driver, Options, PASSWORD, TestService, client};

use crate::people::{ADA, OTHER, THIRD, id, named, one, sign_in, start, tenant_of, try_in};

async fn one_address_in_two_tenants_is_two_people(driver: Driver) {
    let test = start(driver).await;
    let acme = test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    let globex = test.make_tenant("globex", ADA, OTHER).await.unwrap();
    let (at_acme, _) = sign_in(&test, "acme", ADA, PASSWORD, SessionKind::Browser).await;
    let (at_globex, _) = sign_in(&test, "globex", ADA, OTHER, SessionKind::Browser).await;
    assert_eq!(tenant_of(&at_acme), id(&acme));
    assert_eq!(tenant_of(&at_globex), id(&globex));
    assert_ne!(at_acme.subject(), at_globex.subject());
    for (slug, password) in [("acme", OTHER), ("globex", PASSWORD)] {
        refused!(
            try_in(&test, Some(slug), ADA, password).await,
            Refusal::InvalidCredentials
        );
    }
    // Without a tenant named, the password decides.
    let (person, _) = one(try_in(&test, None, ADA, OTHER).await.unwrap());
    assert_eq!(tenant_of(&person), id(&globex));
}

async fn without_a_tenant_the_directory_finds_the_only_one(driver: Driver) {
    let test = start(driver).await;
    let acme = test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    test.make_tenant("globex", "grace@example.org", OTHER)
        .await
        .unwrap();
    let (person, _) = one(try_in(&test, None, "ADA@Example.ORG", PASSWORD)
        .await
        .unwrap());
    assert_eq!(tenant_of(&person), id(&acme));
    // A look-alike is somebody else: U+212A is no k.
    test.make_tenant("kelvin", "kay@example.org", THIRD)
        .await
        .unwrap();
    refused!(
        try_in(&test, None, "\u{212a}ay@example.org", THIRD).await,
        Refusal::InvalidCredentials
    );
}

async fn unknown_people_and_wrong_passwords_are_refused_alike(driver: Driver) {
    let test = start(driver).await;
    test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    test.make_tenant("globex", "grace@example.org", OTHER)
        .await
        .unwrap();
    let long = "x".repeat(5_000);
    for slug in [Some("acme"), None] {
        for (email, password) in [
            (ADA, OTHER),
            (ADA, ""),
            (ADA, long.as_str()),
            ("nobody@example.org", PASSWORD),
        ] {
            refused!(
                try_in(&test, slug, email, password).await,
                Refusal::InvalidCredentials,
                email
            );
        }
    }
    refused!(
        try_in(&test, Some("acme"), "grace@example.org", OTHER).await,
        Refusal::InvalidCredentials,
        "a person of another tenant"
    );
    refused!(
        try_in(&test, Some("nowhere"), ADA, PASSWORD).await,
        Refusal::TenantNotFound
    );
}

async fn a_username_signs_in_inside_its_tenant(driver: Driver) {
    let test = start(driver).await;
    for (slug, email, password) in [("acme", ADA, PASSWORD), ("globex", ADA, OTHER)] {
        let mut new = TestService::new_tenant(slug, email, Some(password)).unwrap();
        new.owner.username = Some("Ada.L".parse().unwrap());
        test.create(new).await.unwrap();
    }
    let client = client(SessionKind::Browser, "192.0.2.1");
    let login = Login::Username("ada.l".parse().unwrap());
    let acme = named(&test.service, "acme").await.unwrap();
    let signed_in = test.service.sign_in(&acme, &login, PASSWORD, &client).await;
    let (person, _) = one(signed_in.unwrap());
    assert_eq!(Some(tenant_of(&person)), acme.id());
    let wrong = test.service.sign_in(&acme, &login, OTHER, &client).await;
    refused!(wrong, Refusal::InvalidCredentials);
    let nowhere = Resolved::None;
    let anywhere = test
        .service
        .sign_in(&nowhere, &login, PASSWORD, &client)
        .await;
    refused!(anywhere, Refusal::TenantRequired);
}

async fn a_platform_admin_signs_in_outside_the_tenants(driver: Driver) {
    let test = start(driver).await;
    let root = "root@example.org";
    test.make_tenant("acme", root, OTHER).await.unwrap();
    let email = root.parse().unwrap();
    test.service
        .create_admin(email, Some(PASSWORD))
        .await
        .unwrap();
    let (person, _) = one(try_in(&test, None, root, PASSWORD).await.unwrap());
    assert!(matches!(person, Person::Admin(_)));
    refused!(
        try_in(&test, Some("acme"), root, PASSWORD).await,
        Refusal::InvalidCredentials,
        "a tenant knows no platform admin"
    );
    // The same address is another person in a tenant, with a password of its own.
    let (person, _) = one(try_in(&test, None, root, OTHER).await.unwrap());
    assert!(matches!(person, Person::User { .. }));
}

async fn expect_closed(test: &TestService, at: &str) {
    refused!(
        try_in(test, Some("acme"), ADA, PASSWORD).await,
        Refusal::TenantUnavailable,
        at
    );
    refused!(
        try_in(test, None, ADA, PASSWORD).await,
        Refusal::InvalidCredentials,
        at
    );
}

async fn nobody_gets_into_a_closed_tenant(driver: Driver) {
    let test = start(driver).await;
    let acme = id(&test.make_tenant("acme", ADA, PASSWORD).await.unwrap());
    test.service.suspend_tenant(acme).await.unwrap();
    expect_closed(&test, "suspended").await;
    test.service.resume_tenant(acme).await.unwrap();
    one(try_in(&test, Some("acme"), ADA, PASSWORD).await.unwrap());
    one(try_in(&test, None, ADA, PASSWORD).await.unwrap());

    test.service.delete_tenant(acme, false).await.unwrap();
    expect_closed(&test, "deleted").await;
    test.service.restore_tenant(acme).await.unwrap();
    one(try_in(&test, Some("acme"), ADA, PASSWORD).await.unwrap());

    test.service.delete_tenant(acme, true).await.unwrap();
    refused!(
        try_in(&test, Some("acme"), ADA, PASSWORD).await,
        Refusal::TenantNotFound,
        "purged"
    );
    refused!(
        try_in(&test, None, ADA, PASSWORD).await,
        Refusal::InvalidCredentials,
        "purged"
    );
}

async fn nobody_gets_into_a_failed_tenant(driver: Driver) {
    let faults = Faults::new(|kind, step, moment| {
        let here = (kind, step, moment) == ("recreate", "verify", Moment::BeforeForward);
        here.then_some(Fault::Fatal)
    });
    let options = Options::on(driver).with_faults(faults);
    let test = TestService::start(options).await.unwrap();
    let acme = id(&test.make_tenant("acme", ADA, PASSWORD).await.unwrap());
    let owner = TestService::new_tenant("acme", ADA, Some(PASSWORD))
        .unwrap()
        .owner;
    let recreated = test.service.recreate_tenant(acme, &owner).await;
    refused!(recreated, Refusal::Failed { .. });
    expect_closed(&test, "failed").await;
}

on_both!(
    one_address_in_two_tenants_is_two_people,
    without_a_tenant_the_directory_finds_the_only_one,
    unknown_people_and_wrong_passwords_are_refused_alike,
    a_username_signs_in_inside_its_tenant,
    a_platform_admin_signs_in_outside_the_tenants,
    nobody_gets_into_a_closed_tenant,
    nobody_gets_into_a_failed_tenant,
);
