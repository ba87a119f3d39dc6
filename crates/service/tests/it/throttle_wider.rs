//! Wrong tries from one network, whatever accounts they are at.

use tenantry_service::Refusal;
use tenantry_testkit::on_both;
use tenantry_testkit::service::{Driver, PASSWORD, TestService};

use crate::people::{ADA, OTHER, one, start, try_from};

/// Tries from one network that cost nothing.
const FREE: usize = 50;

/// Fails so often, at an account of its own each time, from the addresses `ip` tells.
async fn fail(test: &TestService, tries: usize, ip: impl Fn(usize) -> String) {
    for number in 0..tries {
        let email = format!("nobody{number}@example.org");
        let wrong = try_from(test, Some("acme"), &email, OTHER, &ip(number)).await;
        refused!(wrong, Refusal::InvalidCredentials, number);
    }
}

/// Whoever has an account can't wash a network clean with it.
async fn a_success_clears_the_account_and_not_the_network(driver: Driver) {
    let test = start(driver).await;
    test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    let (here, elsewhere) = ("203.0.113.9", "203.0.113.10");
    fail(&test, FREE - 1, |_| here.to_owned()).await;
    for _ in 0..3 {
        let signed_in = try_from(&test, Some("acme"), ADA, PASSWORD, here).await;
        one(signed_in.unwrap());
    }
    fail(&test, 1, |_| here.to_owned()).await;
    let blocked = try_from(&test, Some("acme"), ADA, PASSWORD, here).await;
    refused!(blocked, Refusal::RateLimited(_));
    let signed_in = try_from(&test, Some("acme"), ADA, PASSWORD, elsewhere).await;
    one(signed_in.unwrap());
}

async fn an_ipv6_subscriber_is_one_network(driver: Driver) {
    let test = start(driver).await;
    test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    fail(&test, FREE, |number| format!("2001:db8:1:2:{number:x}::1")).await;
    let within = try_from(&test, Some("acme"), ADA, PASSWORD, "2001:db8:1:2:ffff::2").await;
    refused!(within, Refusal::RateLimited(_));
    let beside = try_from(&test, Some("acme"), ADA, PASSWORD, "2001:db8:1:3::2").await;
    one(beside.unwrap());
}

/// An address in several tenants is several accounts. A network that must wait waits at each.
async fn a_network_that_must_wait_waits_everywhere(driver: Driver) {
    let test = start(driver).await;
    test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    test.make_tenant("globex", ADA, OTHER).await.unwrap();
    let here = "203.0.113.9";
    fail(&test, FREE, |_| here.to_owned()).await;
    for (slug, password) in [(Some("globex"), OTHER), (None, PASSWORD), (None, OTHER)] {
        let blocked = try_from(&test, slug, ADA, password, here).await;
        refused!(blocked, Refusal::RateLimited(_), format!("{slug:?}"));
    }
}

on_both!(
    a_success_clears_the_account_and_not_the_network,
    an_ipv6_subscriber_is_one_network,
    a_network_that_must_wait_waits_everywhere,
);
