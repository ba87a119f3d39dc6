//! What a sign-in costs, and that it does not tell how many accounts an address has.

use std::time::{Duration, Instant};

use tenantry_service::Refusal;
use tenantry_service::signin::SignedIn;
use tenantry_testkit::on_both;
use tenantry_testkit::service::{Driver, Options, PASSWORD, TestService};

use crate::people::{ADA, OTHER, THIRD, id, one, start, try_from, try_in};

const NOBODY: &str = "nobody@example.org";
const TWICE: &str = "twice@example.org";

async fn unlimited(driver: Driver) -> TestService {
    let options = Options::on(driver).without_rate_limits();
    TestService::start(options).await.unwrap()
}

/// How a sign-in ends, and how many hashes it takes.
async fn cost(
    test: &TestService,
    slug: Option<&str>,
    email: &str,
    password: &str,
) -> (Result<SignedIn, Refusal>, u64) {
    let before = test.service.password_load().begun;
    let outcome = try_in(test, slug, email, password).await;
    (outcome, test.service.password_load().begun - before)
}

async fn refusal_cost(test: &TestService, slug: Option<&str>, email: &str, password: &str) -> u64 {
    let (outcome, hashes) = cost(test, slug, email, password).await;
    refused!(outcome, Refusal::InvalidCredentials, email);
    hashes
}

async fn refusals_cost_the_same_for_few_accounts(driver: Driver) {
    let test = unlimited(driver).await;
    let (root, both) = ("root@example.org", "both@example.org");
    for (slug, email) in [
        ("one", ADA),
        ("two", TWICE),
        ("three", TWICE),
        ("four", both),
    ] {
        test.make_tenant(slug, email, PASSWORD).await.unwrap();
    }
    for email in [root, both] {
        let admin = test
            .service
            .create_admin(email.parse().unwrap(), Some(PASSWORD));
        admin.await.unwrap();
    }
    let (invited, suspended, disabled) = (
        "invited@example.org",
        "suspended@example.org",
        "disabled@example.org",
    );
    test.invite_tenant("five", invited).await.unwrap();
    let closed = test.make_tenant("six", suspended, PASSWORD).await.unwrap();
    test.service.suspend_tenant(id(&closed)).await.unwrap();
    let seven = test.make_tenant("seven", disabled, PASSWORD).await.unwrap();
    let disable = "UPDATE tenantry_users SET disabled_at = 1";
    assert_eq!(test.damage_tenant(&seven, disable).await.unwrap(), 1);

    for email in [NOBODY, ADA, TWICE, root, both, invited, suspended, disabled] {
        assert_eq!(refusal_cost(&test, None, email, OTHER).await, 2, "{email}");
    }
    for email in [suspended, disabled] {
        let hashes = refusal_cost(&test, None, email, PASSWORD).await;
        assert_eq!(hashes, 2, "{email} with the right password");
    }
}

async fn refusals_of_more_accounts_cost_powers_of_two(driver: Driver) {
    let test = unlimited(driver).await;
    for (slug, cost) in [("one", 2), ("two", 2), ("three", 4), ("four", 4)] {
        test.make_tenant(slug, ADA, PASSWORD).await.unwrap();
        assert_eq!(refusal_cost(&test, None, ADA, OTHER).await, cost, "{slug}");
    }
}

/// Past its limit an account's password is not compared, and costs what it did.
async fn an_account_that_must_wait_costs_the_same(driver: Driver) {
    let test = start(driver).await;
    test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    for number in 0..5 {
        let from = format!("198.51.100.{number}");
        let _ = try_from(&test, Some("acme"), ADA, OTHER, &from).await;
    }
    for email in [ADA, NOBODY] {
        let hashes = refusal_cost(&test, None, email, PASSWORD).await;
        assert_eq!(hashes, 2, "{email}");
    }
}

async fn a_right_password_costs_a_hash_for_each_account(driver: Driver) {
    let test = unlimited(driver).await;
    test.make_tenant("one", ADA, PASSWORD).await.unwrap();
    test.make_tenant("two", TWICE, OTHER).await.unwrap();
    test.make_tenant("three", TWICE, THIRD).await.unwrap();
    for (email, password, expected) in [(ADA, PASSWORD, 1), (TWICE, OTHER, 2), (TWICE, THIRD, 2)] {
        let (outcome, hashes) = cost(&test, None, email, password).await;
        one(outcome.unwrap());
        assert_eq!(hashes, expected, "{email}");
    }
}

async fn with_a_tenant_named_it_is_one_hash(driver: Driver) {
    let test = unlimited(driver).await;
    test.make_tenant("one", TWICE, PASSWORD).await.unwrap();
    test.make_tenant("two", TWICE, OTHER).await.unwrap();
    for (email, password) in [(TWICE, OTHER), (NOBODY, PASSWORD)] {
        assert_eq!(refusal_cost(&test, Some("one"), email, password).await, 1);
    }
    let (outcome, hashes) = cost(&test, Some("one"), TWICE, PASSWORD).await;
    one(outcome.unwrap());
    assert_eq!(hashes, 1);
}

/// Who must wait is told so without a hash in between, behind which the time of the look-ups would
/// be lost; and may ask as often as he likes.
async fn no_answer_without_a_tenant_is_hurried(driver: Driver) {
    let test = start(driver).await;
    test.make_tenant("one", ADA, PASSWORD).await.unwrap();
    for email in [ADA, NOBODY] {
        for number in 0..5 {
            let from = format!("198.51.100.{number}");
            let _ = try_from(&test, None, email, OTHER, &from).await;
        }
        let began = Instant::now();
        let (outcome, hashes) = cost(&test, None, email, OTHER).await;
        assert!(began.elapsed() >= Duration::from_millis(25), "{email}");
        refused!(outcome, Refusal::RateLimited(_), email);
        assert_eq!(hashes, 0, "{email}");
    }
}

on_both!(
    refusals_cost_the_same_for_few_accounts,
    refusals_of_more_accounts_cost_powers_of_two,
    an_account_that_must_wait_costs_the_same,
    a_right_password_costs_a_hash_for_each_account,
    with_a_tenant_named_it_is_one_hash,
    no_answer_without_a_tenant_is_hurried,
);
