//! What the limits on wrong tries must not tell, and must not be turned into.

use std::time::Duration;

use tenantry_core::Email;
use tenantry_core::throttle::Limits;
use tenantry_service::Refusal;
use tenantry_service::signin::SignedIn;
use tenantry_testkit::on_both;
use tenantry_testkit::service::{Driver, Options, PASSWORD, TestService};

use crate::people::{ADA, OTHER, id, one, start, try_from, try_in};

const FREE: u8 = 5;

fn from(number: u16) -> String {
    format!("198.51.{}.{}", number / 250, number % 250 + 1)
}

/// Tries at a tenant and then without one: whoever is there waits no otherwise than nobody.
async fn another_way_of_asking_tells_nothing(driver: Driver) {
    let test = start(driver).await;
    test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    for email in [ADA, "nobody@example.org"] {
        for number in 0..FREE {
            let _ = try_from(&test, Some("acme"), email, OTHER, &from(number.into())).await;
        }
        let elsewhere = try_from(&test, None, email, OTHER, &from(99)).await;
        refused!(elsewhere, Refusal::InvalidCredentials, email);
    }
    // And no more guesses than five are compared for that.
    let right = try_from(&test, None, ADA, PASSWORD, &from(98)).await;
    refused!(
        right,
        Refusal::InvalidCredentials,
        "not compared, and not told"
    );
    test.clock.advance(Duration::from_secs(15));
    one(try_from(&test, None, ADA, PASSWORD, &from(97))
        .await
        .unwrap());
}

/// Whoever has an account under a victim's address in a tenant of his own, with a password he may
/// set to anything, gets few guesses with it.
async fn an_own_account_is_no_way_to_guess_at_anothers(driver: Driver) {
    let test = start(driver).await;
    test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    test.make_tenant("globex", ADA, OTHER).await.unwrap();
    let free = u16::try_from(Limits::BESIDE.free).unwrap();
    for number in 0..free {
        one(try_from(&test, None, ADA, OTHER, &from(number))
            .await
            .unwrap());
    }
    // Were the victim's compared still, a password that fits both would show as a choice.
    test.control()
        .damage("UPDATE throttle SET blocked_until = 0 WHERE failures < 20")
        .await
        .unwrap();
    let guess = try_from(&test, None, ADA, PASSWORD, &from(free)).await;
    refused!(
        guess,
        Refusal::InvalidCredentials,
        "a right guess is not seen any more"
    );
    one(try_in(&test, Some("acme"), ADA, PASSWORD).await.unwrap());
}

/// A tenant under attack stays open for those who did nothing wrong.
async fn a_storm_on_a_tenant_keeps_nobody_out(driver: Driver) {
    let test = start(driver).await;
    let acme = test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    for number in 0..FREE {
        let name = format!("nobody-{number}@example.org");
        let _ = try_from(&test, Some("acme"), &name, OTHER, &from(number.into())).await;
    }
    // As a thousand more would have left it.
    let hour = (test.clock.now() + Duration::from_hours(1)).micros();
    let changed = test
        .control()
        .damage(&format!(
            "UPDATE throttle SET blocked_until = {hour} WHERE failures = {FREE}"
        ))
        .await
        .unwrap();
    assert_eq!(changed, 1, "the tenant's own count");
    one(try_from(&test, Some("acme"), ADA, PASSWORD, &from(77))
        .await
        .unwrap());
    let network = from(78);
    let _ = try_from(&test, Some("acme"), ADA, OTHER, &network).await;
    let again = try_from(&test, Some("acme"), ADA, PASSWORD, &network).await;
    refused!(again, Refusal::RateLimited(_), id(&acme));
}

/// An operator lifts what a hundred wrong tries closed.
async fn a_closed_account_is_opened_again(driver: Driver) {
    let test = start(driver).await;
    let acme = test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    for number in 0..FREE {
        let _ = try_from(&test, Some("acme"), ADA, OTHER, &from(number.into())).await;
    }
    test.control()
        .damage("UPDATE throttle SET failures = 100, blocked_until = 9223372036854775807 WHERE failures = 5")
        .await
        .unwrap();
    test.clock.advance(Duration::from_hours(1000));
    refused!(
        try_in(&test, Some("acme"), ADA, PASSWORD).await,
        Refusal::RateLimited(_)
    );
    let email: Email = ADA.parse().unwrap();
    test.service.unlock_user(id(&acme), &email).await.unwrap();
    let signed_in = try_from(&test, Some("acme"), ADA, PASSWORD, &from(9))
        .await
        .unwrap();
    assert!(matches!(signed_in, SignedIn::Yes(_)));
    let nobody: Email = "nobody@example.org".parse().unwrap();
    refused!(
        test.service.unlock_user(id(&acme), &nobody).await,
        Refusal::NotFound
    );
    refused!(test.service.unlock_admin(&nobody).await, Refusal::NotFound);
}

/// Where an address belongs to one tenant only, one that nobody gets into now holds it too.
async fn a_taken_address_breaks_no_running_tenant(driver: Driver) {
    let test = TestService::start(Options::on(driver).with_global_addresses())
        .await
        .unwrap();
    let one_ = test.make_tenant("one", ADA, PASSWORD).await.unwrap();
    let two = test
        .make_tenant("two", "grace@example.org", PASSWORD)
        .await
        .unwrap();
    test.service.suspend_tenant(id(&one_)).await.unwrap();
    let owner = TestService::new_tenant("two", ADA, Some(OTHER))
        .unwrap()
        .owner;
    refused!(
        test.service.recreate_tenant(id(&two), &owner).await,
        Refusal::EmailTaken
    );
    let after = test.service.find_tenant("two").await.unwrap().tenant;
    assert_eq!(
        (after.status, after.generation),
        (two.tenant.status, two.tenant.generation)
    );
    one(try_in(&test, Some("two"), "grace@example.org", PASSWORD)
        .await
        .unwrap());
}

/// An owner who never set a password gets a new link when the tenant comes back.
async fn an_owner_without_a_password_is_invited_again(driver: Driver) {
    let test = start(driver).await;
    let acme = test.invite_tenant("acme", ADA).await.unwrap();
    let first = test.setup_token_from_mail(ADA).await.unwrap();
    test.service.delete_tenant(id(&acme), false).await.unwrap();
    test.clock.advance(Duration::from_secs(1));
    test.service.restore_tenant(id(&acme)).await.unwrap();
    test.settle().await.unwrap();
    assert_eq!(test.mails().await.unwrap().len(), 2);
    refused!(
        test.service.setup_view(&first, None).await,
        Refusal::TokenInvalid
    );
    let second = test.setup_token_from_mail(ADA).await.unwrap();
    assert_ne!(first, second);
    test.service
        .setup_password(&second, PASSWORD, None, None)
        .await
        .unwrap();
    one(try_in(&test, Some("acme"), ADA, PASSWORD).await.unwrap());
}

on_both!(
    another_way_of_asking_tells_nothing,
    an_own_account_is_no_way_to_guess_at_anothers,
    a_storm_on_a_tenant_keeps_nobody_out,
    a_closed_account_is_opened_again,
    a_taken_address_breaks_no_running_tenant,
    an_owner_without_a_password_is_invited_again,
);
