//! Asking for a tenant: proven by mail, decided once.

use std::time::Duration;

use tenantry_core::application::{ApplicationState, Signup};
use tenantry_core::{ApplicationId, Email, Locale};
use tenantry_saga::{Fault, Faults, Moment};
use tenantry_service::Refusal;
use tenantry_service::applications::{Confirmed, NewApplication, Overrides};
use tenantry_service::mailbox::StoredMail;
use tenantry_service::tenants::Created;
use tenantry_service::webhooks::NewWebhook;
use tenantry_testkit::on_both;
use tenantry_testkit::receiver::Receiver;
use tenantry_testkit::service::{Driver, Options, PASSWORD, TestService, WAIT, link_token};

use crate::people::{ADA, IP};

const EVE: &str = "eve@example.org";

async fn start(driver: Driver, signup: Signup) -> TestService {
    let options = Options::on(driver).with_signup(signup);
    TestService::start(options).await.unwrap()
}

fn wish(slug: &str, email: &str) -> NewApplication {
    NewApplication {
        name: format!("The {slug} company"),
        slug: slug.to_owned(),
        email: email.to_owned(),
        full_name: Some("Ada Lovelace".to_owned()),
    }
}

async fn apply(test: &TestService, slug: &str, email: &str) -> Result<(), Refusal> {
    test.clock.advance(Duration::from_millis(1));
    let wish = wish(slug, email);
    let ip = IP.parse().ok();
    test.service.apply(&wish, Locale::En, ip).await
}

fn token_in(mail: &StoredMail) -> Option<String> {
    link_token(mail.text.as_deref()?, "/signup/")
}

/// The token in the newest mail to an address.
async fn token_for(test: &TestService, email: &str) -> String {
    let mails = test.mails().await.unwrap();
    let newest = mails.iter().find(|mail| mail.to == email).unwrap();
    token_in(newest).unwrap()
}

/// An application that waits for somebody to decide.
async fn waiting(test: &TestService, slug: &str, email: &str) -> ApplicationId {
    apply(test, slug, email).await.unwrap();
    let token = token_for(test, email).await;
    match test.service.confirm_application(&token, WAIT).await {
        Ok(Confirmed::Waiting(view)) => view.id,
        Ok(Confirmed::Made(_)) => panic!("{slug} was made"),
        Err(refusal) => panic!("{slug}: {refusal:?}"),
    }
}

async fn state(test: &TestService, id: ApplicationId) -> ApplicationState {
    test.service.find_application(id).await.unwrap().state
}

async fn approve(test: &TestService, id: ApplicationId, slug: &str) -> Result<Created, Refusal> {
    let otherwise = Overrides {
        slug: (!slug.is_empty()).then(|| slug.parse().unwrap()),
        ..Overrides::default()
    };
    test.service.approve_application(id, otherwise, WAIT).await
}

async fn whoever_is_approved_gets_a_tenant_and_a_link(driver: Driver) {
    let test = start(driver, Signup::Apply).await;
    let hook = Receiver::start().await.unwrap();
    let new = NewWebhook {
        url: hook.url("/"),
        events: vec!["tenant.applied".to_owned()],
        description: None,
    };
    test.service.add_webhook(&new).await.unwrap();
    apply(&test, "acme", ADA).await.unwrap();
    let token = token_for(&test, ADA).await;
    let view = test.service.application_of(&token).await.unwrap();
    assert_eq!(
        (view.state, view.slug.as_str(), view.name.as_str()),
        (ApplicationState::PendingProof, "acme", "The acme company")
    );
    assert_eq!(view.email.as_ref().map(Email::as_str), Some(ADA));
    // Looking at the link decides nothing, and nobody is told of a stranger's word.
    refused!(approve(&test, view.id, "").await, Refusal::Conflict(_));
    assert_eq!(test.service.deliver_due_notices().await.unwrap(), 0);
    for _ in 0..2 {
        let confirmed = test.service.confirm_application(&token, WAIT).await;
        assert!(matches!(confirmed, Ok(Confirmed::Waiting(_))));
    }
    assert_eq!(test.service.deliver_due_notices().await.unwrap(), 1);
    let told = hook.seen()[0].json();
    assert_eq!(told["type"], "tenant.applied");
    assert_eq!(told["data"]["application"]["slug"], "acme");

    let made = match approve(&test, view.id, "").await.unwrap() {
        Created::Active(view) => view,
        Created::Later(..) => panic!("it takes too long"),
    };
    assert_eq!(made.tenant.name, "The acme company");
    let seen = test.service.find_application(view.id).await.unwrap();
    assert_eq!(
        (seen.state, seen.tenant),
        (ApplicationState::Approved, Some(made.tenant.id))
    );
    let setup = test.setup_token_from_mail(ADA).await.unwrap();
    let ip = IP.parse().ok();
    let set = test
        .service
        .setup_password(&setup, PASSWORD, None, ip)
        .await;
    assert_eq!(set.unwrap().email.as_str(), ADA);
    // Decided is decided.
    refused!(approve(&test, view.id, "other").await, Refusal::Conflict(_));
    let rejected = test.service.reject_application(view.id, None).await;
    refused!(rejected, Refusal::Conflict(_));
    refused!(
        test.service.confirm_application(&token, WAIT).await,
        Refusal::TokenInvalid
    );
}

async fn nobody_asks_where_that_is_closed(driver: Driver) {
    let test = start(driver, Signup::Closed).await;
    refused!(apply(&test, "acme", ADA).await, Refusal::Forbidden);
    // Not even with a slug or an address that is none: nothing is told.
    refused!(apply(&test, "x", "nobody").await, Refusal::Forbidden);
    assert!(test.mails().await.unwrap().is_empty());
    let listed = test.service.list_applications(None, None, 10).await;
    assert!(listed.unwrap().is_empty());
}

async fn where_it_is_open_a_proven_address_is_enough(driver: Driver) {
    let test = start(driver, Signup::Open).await;
    apply(&test, "acme", ADA).await.unwrap();
    refused!(
        test.service.find_tenant("acme").await,
        Refusal::NotFound,
        "nothing is made for an address that is not proven"
    );
    let token = token_for(&test, ADA).await;
    match test.service.confirm_application(&token, WAIT).await {
        Ok(Confirmed::Made(view)) => assert_eq!(view.tenant.slug.as_str(), "acme"),
        _ => panic!("it was not made"),
    }
    assert!(test.setup_token_from_mail(ADA).await.is_ok());
    // Somebody was faster with the slug: it waits, and the same link tries again.
    apply(&test, "globex", EVE).await.unwrap();
    let token = token_for(&test, EVE).await;
    let first = test.make_tenant("globex", ADA, PASSWORD).await.unwrap();
    let confirmed = test.service.confirm_application(&token, WAIT).await;
    assert!(matches!(confirmed, Ok(Confirmed::Waiting(_))));
    let first = first.tenant.id;
    test.service.delete_tenant(first, true).await.unwrap();
    let confirmed = test.service.confirm_application(&token, WAIT).await;
    assert!(matches!(confirmed, Ok(Confirmed::Made(_))));
}

async fn the_answer_tells_nothing_of_an_address(driver: Driver) {
    let test = start(driver, Signup::Apply).await;
    test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    // Known or not, the answer and the mail are the same.
    for email in [ADA, EVE] {
        apply(&test, "globex", email).await.unwrap();
        assert!(!token_for(&test, email).await.is_empty());
    }
    // Slugs are in addresses, so a taken one is told.
    refused!(apply(&test, "acme", EVE).await, Refusal::SlugTaken);
    // What a stranger writes of himself is in no mail but his own name.
    let mut wish = wish("globex", EVE);
    "Win at evil.example".clone_into(&mut wish.name);
    wish.full_name = Some("www.evil.example".to_owned());
    test.clock.advance(Duration::from_millis(1));
    let asked = test.service.apply(&wish, Locale::En, IP.parse().ok()).await;
    asked.unwrap();
    let mails = test.mails().await.unwrap();
    let text = mails[0].text.as_deref().unwrap();
    assert!(!text.contains("evil.example"), "{text}");
    // Too many to one address are left out without a word.
    for _ in 0..10 {
        apply(&test, "globex", EVE).await.unwrap();
    }
    let mails = test.mails().await.unwrap();
    let to_eve = mails.iter().filter(|mail| mail.to == EVE).count();
    assert!((3..=6).contains(&to_eve), "{to_eve} mails");
    for (field, wish) in [
        (
            "name",
            NewApplication {
                name: " ".to_owned(),
                ..wish.clone()
            },
        ),
        (
            "slug",
            NewApplication {
                slug: "www".to_owned(),
                ..wish.clone()
            },
        ),
        (
            "email",
            NewApplication {
                email: "eve".to_owned(),
                ..wish.clone()
            },
        ),
        (
            "full_name",
            NewApplication {
                full_name: Some("a\nb".to_owned()),
                ..wish
            },
        ),
    ] {
        match test.service.apply(&wish, Locale::En, None).await {
            Err(Refusal::Validation(errors)) => assert_eq!(errors[0].field, field),
            other => panic!("{field}: {other:?}"),
        }
    }
}

async fn a_network_that_asks_too_often_waits(driver: Driver) {
    let test = start(driver, Signup::Apply).await;
    let mut refused = None;
    for number in 0..80 {
        let asked = apply(&test, "acme", &format!("n{number}@example.org")).await;
        if let Err(refusal) = asked {
            refused = Some((number, refusal));
            break;
        }
    }
    let (number, refusal) = refused.expect("nobody had to wait");
    assert!(number >= 20, "after {number}");
    assert!(matches!(refusal, Refusal::RateLimited(_)), "{refusal:?}");
    let elsewhere = "198.51.100.9".parse().ok();
    let wish = wish("acme", ADA);
    let asked = test.service.apply(&wish, Locale::En, elsewhere);
    asked.await.unwrap();
}

async fn a_taken_slug_leaves_the_application_waiting(driver: Driver) {
    let test = start(driver, Signup::Apply).await;
    let first = waiting(&test, "acme", ADA).await;
    let second = waiting(&test, "acme", EVE).await;
    approve(&test, first, "").await.unwrap();
    refused!(approve(&test, second, "").await, Refusal::SlugTaken);
    assert_eq!(state(&test, second).await, ApplicationState::Pending);
    approve(&test, second, "acme-two").await.unwrap();
    let seen = test.service.find_application(second).await.unwrap();
    assert_eq!(seen.state, ApplicationState::Approved);
    let made = test.service.find_tenant("acme-two").await.unwrap();
    assert_eq!(Some(made.tenant.id), seen.tenant);
}

async fn two_approvals_at_once_make_one_tenant(driver: Driver) {
    let test = start(driver, Signup::Apply).await;
    let other = test.beside(Faults::none()).await.unwrap();
    for round in 0..4 {
        let email = format!("round-{round}@example.org");
        let id = waiting(&test, &format!("round-{round}"), &email).await;
        // Under two slugs, so that the slug is not what decides.
        let (one, two) = (format!("one-{round}"), format!("two-{round}"));
        let (first, second) = tokio::join!(approve(&test, id, &one), approve(&other, id, &two));
        let outcomes = [first.map(drop), second.map(drop)];
        let made = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        assert_eq!(made, 1, "{outcomes:?}");
        for outcome in outcomes {
            assert!(matches!(outcome, Ok(()) | Err(Refusal::Conflict(_))));
        }
        let tenants = test.service.list_tenants(0, 50).await.unwrap();
        assert_eq!(tenants.len(), round + 1);
    }
}

async fn one_that_is_declined_gets_a_mail_and_nothing_else(driver: Driver) {
    let test = start(driver, Signup::Apply).await;
    let id = waiting(&test, "acme", ADA).await;
    let long = "x".repeat(501);
    for reason in [long.as_str(), "two\nlines"] {
        let refused = test.service.reject_application(id, Some(reason)).await;
        refused!(refused, Refusal::Validation(_));
    }
    test.clock.advance(Duration::from_millis(1));
    let reason = Some(" we know you ");
    let rejected = test.service.reject_application(id, reason).await.unwrap();
    assert_eq!(
        (rejected.state, rejected.reason.as_deref()),
        (ApplicationState::Rejected, Some("we know you"))
    );
    let mails = test.mails().await.unwrap();
    assert_eq!(mails[0].to, ADA);
    assert!(mails[0].text.as_deref().unwrap().contains("we know you"));
    refused!(approve(&test, id, "").await, Refusal::Conflict(_));
    let again = test.service.reject_application(id, None).await;
    refused!(again, Refusal::Conflict(_));
    assert_eq!(test.mails().await.unwrap().len(), mails.len());
    refused!(test.service.find_tenant("acme").await, Refusal::NotFound);
}

async fn one_whose_tenant_can_not_be_made_waits_again(driver: Driver) {
    let test = start(driver, Signup::Apply).await;
    let id = waiting(&test, "acme", ADA).await;
    let faults = Faults::new(|_, step, moment| {
        ((step, moment) == ("verify", Moment::AfterForward)).then_some(Fault::Fatal)
    });
    let broken = test.beside(faults).await.unwrap();
    assert!(approve(&broken, id, "").await.is_err());
    test.settle().await.unwrap();
    assert_eq!(state(&test, id).await, ApplicationState::Pending);
    refused!(test.service.find_tenant("acme").await, Refusal::NotFound);
    approve(&test, id, "").await.unwrap();
    assert_eq!(state(&test, id).await, ApplicationState::Approved);
}

async fn what_is_not_proven_in_time_is_forgotten(driver: Driver) {
    let test = start(driver, Signup::Apply).await;
    apply(&test, "acme", ADA).await.unwrap();
    let token = token_for(&test, ADA).await;
    let view = test.service.application_of(&token).await.unwrap();
    for bad in ["", "x", &token[1..], &token.replace('-', "_")] {
        if bad != token {
            let confirmed = test.service.confirm_application(bad, WAIT).await;
            refused!(confirmed, Refusal::TokenInvalid, bad);
        }
    }
    test.clock.advance(Duration::from_hours(24));
    let confirmed = test.service.confirm_application(&token, WAIT).await;
    refused!(confirmed, Refusal::TokenInvalid);
    test.service.sweep().await.unwrap();
    let seen = test.service.find_application(view.id).await.unwrap();
    assert_eq!((seen.state, seen.email), (ApplicationState::Expired, None));
    test.clock.advance(Duration::from_hours(24 * 91));
    test.service.sweep().await.unwrap();
    let gone = test.service.find_application(view.id).await;
    refused!(gone, Refusal::NotFound);
}

/// The registry has the address under seal only.
async fn who_asks_is_sealed(driver: Driver) {
    let test = start(driver, Signup::Apply).await;
    let id = waiting(&test, "acme", ADA).await;
    let literal = test.control().literal(id.uuid());
    let plain = format!(
        "SELECT COUNT(*) FROM tenant_applications
         WHERE id = {literal} AND (name LIKE '%@%' OR slug LIKE '%@%' OR reason LIKE '%@%')"
    );
    assert_eq!(test.control().number(&plain).await.unwrap(), 0);
    let view = test.service.find_application(id).await.unwrap();
    assert_eq!(view.full_name.as_deref(), Some("Ada Lovelace"));
    // Under another application's id it does not open.
    let other = waiting(&test, "globex", EVE).await;
    let from = test.control().literal(other.uuid());
    let swap = format!(
        "UPDATE tenant_applications SET applicant =
             (SELECT o.applicant FROM tenant_applications o WHERE o.id = {from}) WHERE id = {literal}"
    );
    assert_eq!(test.control().damage(&swap).await.unwrap(), 1);
    let view = test.service.find_application(id).await.unwrap();
    assert!(view.damaged && view.email.is_none() && view.full_name.is_none());
}

/// An application that can't be unsealed hides no other, and can be got rid of.
async fn a_damaged_application_leaves_the_others(driver: Driver) {
    let test = start(driver, Signup::Apply).await;
    let good = waiting(&test, "acme", ADA).await;
    let damaged = waiting(&test, "globex", EVE).await;
    let damage = "UPDATE tenant_applications SET applicant = name_sealed WHERE slug = 'globex'";
    let octets = match driver {
        Driver::Sqlite => "x'00'",
        Driver::Postgres => "'\\x00'::bytea",
    };
    let damage = damage.replace("name_sealed", octets);
    assert_eq!(test.control().damage(&damage).await.unwrap(), 1);
    let listed = test
        .service
        .list_applications(None, None, 10)
        .await
        .unwrap();
    let seen: Vec<_> = listed
        .iter()
        .map(|view| (view.id, view.damaged, view.email.is_some()))
        .collect();
    assert_eq!(seen, [(damaged, true, false), (good, false, true)]);
    refused!(approve(&test, damaged, "").await, Refusal::Conflict(_));
    assert_eq!(state(&test, damaged).await, ApplicationState::Pending);
    let mails = test.mails().await.unwrap().len();
    let view = test
        .service
        .reject_application(damaged, None)
        .await
        .unwrap();
    assert_eq!(view.state, ApplicationState::Rejected);
    assert_eq!(test.mails().await.unwrap().len(), mails, "to nobody");
    assert!(approve(&test, good, "").await.is_ok());
}

on_both!(
    a_damaged_application_leaves_the_others,
    whoever_is_approved_gets_a_tenant_and_a_link,
    nobody_asks_where_that_is_closed,
    where_it_is_open_a_proven_address_is_enough,
    the_answer_tells_nothing_of_an_address,
    a_network_that_asks_too_often_waits,
    a_taken_slug_leaves_the_application_waiting,
    two_approvals_at_once_make_one_tenant,
    one_that_is_declined_gets_a_mail_and_nothing_else,
    one_whose_tenant_can_not_be_made_waits_again,
    what_is_not_proven_in_time_is_forgotten,
    who_asks_is_sealed,
);
