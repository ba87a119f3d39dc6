//! Wrong tries at one account.

use std::time::Duration;

use tenantry_service::Refusal;
use tenantry_service::signin::SignedIn;
use tenantry_testkit::on_both;
use tenantry_testkit::service::{Driver, Options, PASSWORD, TestService};

use crate::people::{ADA, OTHER, one, start, try_from, try_in};

/// Tries that are compared before an account must wait.
const FREE: u8 = 5;

/// An address of its own for each try, so that only the account counts.
fn from(number: u8) -> String {
    format!("198.51.100.{number}")
}

async fn five_are_free_for_known_and_unknown_alike(driver: Driver) {
    let test = start(driver).await;
    test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    for slug in [Some("acme"), None] {
        for email in [ADA, "nobody@example.org"] {
            let at = format!("{email} at {slug:?}");
            // What the other way of asking counted has passed by then.
            test.clock.advance(Duration::from_hours(25));
            for number in 0..FREE {
                let wrong = try_from(&test, slug, email, OTHER, &from(number)).await;
                refused!(wrong, Refusal::InvalidCredentials, at);
            }
            let mut pause = Duration::from_secs(15);
            for number in FREE..FREE + 3 {
                let blocked = try_from(&test, slug, email, OTHER, &from(number)).await;
                let Err(Refusal::RateLimited(wait)) = blocked else {
                    panic!("{at}: not limited");
                };
                assert_eq!(wait, pause, "{at}");
                test.clock.advance(wait);
                let wrong = try_from(&test, slug, email, OTHER, &from(number)).await;
                refused!(wrong, Refusal::InvalidCredentials, at);
                pause *= 2;
            }
        }
    }
}

async fn the_right_password_waits_too_and_then_clears_the_account(driver: Driver) {
    let test = start(driver).await;
    test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    for number in 0..FREE {
        let wrong = try_from(&test, Some("acme"), ADA, OTHER, &from(number)).await;
        refused!(wrong, Refusal::InvalidCredentials);
    }
    refused!(
        try_in(&test, Some("acme"), ADA, PASSWORD).await,
        Refusal::RateLimited(_)
    );
    test.clock.advance(Duration::from_secs(15));
    one(try_in(&test, Some("acme"), ADA, PASSWORD).await.unwrap());
    for number in 0..FREE {
        let wrong = try_from(&test, Some("acme"), ADA, OTHER, &from(number)).await;
        refused!(wrong, Refusal::InvalidCredentials, "counted anew");
    }
}

async fn one_account_does_not_hold_up_another(driver: Driver) {
    let test = start(driver).await;
    for slug in ["acme", "globex"] {
        test.make_tenant(slug, ADA, PASSWORD).await.unwrap();
    }
    for number in 0..=FREE {
        let _ = try_from(&test, Some("acme"), ADA, OTHER, &from(number)).await;
    }
    refused!(
        try_in(&test, Some("acme"), ADA, PASSWORD).await,
        Refusal::RateLimited(_)
    );
    one(try_in(&test, Some("globex"), ADA, PASSWORD).await.unwrap());
}

async fn many_at_once(test: &TestService, email: &'static str) -> (usize, usize) {
    let tries: Vec<_> = (0..200)
        .map(|number| {
            let (service, ip) = (test.service.clone(), from(number));
            tokio::spawn(async move {
                let tenant = crate::people::named(&service, "acme").await?;
                let login = crate::people::by_email(email);
                let client = tenantry_testkit::service::client(
                    tenantry_core::session::SessionKind::Browser,
                    &ip,
                );
                service.sign_in(&tenant, &login, OTHER, &client).await
            })
        })
        .collect();
    let (mut compared, mut limited) = (0, 0);
    for outcome in tries {
        match outcome.await.unwrap() {
            Err(Refusal::InvalidCredentials) => compared += 1,
            Err(Refusal::RateLimited(_)) => limited += 1,
            Err(refusal) => panic!("{refusal:?}"),
            Ok(_) => panic!("a wrong password fitted"),
        }
    }
    (compared, limited)
}

async fn of_two_hundred_at_once_five_are_compared(driver: Driver) {
    let test = start(driver).await;
    test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    assert_eq!(many_at_once(&test, ADA).await, (5, 195));
    assert_eq!(many_at_once(&test, "nobody@example.org").await, (5, 195));
}

/// A hundred failures in a row close the account until somebody lifts that.
async fn a_hundred_in_a_row_close_the_account(driver: Driver) {
    let test = start(driver).await;
    test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    for _ in 0..100 {
        let wrong = try_in(&test, Some("acme"), ADA, "x").await;
        refused!(wrong, Refusal::InvalidCredentials);
        test.clock.advance(Duration::from_mins(15));
    }
    test.clock.advance(Duration::from_hours(24 * 30));
    refused!(
        try_in(&test, Some("acme"), ADA, PASSWORD).await,
        Refusal::RateLimited(_)
    );
}

async fn without_limits_everything_is_compared(driver: Driver) {
    let options = Options::on(driver).without_rate_limits();
    let test = TestService::start(options).await.unwrap();
    test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    for _ in 0..12 {
        refused!(
            try_in(&test, Some("acme"), ADA, OTHER).await,
            Refusal::InvalidCredentials
        );
    }
    let signed_in = try_in(&test, Some("acme"), ADA, PASSWORD).await.unwrap();
    assert!(matches!(signed_in, SignedIn::Yes(_)));
}

/// A person with other passwords elsewhere signs in without naming a tenant: the password is
/// tried everywhere, and that it fits in one is no guess at the others.
async fn signing_in_to_one_tenant_locks_no_other(driver: Driver) {
    let test = start(driver).await;
    test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    test.make_tenant("globex", ADA, OTHER).await.unwrap();
    for _ in 0..8 {
        one(try_in(&test, None, ADA, OTHER).await.unwrap());
    }
    for number in 0..FREE {
        let wrong = try_from(&test, Some("acme"), ADA, "x", &from(number)).await;
        refused!(wrong, Refusal::InvalidCredentials, number);
    }
    let blocked = try_from(&test, Some("acme"), ADA, PASSWORD, &from(99)).await;
    refused!(blocked, Refusal::RateLimited(_), "those five do count");
}

on_both!(
    whoever_is_locked_out_gets_one_mail,
    signing_in_to_one_tenant_locks_no_other,
    five_are_free_for_known_and_unknown_alike,
    the_right_password_waits_too_and_then_clears_the_account,
    one_account_does_not_hold_up_another,
    of_two_hundred_at_once_five_are_compared,
    a_hundred_in_a_row_close_the_account,
    without_limits_everything_is_compared,
);

/// One mail to whoever is locked out by wrong tries, however many follow; none where the try that
/// would lock was the right one.
async fn whoever_is_locked_out_gets_one_mail(driver: Driver) {
    let test = start(driver).await;
    let acme = test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    let locked = async |test: &TestService| {
        let mails = test.mails().await.unwrap();
        let about = |mail: &&tenantry_service::mailbox::StoredMail| mail.subject.contains("locked");
        mails.iter().filter(about).count()
    };
    for _ in 0..4 {
        refused!(
            try_in(&test, Some("acme"), ADA, OTHER).await,
            Refusal::InvalidCredentials
        );
    }
    one(try_in(&test, Some("acme"), ADA, PASSWORD).await.unwrap());
    test.clock.advance(Duration::from_mins(2));
    assert_eq!(locked(&test).await, 0, "the fifth was right");
    for _ in 0..9 {
        assert!(try_in(&test, Some("acme"), ADA, OTHER).await.is_err());
        test.clock.advance(Duration::from_mins(16));
        locked(&test).await;
    }
    assert_eq!(locked(&test).await, 1);
    let mails = test.mails().await.unwrap();
    assert_eq!(mails[0].to, ADA);
    test.service
        .unlock_user(acme.tenant.id, &ADA.parse().unwrap())
        .await
        .unwrap();
    one(try_in(&test, Some("acme"), ADA, PASSWORD).await.unwrap());
}
