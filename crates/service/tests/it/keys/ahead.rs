//! Keys that were exchanged while a clock was far ahead: once it is right, what is to follow does not
//! wait until that date.

use tenantry_core::keys::OPENED_AFTER;
use tenantry_service::webhooks::NewWebhook;

use super::*;

async fn a_key_that_is_to_sign_does(driver: Driver) {
    for asked_again in [false, true] {
        let test = with_acme(driver).await;
        let service = &test.service;
        let now = test.clock.now();
        test.clock.set(now + 100 * DAY);
        let begun = service.rotate_signing_key().await.unwrap();
        assert!(begun.made);
        test.clock.set(now);
        if asked_again {
            let again = service.rotate_signing_key().await.unwrap();
            assert_eq!((again.made, &again.kid), (false, &begun.kid));
            assert_eq!(again.signs_at, now + PUBLISHED_BEFORE);
        } else {
            assert_eq!(service.look_after_keys().await.unwrap(), 1);
        }
        // It was published for others just now, as far as anybody can tell.
        test.clock.advance(PUBLISHED_BEFORE.saturating_sub(A_WHILE));
        assert_eq!(service.look_after_keys().await.unwrap(), 0);
        test.clock.advance(A_WHILE);
        assert_eq!(service.look_after_keys().await.unwrap(), 1);
        assert_eq!(token(&test).await.1, begun.kid);
    }
}

async fn a_key_that_is_to_go_does(driver: Driver) {
    let test = with_acme(driver).await;
    let service = &test.service;
    let now = test.clock.now();
    service.rotate_signing_key().await.unwrap();
    test.clock.set(now + 100 * DAY);
    assert_eq!(service.look_after_keys().await.unwrap(), 1);
    assert_eq!(
        states(service, KeyKind::Signing).await,
        ["retiring", "active"]
    );
    test.clock.set(now);
    assert_eq!(service.look_after_keys().await.unwrap(), 2);
    test.clock.advance(PUBLISHED_AFTER);
    assert_eq!(service.look_after_keys().await.unwrap(), 1);
    assert_eq!(
        states(service, KeyKind::Signing).await,
        ["retired", "active"]
    );
}

/// Clocks that differ by less than the wait leave it as it is.
async fn a_clock_a_little_ahead_shortens_no_wait(driver: Driver) {
    let test = with_acme(driver).await;
    let service = &test.service;
    let now = test.clock.now();
    test.clock.set(now + A_WHILE);
    let begun = service.rotate_signing_key().await.unwrap();
    test.clock.set(now);
    assert_eq!(service.look_after_keys().await.unwrap(), 0);
    let again = service.rotate_signing_key().await.unwrap();
    assert_eq!(again.signs_at, begun.signs_at);
}

async fn a_sealing_key_that_is_to_go_does(driver: Driver) {
    let test = with_acme(driver).await;
    let late = test.beside(Faults::none()).await.unwrap();
    let service = &test.service;
    let now = test.clock.now();
    test.clock.set(now + 100 * DAY);
    service.rotate_sealing_key(|_, _| ()).await.unwrap();
    service.look_after_keys().await.unwrap();
    test.clock.set(now);
    // Another process seals with the old key once more.
    let new = NewWebhook {
        url: "http://127.0.0.1:1/in".to_owned(),
        events: Vec::new(),
        description: None,
    };
    late.service.add_webhook(&new).await.unwrap();
    assert_eq!(service.look_after_keys().await.unwrap(), 1);
    test.clock.advance(OPENED_AFTER);
    assert_eq!(service.look_after_keys().await.unwrap(), 1);
    assert_eq!(states(service, KeyKind::Sealing).await, ["active"]);
}

on_both!(
    a_key_that_is_to_sign_does,
    a_key_that_is_to_go_does,
    a_clock_a_little_ahead_shortens_no_wait,
    a_sealing_key_that_is_to_go_does,
);
