//! What was issued while a clock was far ahead counts no more once it is right, and hides nothing.

use std::time::Duration;

use tenantry_service::Refusal;
use tenantry_service::sessions::Credential;
use tenantry_testkit::on_each_session_driver;
use tenantry_testkit::service::{Options, PASSWORD};

use super::acme;
use crate::people::{ADA, principal, sign_in_twice};

const DAY: Duration = Duration::from_hours(24);

async fn what_was_issued_far_ahead_counts_no_more(options: Options) {
    let (test, _, ada) = acme(options).await;
    let now = test.clock.now();
    test.clock.set(now + 400 * DAY);
    let far = sign_in_twice(&test, "acme", ADA, PASSWORD).await;
    far.expect_live(&test.service).await;
    test.clock.set(now);
    ada.expect_live(&test.service).await;
    // Twice: as it was kept, and as it is found.
    for _ in 0..2 {
        let cookie = Credential::Cookie(&far.cookie);
        refused!(
            test.service.authenticate(cookie, None).await,
            Refusal::SessionStale
        );
        let bearer = Credential::Bearer(&far.bearer);
        refused!(
            test.service.authenticate(bearer, None).await,
            Refusal::AuthenticationRequired
        );
    }
    let refresh = test.service.refresh(&far.refresh, None).await;
    refused!(refresh, Refusal::SessionStale);
    let listed = test.service.sessions_of(&ada.person).await.unwrap();
    assert!(listed.iter().all(|session| session.created_at == now));
    assert_eq!(listed.len(), 2);
    // Whoever ends all ends those as well, though they count for none that lived: they do not come back
    // when their day comes.
    let browser = principal(&test, &ada.cookie).await;
    let ended = test.service.sign_out_everywhere(&browser).await.unwrap();
    assert_eq!(ended, 2);
    ada.expect_stale(&test.service, "signed out everywhere")
        .await;
    test.clock.set(now + 400 * DAY);
    far.expect_stale(&test.service, "signed out everywhere")
        .await;
}

/// A token that was issued seconds ahead is good: clocks of processes differ.
async fn what_was_issued_a_little_ahead_counts(options: Options) {
    let (test, _, _) = acme(options).await;
    let now = test.clock.now();
    test.clock.set(now + Duration::from_mins(1));
    let ada = sign_in_twice(&test, "acme", ADA, PASSWORD).await;
    test.clock.set(now);
    ada.expect_live(&test.service).await;
    ada.expect_live(&test.service).await;
    test.clock.set(now - Duration::from_secs(1));
    let bearer = Credential::Bearer(&ada.bearer);
    refused!(
        test.service.authenticate(bearer, None).await,
        Refusal::AuthenticationRequired
    );
    let cookie = Credential::Cookie(&ada.cookie);
    assert!(test.service.authenticate(cookie, None).await.is_ok());
}

on_each_session_driver!(
    what_was_issued_far_ahead_counts_no_more,
    what_was_issued_a_little_ahead_counts,
);
