//! Setting a new password without the old one: by link and by code, with a tenant named and without,
//! for nobody, for one tenant and for several.

pub(crate) mod codes;

use std::time::Duration;

use tenantry_core::{Locale, TenantId};
use tenantry_service::Refusal;
use tenantry_service::mailbox::StoredMail;
use tenantry_service::recovery::Way;
use tenantry_service::resolve::Resolved;
use tenantry_service::sessions::Credential;
use tenantry_testkit::on_each_isolation;
use tenantry_testkit::service::{Options, PASSWORD, TestService, link_token};

use crate::people::{ADA, IP, OTHER, THIRD, id, named, one, sign_in_twice, try_in};

pub(crate) const NOBODY: &str = "nobody@example.org";

on_each_isolation! {
    a_link_sets_the_password_of_one_person,
}

/// Asks for a mail; the newest one to the address, if another one came.
pub(crate) async fn ask(
    test: &TestService,
    slug: Option<&str>,
    email: &str,
    way: Way,
) -> Option<StoredMail> {
    let before = count(test, email).await;
    let tenant = match slug {
        Some(slug) => named(&test.service, slug).await.unwrap(),
        None => Resolved::None,
    };
    test.clock.advance(Duration::from_millis(1));
    test.service
        .ask_for_reset(
            &tenant,
            &email.parse().unwrap(),
            way,
            Locale::En,
            IP.parse().ok(),
        )
        .await
        .unwrap();
    let mails = test.mails().await.unwrap();
    let mut there: Vec<_> = mails.into_iter().filter(|mail| mail.to == email).collect();
    (there.len() > before).then(|| there.remove(0))
}

async fn count(test: &TestService, email: &str) -> usize {
    let mails = test.mails().await.unwrap();
    mails.iter().filter(|mail| mail.to == email).count()
}

fn token(mail: &StoredMail) -> String {
    link_token(mail.text.as_deref().unwrap(), "/reset-password/").unwrap()
}

async fn reset(
    test: &TestService,
    token: &str,
    password: &str,
    hinted: Option<TenantId>,
) -> Result<(), Refusal> {
    // So that mails have an order.
    test.clock.advance(Duration::from_millis(1));
    let set = test
        .service
        .reset_password(token, password, hinted, Locale::En, IP.parse().ok());
    set.await.map(drop)
}

async fn a_link_sets_the_password_of_one_person(options: Options) {
    let test = TestService::start(options).await.unwrap();
    let acme = id(&test.make_tenant("acme", ADA, PASSWORD).await.unwrap());
    let globex = id(&test.make_tenant("globex", ADA, OTHER).await.unwrap());
    nobody_gets_a_mail(&test).await;
    the_named_tenant_alone(&test, acme, globex).await;
    one_mail_for_all_tenants(&test).await;
    of_many_at_once_one_wins(&test, acme).await;
    another_link_voids_the_first(&test, acme).await;
    a_link_ends_with_its_time_and_its_generation(&test, acme).await;
}

async fn nobody_gets_a_mail(test: &TestService) {
    for slug in [Some("acme"), None] {
        for way in [Way::Link, Way::Code] {
            assert!(ask(test, slug, NOBODY, way).await.is_none());
        }
    }
}

/// The link leads to the tenant's own address and does nothing under another one's; everybody who
/// was signed in there is signed out, and nobody elsewhere; a notice follows.
async fn the_named_tenant_alone(test: &TestService, acme: TenantId, globex: TenantId) {
    let here = sign_in_twice(test, "acme", ADA, PASSWORD).await;
    let there = sign_in_twice(test, "globex", ADA, OTHER).await;
    let mail = ask(test, Some("acme"), ADA, Way::Link).await.unwrap();
    let text = mail.text.as_deref().unwrap();
    assert!(
        text.contains("http://acme.localhost:8000/reset-password/"),
        "{text}"
    );
    assert!(!text.contains("globex"), "{text}");
    let token = token(&mail);
    for _ in 0..2 {
        let view = test.service.reset_view(&token, Some(acme)).await.unwrap();
        assert_eq!((view.email.as_str(), view.tenant.unwrap().id), (ADA, acme));
    }
    refused!(
        test.service.reset_view(&token, Some(globex)).await,
        Refusal::TokenInvalid
    );
    refused!(
        reset(test, &token, THIRD, Some(globex)).await,
        Refusal::TokenInvalid
    );
    refused!(
        reset(test, &token, "short", None).await,
        Refusal::Validation(_)
    );
    reset(test, &token, THIRD, None).await.unwrap();
    refused!(
        reset(test, &token, OTHER, None).await,
        Refusal::TokenInvalid,
        "used"
    );
    refused!(
        try_in(test, Some("acme"), ADA, PASSWORD).await,
        Refusal::InvalidCredentials
    );
    one(try_in(test, Some("acme"), ADA, THIRD).await.unwrap());
    for (credential, ended) in [(&here, true), (&there, false)] {
        let cookie = Credential::Cookie(&credential.cookie);
        let looked = test.service.authenticate(cookie, None).await;
        assert_eq!(matches!(looked, Err(Refusal::SessionStale)), ended);
    }
    let notice = &test.mails().await.unwrap()[0];
    assert_eq!(notice.to, ADA);
    assert!(notice.subject.contains("was changed"), "{}", notice.subject);
    // Back to what the others expect.
    let mail = ask(test, Some("acme"), ADA, Way::Link).await.unwrap();
    reset(test, &self::token(&mail), PASSWORD, Some(acme))
        .await
        .unwrap();
}

async fn one_mail_for_all_tenants(test: &TestService) {
    let before = count(test, ADA).await;
    let mail = ask(test, None, ADA, Way::Link).await.unwrap();
    assert_eq!(count(test, ADA).await, before + 1, "one mail");
    let text = mail.text.as_deref().unwrap();
    let links: Vec<&str> = text
        .lines()
        .filter(|line| line.contains("/reset-password/"))
        .collect();
    assert_eq!(links.len(), 2, "{text}");
    assert!(
        links[0].starts_with("http://acme.localhost:8000/"),
        "{text}"
    );
    assert!(
        links[1].starts_with("http://globex.localhost:8000/"),
        "{text}"
    );
    let second = link_token(links[1], "/reset-password/").unwrap();
    reset(test, &second, THIRD, None).await.unwrap();
    one(try_in(test, Some("acme"), ADA, PASSWORD).await.unwrap());
    one(try_in(test, Some("globex"), ADA, THIRD).await.unwrap());
    let first = link_token(links[0], "/reset-password/").unwrap();
    reset(test, &first, PASSWORD, None).await.unwrap();
}

async fn of_many_at_once_one_wins(test: &TestService, acme: TenantId) {
    let mail = ask(test, Some("acme"), ADA, Way::Link).await.unwrap();
    let token = token(&mail);
    let password = |number: usize| format!("password number {number:02}");
    let tries = (0..50).map(|number| {
        let (token, password) = (token.clone(), password(number));
        async move { reset(test, &token, &password, Some(acme)).await }
    });
    let outcomes = futures_util::future::join_all(tries).await;
    let winners: Vec<usize> = (0..50).filter(|at| outcomes[*at].is_ok()).collect();
    assert_eq!(winners.len(), 1, "{winners:?}");
    let chosen = password(winners[0]);
    one(try_in(test, Some("acme"), ADA, &chosen).await.unwrap());
    let mail = ask(test, Some("acme"), ADA, Way::Link).await.unwrap();
    reset(test, &self::token(&mail), PASSWORD, None)
        .await
        .unwrap();
}

async fn another_link_voids_the_first(test: &TestService, acme: TenantId) {
    // An hour later mails may be asked for again.
    test.clock.advance(Duration::from_hours(2));
    let first = token(&ask(test, Some("acme"), ADA, Way::Link).await.unwrap());
    let second = token(&ask(test, Some("acme"), ADA, Way::Link).await.unwrap());
    refused!(
        test.service.reset_view(&first, Some(acme)).await,
        Refusal::TokenInvalid
    );
    assert!(test.service.reset_view(&second, Some(acme)).await.is_ok());
}

async fn a_link_ends_with_its_time_and_its_generation(test: &TestService, acme: TenantId) {
    let first = token(&ask(test, Some("acme"), ADA, Way::Link).await.unwrap());
    test.clock.advance(Duration::from_hours(1));
    refused!(
        reset(test, &first, OTHER, None).await,
        Refusal::TokenInvalid
    );
    let second = token(&ask(test, Some("acme"), ADA, Way::Link).await.unwrap());
    test.service.delete_tenant(acme, false).await.unwrap();
    refused!(
        reset(test, &second, OTHER, None).await,
        Refusal::TokenInvalid
    );
    test.service.restore_tenant(acme).await.unwrap();
    test.settle().await.unwrap();
    refused!(
        reset(test, &second, OTHER, None).await,
        Refusal::TokenInvalid
    );
    let asked = ask(test, Some("acme"), ADA, Way::Link).await;
    assert!(asked.is_some(), "and it goes on in its next life");
    test.service.suspend_tenant(acme).await.unwrap();
    let tenant = named(&test.service, "acme").await.unwrap();
    let email = ADA.parse().unwrap();
    let asked = test
        .service
        .ask_for_reset(&tenant, &email, Way::Link, Locale::En, None);
    refused!(asked.await, Refusal::TenantUnavailable);
}

/// One tenant in trouble delays its own mails, and nobody else's.
#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_can_not_be_written_keeps_no_other() {
    let test = TestService::start(Options::sqlite()).await.unwrap();
    let broken = "broken@example.org";
    let view = test.make_tenant("broken", broken, OTHER).await.unwrap();
    test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    let file = test.tenant_file(id(&view), view.tenant.generation);
    let away = file.with_extension("away");
    std::fs::rename(&file, &away).unwrap();
    // The older wish is the one that fails.
    assert!(
        ask(&test, Some("broken"), broken, Way::Link)
            .await
            .is_none()
    );
    assert!(ask(&test, Some("acme"), ADA, Way::Link).await.is_some());
    assert!(
        ask(&test, Some("broken"), broken, Way::Code)
            .await
            .is_none()
    );
    assert!(ask(&test, Some("acme"), ADA, Way::Code).await.is_some());
    std::fs::rename(&away, &file).unwrap();
    test.clock.advance(Duration::from_mins(5));
    assert_eq!(count(&test, broken).await, 2);
}

/// What is asked for too often is left out, and nobody is told: it says nothing about the account.
#[tokio::test(flavor = "multi_thread")]
async fn mails_to_one_address_are_few() {
    let test = TestService::start(Options::sqlite()).await.unwrap();
    test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    let mut sent = 0;
    for _ in 0..12 {
        sent += usize::from(ask(&test, Some("acme"), ADA, Way::Link).await.is_some());
    }
    assert_eq!(sent, 5);
    let code = ask(&test, Some("acme"), ADA, Way::Code).await;
    assert!(code.is_some(), "each kind is counted for itself");
}

/// Platform admins are reached by link too.
#[tokio::test(flavor = "multi_thread")]
async fn a_platform_admin_sets_a_new_password() {
    let test = TestService::start(Options::sqlite()).await.unwrap();
    let admin = test
        .service
        .create_admin(ADA.parse().unwrap(), Some(PASSWORD));
    admin.await.unwrap();
    let mail = ask(&test, None, ADA, Way::Link).await.unwrap();
    let text = mail.text.as_deref().unwrap();
    assert!(
        text.contains("http://localhost:8000/reset-password/"),
        "{text}"
    );
    reset(&test, &token(&mail), THIRD, None).await.unwrap();
    refused!(
        try_in(&test, None, ADA, PASSWORD).await,
        Refusal::InvalidCredentials
    );
    one(try_in(&test, None, ADA, THIRD).await.unwrap());
    assert!(ask(&test, None, ADA, Way::Code).await.is_none());
}
