//! Registering: in a tenant that is open to it, with the address to be proven and without.

use std::time::Duration;

use tenantry_core::Locale;
use tenantry_core::session::SessionKind;
use tenantry_core::tenant::Registration;
use tenantry_service::registration::{NewRegistration, Proven, Registered};
use tenantry_service::resolve::Resolved;
use tenantry_service::{FieldError, Refusal};
use tenantry_testkit::on_each_isolation;
use tenantry_testkit::service::{Options, PASSWORD, TestService, client, link_token};

use crate::people::{ADA, IP, OTHER, id, named, one, try_in};

on_each_isolation! {
    people_register_in_their_tenant,
}

const GRACE: &str = "grace@example.org";

fn typed(username: &str, email: &str) -> NewRegistration {
    NewRegistration {
        username: username.to_owned(),
        email: email.to_owned(),
        password: PASSWORD.to_owned(),
        full_name: Some("Grace Hopper".to_owned()),
    }
}

async fn register(
    test: &TestService,
    slug: &str,
    new: &NewRegistration,
) -> Result<Registered, Refusal> {
    let tenant = named(&test.service, slug).await.unwrap();
    let client = client(SessionKind::Api, IP);
    test.clock.advance(Duration::from_millis(1));
    test.service
        .register(&tenant, new, Locale::En, &client)
        .await
}

async fn tenant(test: &TestService, slug: &str, registration: Registration, verify: bool) {
    let mut new = TestService::new_tenant(slug, ADA, Some(PASSWORD)).unwrap();
    new.registration = registration;
    new.verify_email = verify;
    test.create(new).await.unwrap();
}

async fn token(test: &TestService, email: &str) -> String {
    let mails = test.mails().await.unwrap();
    let mail = mails.iter().find(|mail| mail.to == email).unwrap();
    link_token(mail.text.as_deref().unwrap(), "/verify-email/").unwrap()
}

async fn people_register_in_their_tenant(options: Options) {
    let test = TestService::start(options).await.unwrap();
    tenant(&test, "open", Registration::Open, false).await;
    tenant(&test, "proven", Registration::Open, true).await;
    without_proof(&test).await;
    of_many_at_once_one_gets_the_name(&test).await;
    with_proof(&test).await;
    whoever_has_an_account_is_told_by_mail(&test).await;
    another_name_where_somebody_was_faster(&test).await;
    a_link_ends_with_its_tenants_life(&test).await;
}

async fn without_proof(test: &TestService) {
    let Registered::In(signed_in) = register(test, "open", &typed("grace", GRACE))
        .await
        .unwrap()
    else {
        panic!("nothing is to be proven here");
    };
    assert_eq!(signed_in.0.tenant().unwrap().slug.as_str(), "open");
    one(try_in(test, Some("open"), GRACE, PASSWORD).await.unwrap());
    one(try_in(test, None, GRACE, PASSWORD).await.unwrap());
    refused!(
        register(test, "open", &typed("other", "GRACE@example.org")).await,
        Refusal::EmailTaken
    );
    refused!(
        register(test, "open", &typed("GRACE", "other@example.org")).await,
        Refusal::UsernameTaken
    );
    refused!(
        try_in(test, None, "other@example.org", PASSWORD).await,
        Refusal::InvalidCredentials
    );
    let open = named(&test.service, "open").await.unwrap();
    let report = test.service.check_tenant(open.tenant().unwrap().clone());
    let report = report.await.unwrap();
    assert!(report.findings.is_empty(), "{:?}", report.findings);
}

async fn of_many_at_once_one_gets_the_name(test: &TestService) {
    let tries = (0..12).map(|number| {
        let new = typed("linus", &format!("linus{number}@example.org"));
        async move { register(test, "open", &new).await }
    });
    let by_name = futures_util::future::join_all(tries).await;
    let tries = (0..12).map(|number| {
        let new = typed(&format!("ken{number}"), "ken@example.org");
        async move { register(test, "open", &new).await }
    });
    let by_address = futures_util::future::join_all(tries).await;
    for (outcomes, name) in [(by_name, true), (by_address, false)] {
        let won = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        assert_eq!(won, 1);
        for outcome in outcomes {
            match outcome {
                Ok(_) => {}
                Err(Refusal::UsernameTaken) if name => {}
                Err(Refusal::EmailTaken) if !name => {}
                Err(other) => panic!("refused otherwise: {other:?}"),
            }
        }
    }
}

async fn with_proof(test: &TestService) {
    // The same name in another tenant is free.
    let asked = register(test, "proven", &typed("grace", GRACE))
        .await
        .unwrap();
    assert!(matches!(asked, Registered::ToBeProven));
    refused!(
        try_in(test, Some("proven"), GRACE, PASSWORD).await,
        Refusal::InvalidCredentials
    );
    let token = token(test, GRACE).await;
    let open = named(&test.service, "open").await.unwrap().id();
    refused!(
        test.service.registration_view(&token, open).await,
        Refusal::TokenInvalid
    );
    for _ in 0..2 {
        let view = test.service.registration_view(&token, None).await.unwrap();
        assert_eq!(
            (view.email.as_str(), view.username.as_str()),
            (GRACE, "grace")
        );
    }
    let many = (0..10).map(|_| test.service.prove_registration(&token, None, None));
    let outcomes = futures_util::future::join_all(many).await;
    let won = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    assert_eq!(won, 1, "{outcomes:?}");
    one(try_in(test, Some("proven"), GRACE, PASSWORD).await.unwrap());
    refused!(
        test.service.registration_view(&token, None).await,
        Refusal::TokenInvalid
    );
}

async fn whoever_has_an_account_is_told_by_mail(test: &TestService) {
    let asked = register(test, "proven", &typed("another", GRACE))
        .await
        .unwrap();
    assert!(matches!(asked, Registered::ToBeProven), "the same answer");
    let mails = test.mails().await.unwrap();
    let mail = mails.iter().find(|mail| mail.to == GRACE).unwrap();
    let text = mail.text.as_deref().unwrap();
    assert!(
        text.contains("http://proven.localhost:8000/forgot-password"),
        "{text}"
    );
    assert!(!text.contains("/verify-email/"), "{text}");
    refused!(
        register(test, "proven", &typed("grace", "third@example.org")).await,
        Refusal::UsernameTaken
    );
}

async fn another_name_where_somebody_was_faster(test: &TestService) {
    for email in ["one@example.org", "two@example.org"] {
        register(test, "proven", &typed("wanted", email))
            .await
            .unwrap();
    }
    let (one, two) = (
        token(test, "one@example.org").await,
        token(test, "two@example.org").await,
    );
    let prove = async |token: &str, name| test.service.prove_registration(token, name, None).await;
    assert_eq!(prove(&one, None).await.unwrap(), Proven::Yes);
    assert_eq!(prove(&two, None).await.unwrap(), Proven::UsernameTaken);
    refused!(prove(&two, Some("a b")).await, Refusal::Validation(_));
    assert_eq!(prove(&two, Some("wanted-2")).await.unwrap(), Proven::Yes);
    crate::people::one(
        try_in(test, Some("proven"), "two@example.org", PASSWORD)
            .await
            .unwrap(),
    );
}

async fn a_link_ends_with_its_tenants_life(test: &TestService) {
    register(test, "proven", &typed("late", "late@example.org"))
        .await
        .unwrap();
    let first = token(test, "late@example.org").await;
    test.clock.advance(Duration::from_hours(24));
    refused!(
        test.service.prove_registration(&first, None, None).await,
        Refusal::TokenInvalid
    );
    register(test, "proven", &typed("late", "late@example.org"))
        .await
        .unwrap();
    let second = token(test, "late@example.org").await;
    let proven = named(&test.service, "proven").await.unwrap().id().unwrap();
    test.service.delete_tenant(proven, false).await.unwrap();
    test.service.restore_tenant(proven).await.unwrap();
    test.settle().await.unwrap();
    refused!(
        test.service.prove_registration(&second, None, None).await,
        Refusal::TokenInvalid
    );
}

fn fields(refusal: Refusal) -> Vec<(String, &'static str)> {
    match refusal {
        Refusal::Validation(errors) => {
            let told = |error: FieldError| (error.field.into_owned(), error.code);
            errors.into_iter().map(told).collect()
        }
        other => panic!("refused otherwise: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_told_field_by_field() {
    let test = TestService::start(Options::sqlite()).await.unwrap();
    tenant(&test, "open", Registration::Open, false).await;
    let new = NewRegistration {
        username: "a b".to_owned(),
        email: "grace@".to_owned(),
        password: "short".to_owned(),
        full_name: Some("x".repeat(201)),
    };
    let refusal = register(&test, "open", &new).await.err().unwrap();
    let told = fields(refusal);
    let names: Vec<&str> = told.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(names, ["email", "username", "full_name", "password"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_that_is_not_open_takes_nobody() {
    let test = TestService::start(Options::sqlite()).await.unwrap();
    tenant(&test, "closed", Registration::Closed, false).await;
    tenant(&test, "invite", Registration::Invite, false).await;
    for slug in ["closed", "invite"] {
        refused!(
            register(&test, slug, &typed("grace", GRACE)).await,
            Refusal::Forbidden,
            slug
        );
    }
    let (grace, client) = (typed("grace", GRACE), client(SessionKind::Api, IP));
    let nowhere = test
        .service
        .register(&Resolved::None, &grace, Locale::En, &client);
    refused!(nowhere.await, Refusal::TenantRequired);
}

/// A tenant that was closed meanwhile takes nobody by a link from before.
#[tokio::test(flavor = "multi_thread")]
async fn a_link_counts_while_the_tenant_is_open() {
    let test = TestService::start(Options::sqlite()).await.unwrap();
    tenant(&test, "proven", Registration::Open, true).await;
    register(&test, "proven", &typed("grace", GRACE))
        .await
        .unwrap();
    let token = token(&test, GRACE).await;
    let sql = "UPDATE tenants SET registration = 'closed'";
    test.control().damage(sql).await.unwrap();
    refused!(
        test.service.registration_view(&token, None).await,
        Refusal::TokenInvalid
    );
    refused!(
        test.service.prove_registration(&token, None, None).await,
        Refusal::TokenInvalid
    );
}

/// What strangers ask for at one network's expense uses up nobody else's share.
#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_does_not_use_up_the_mails_of_an_address() {
    let test = TestService::start(Options::sqlite()).await.unwrap();
    tenant(&test, "proven", Registration::Open, true).await;
    for number in 0..8 {
        register(&test, "proven", &typed(&format!("mallory{number}"), GRACE))
            .await
            .unwrap();
    }
    let tenant = named(&test.service, "proven").await.unwrap();
    let (grace, own) = (
        typed("grace", GRACE),
        client(SessionKind::Api, "198.51.100.7"),
    );
    test.clock.advance(Duration::from_millis(1));
    let registered = test.service.register(&tenant, &grace, Locale::En, &own);
    registered.await.unwrap();
    let mails = test.mails().await.unwrap();
    let mut texts = mails.iter().filter_map(|mail| mail.text.as_deref());
    assert_eq!(mails.len(), 6, "five of the stranger's, and one's own");
    assert!(texts.any(|text| text.contains("\"grace\"")));
}

/// Where an address belongs to one tenant only, the second tenant is told so by the constraint.
#[tokio::test(flavor = "multi_thread")]
async fn a_global_address_registers_once() {
    let options = Options::postgres().with_global_addresses();
    let test = TestService::start(options).await.unwrap();
    for slug in ["one", "two"] {
        let owner = format!("{slug}@example.org");
        let mut new = TestService::new_tenant(slug, &owner, Some(OTHER)).unwrap();
        new.registration = Registration::Open;
        new.verify_email = false;
        let view = test.create(new).await.unwrap();
        let _ = id(&view);
    }
    let (grace, other) = (typed("grace", GRACE), typed("grace", GRACE));
    let (first, second) = tokio::join!(
        register(&test, "one", &grace),
        register(&test, "two", &other)
    );
    let won = [&first, &second]
        .into_iter()
        .filter(|outcome| outcome.is_ok());
    assert_eq!(won.count(), 1);
    let lost = [first, second].into_iter().find_map(Result::err).unwrap();
    assert!(matches!(lost, Refusal::EmailTaken), "{lost:?}");
}

/// Whoever proved the address is told that it has an account, wherever; nothing is made.
#[tokio::test(flavor = "multi_thread")]
async fn a_proven_address_of_another_tenant_is_told() {
    let options = Options::sqlite().with_global_addresses();
    let test = TestService::start(options).await.unwrap();
    let mut tokens = Vec::new();
    for slug in ["one", "two"] {
        let owner = format!("{slug}@example.org");
        let mut new = TestService::new_tenant(slug, &owner, Some(OTHER)).unwrap();
        new.registration = Registration::Open;
        test.create(new).await.unwrap();
        let asked = register(&test, slug, &typed("grace", GRACE)).await;
        assert!(matches!(asked, Ok(Registered::ToBeProven)));
        tokens.push(token(&test, GRACE).await);
    }
    let prove = async |token: &str| test.service.prove_registration(token, None, None).await;
    assert_eq!(prove(&tokens[0]).await.unwrap(), Proven::Yes);
    assert_eq!(prove(&tokens[1]).await.unwrap(), Proven::AddressTaken);
    refused!(prove(&tokens[0]).await, Refusal::TokenInvalid);
    refused!(
        try_in(&test, Some("two"), GRACE, PASSWORD).await,
        Refusal::InvalidCredentials
    );
    one(try_in(&test, None, GRACE, PASSWORD).await.unwrap());
}

/// What nobody proved is gone a day later, though nobody registers after it, at the cost of one note
/// for a tenant and an hour.
#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_proved_is_forgotten() {
    let test = TestService::start(Options::sqlite()).await.unwrap();
    let mut new = TestService::new_tenant("proven", ADA, Some(PASSWORD)).unwrap();
    new.registration = Registration::Open;
    let proven = test.create(new).await.unwrap();
    for (username, email) in [("grace", GRACE), ("linus", "linus@example.org")] {
        register(&test, "proven", &typed(username, email))
            .await
            .unwrap();
    }
    assert_eq!(test.mails().await.unwrap().len(), 2);
    let kept = async || {
        let touch = "UPDATE tenantry_registrations SET username = username";
        test.damage_tenant(&proven, touch).await.unwrap()
    };
    assert_eq!(kept().await, 2);
    let notes = "SELECT COUNT(*) FROM outbox WHERE sent_at IS NULL";
    assert_eq!(test.control().number(notes).await.unwrap(), 1);
    test.clock.advance(Duration::from_hours(23));
    assert_eq!(test.mails().await.unwrap().len(), 2);
    assert_eq!(kept().await, 2);
    test.clock.advance(Duration::from_hours(2));
    assert_eq!(test.mails().await.unwrap().len(), 2, "it is no mail");
    assert_eq!(kept().await, 0);
    assert_eq!(test.control().number(notes).await.unwrap(), 0);
}
