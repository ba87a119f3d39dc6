//! Keys are exchanged while everything goes on: the one that signs access tokens here, the one that
//! stored values are sealed with in [`sealing`].

mod ahead;
mod sealing;
mod silent;
mod told;

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use tenantry_core::keys::{ACCESS_TOKEN, PUBLISHED_AFTER, PUBLISHED_BEFORE, REMEMBERED};
use tenantry_core::session::SessionKind;
use tenantry_saga::Faults;
use tenantry_service::keys::{KeyKind, KeyView};
use tenantry_service::sessions::Credential;
use tenantry_service::{Refusal, Service};
use tenantry_testkit::on_both;
use tenantry_testkit::service::{Driver, PASSWORD, TestService};

use crate::people::{ADA, sign_in, start};

const DAY: Duration = Duration::from_hours(24);
const A_WHILE: Duration = Duration::from_mins(1);

/// The states of the keys of one kind, the oldest first.
async fn states(service: &Service, kind: KeyKind) -> Vec<&'static str> {
    let keys = keys(service, kind).await;
    keys.iter().map(|key| key.state).collect()
}

async fn keys(service: &Service, kind: KeyKind) -> Vec<KeyView> {
    let mut keys = service.list_keys().await.unwrap();
    keys.retain(|key| key.kind == kind);
    keys
}

fn header_of(token: &str) -> serde_json::Value {
    let header = token.split('.').next().unwrap();
    let header = BASE64_URL_SAFE_NO_PAD.decode(header).unwrap();
    serde_json::from_slice(&header).unwrap()
}

/// The same token, but said to be signed by a key that there never was.
fn under_another_name(token: &str) -> String {
    let mut header = header_of(token);
    header["kid"] = "nobodys".into();
    let header = BASE64_URL_SAFE_NO_PAD.encode(header.to_string());
    let (_, rest) = token.split_once('.').unwrap();
    format!("{header}.{rest}")
}

/// An access token of Ada's, and the name of the key that signed it.
async fn token(test: &TestService) -> (String, String) {
    let (_, issued) = sign_in(test, "acme", ADA, PASSWORD, SessionKind::Api).await;
    let token = issued.access_token.unwrap().expose().clone();
    let kid = header_of(&token)["kid"].as_str().unwrap().to_owned();
    (token, kid)
}

async fn counts(service: &Service, token: &str) -> bool {
    match service.authenticate(Credential::Bearer(token), None).await {
        Ok(_) => true,
        Err(Refusal::AuthenticationRequired) => false,
        Err(other) => panic!("refused otherwise: {other:?}"),
    }
}

fn published(service: &Service) -> Vec<String> {
    let keys = service.jwks().keys;
    keys.into_iter().map(|key| key.kid).collect()
}

async fn with_acme(driver: Driver) -> TestService {
    let test = start(driver).await;
    test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    test
}

async fn a_key_is_published_before_it_signs_and_until_its_tokens_have_run_out(driver: Driver) {
    let test = with_acme(driver).await;
    let service = &test.service;
    let (_, old) = token(&test).await;
    assert_eq!(published(service), std::slice::from_ref(&old));

    let begun = service.rotate_signing_key().await.unwrap();
    let new = begun.kid.clone();
    assert!(begun.made);
    assert_eq!(begun.signs_at, test.clock.now() + PUBLISHED_BEFORE);
    assert_eq!(published(service), [old.clone(), new.clone()]);
    assert_eq!(states(service, KeyKind::Signing).await, ["active", "next"]);
    // Asked for once more, the same is told.
    let again = service.rotate_signing_key().await.unwrap();
    assert_eq!((again.made, &again.kid), (false, &new));

    test.clock.advance(PUBLISHED_BEFORE.saturating_sub(A_WHILE));
    assert_eq!(service.look_after_keys().await.unwrap(), 0);
    assert_eq!(token(&test).await.1, old, "it signs too early");

    test.clock.advance(A_WHILE);
    let (last, kid) = token(&test).await;
    assert_eq!(kid, old);
    assert_eq!(service.look_after_keys().await.unwrap(), 1);
    let states_now = states(service, KeyKind::Signing).await;
    assert_eq!(states_now, ["retiring", "active"]);
    assert_eq!(token(&test).await.1, new);
    assert_eq!(published(service), [old.clone(), new.clone()]);

    test.clock
        .advance(ACCESS_TOKEN.saturating_sub(Duration::from_secs(1)));
    service.look_after_keys().await.unwrap();
    assert!(
        counts(service, &last).await,
        "a token ended before its time"
    );
    test.clock
        .advance(PUBLISHED_AFTER.saturating_sub(ACCESS_TOKEN));
    service.look_after_keys().await.unwrap();
    assert_eq!(published(service).len(), 2);
    test.clock.advance(Duration::from_secs(1));
    assert_eq!(service.look_after_keys().await.unwrap(), 1);
    assert_eq!(published(service), [new]);
    assert_eq!(
        states(service, KeyKind::Signing).await,
        ["retired", "active"]
    );
    let seeds = "SELECT COUNT(*) FROM signing_keys WHERE sealed_seed IS NOT NULL";
    assert_eq!(test.control().number(seeds).await.unwrap(), 1);

    test.clock.advance(REMEMBERED + A_WHILE);
    service.look_after_keys().await.unwrap();
    assert_eq!(states(service, KeyKind::Signing).await, ["active"]);
}

async fn the_schedule_exchanges_it_once_for_all_processes(driver: Driver) {
    let test = with_acme(driver).await;
    let scheduled = async || {
        let opened = test.open_otherwise(|settings| settings.rotate_signing = Some(90 * DAY), None);
        opened.await.unwrap().unwrap()
    };
    let (one, two) = (scheduled().await, scheduled().await);
    test.clock.advance((90 * DAY).saturating_sub(A_WHILE));
    assert_eq!(one.look_after_keys().await.unwrap(), 0);
    test.clock.advance(A_WHILE);
    // Who has no schedule begins nothing.
    assert_eq!(test.service.look_after_keys().await.unwrap(), 0);
    let (first, second) = tokio::join!(one.look_after_keys(), two.look_after_keys());
    assert_eq!(first.unwrap() + second.unwrap(), 1);
    assert_eq!(states(&one, KeyKind::Signing).await, ["active", "next"]);
    let told = "SELECT action || ' ' || actor || ' ' || outcome FROM audit
                WHERE action LIKE 'key.%'";
    assert_eq!(
        test.control().texts(told).await.unwrap(),
        ["key.rotate system done"]
    );
    test.clock.advance(PUBLISHED_BEFORE);
    let (first, second) = tokio::join!(one.look_after_keys(), two.look_after_keys());
    assert_eq!(first.unwrap() + second.unwrap(), 1);
    assert_eq!(states(&one, KeyKind::Signing).await, ["retiring", "active"]);
}

async fn of_many_at_once_one_makes_a_key(driver: Driver) {
    let test = with_acme(driver).await;
    let other = test.beside(Faults::none()).await.unwrap();
    let (one, two) = tokio::join!(
        test.service.rotate_signing_key(),
        other.service.rotate_signing_key()
    );
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!((one.made, &one.kid), (!two.made, &two.kid));
}

async fn of_many_who_replace_it_at_once_the_last_ones_signs(driver: Driver) {
    let test = with_acme(driver).await;
    let other = test.beside(Faults::none()).await.unwrap();
    let (one, two) = tokio::join!(
        test.service.replace_signing_key(),
        other.service.replace_signing_key()
    );
    let made = [one.unwrap().kid, two.unwrap().kid];
    assert_ne!(made[0], made[1]);
    let active: Vec<_> = keys(&test.service, KeyKind::Signing)
        .await
        .into_iter()
        .filter(|key| key.state != "retired")
        .collect();
    assert_eq!(active.len(), 1, "{active:?}");
    assert!(made.contains(&active[0].id), "{active:?}");
}

/// The schedule let the next key sign just before, and whoever replaces it does not know yet.
async fn a_key_that_began_to_sign_meanwhile_is_taken_out_too(driver: Driver) {
    let test = with_acme(driver).await;
    let other = test.beside(Faults::none()).await.unwrap();
    let begun = test.service.rotate_signing_key().await.unwrap();
    test.clock.advance(PUBLISHED_BEFORE);
    assert_eq!(test.service.look_after_keys().await.unwrap(), 1);
    let (stolen, kid) = token(&test).await;
    assert_eq!(kid, begun.kid);

    let replaced = other.service.replace_signing_key().await.unwrap();
    assert_eq!((replaced.made, replaced.revoked), (true, 2));
    assert!(test.service.follow_keys().await.unwrap());
    for service in [&test.service, &other.service] {
        assert!(!counts(service, &stolen).await);
        assert_eq!(published(service), std::slice::from_ref(&replaced.kid));
    }
}

async fn what_another_process_signed_is_known_at_once(driver: Driver) {
    let test = with_acme(driver).await;
    let other = test.beside(Faults::none()).await.unwrap();
    let (_, old) = token(&other).await;
    test.service.replace_signing_key().await.unwrap();
    let (new, _) = token(&test).await;
    assert_eq!(published(&other.service), [old], "it was told already");
    assert!(counts(&other.service, &new).await);
    assert_eq!(published(&other.service), published(&test.service));
}

async fn names_that_nobody_knows_are_looked_for_once_a_second(driver: Driver) {
    let test = with_acme(driver).await;
    let other = test.beside(Faults::none()).await.unwrap();
    let garbage = under_another_name(&token(&test).await.0);
    // What another process did is looked for each second anyhow, so that no more may go by in between.
    let mut tries = 10;
    let new = loop {
        tries -= 1;
        assert!(tries > 0, "this machine is too slow to tell");
        let since = Instant::now();
        assert!(!counts(&other.service, &garbage).await);
        test.service.replace_signing_key().await.unwrap();
        let (new, _) = token(&test).await;
        let is_known = counts(&other.service, &new).await;
        if since.elapsed() < Duration::from_secs(1) {
            assert!(!is_known, "each unknown name costs a look");
            break new;
        }
        test.clock.advance(Duration::from_secs(1));
    };
    test.clock.advance(Duration::from_secs(1));
    assert!(counts(&other.service, &new).await);
}

async fn what_a_revoked_key_signed_counts_no_more(driver: Driver) {
    let test = with_acme(driver).await;
    let other = test.beside(Faults::none()).await.unwrap();
    test.service.rotate_signing_key().await.unwrap();
    let (_, issued) = sign_in(&test, "acme", ADA, PASSWORD, SessionKind::Api).await;
    let old = issued.access_token.unwrap();
    let old = old.expose();
    assert!(counts(&other.service, old).await);

    let replaced = test.service.replace_signing_key().await.unwrap();
    assert_eq!((replaced.made, replaced.revoked), (true, 2));
    assert_eq!(replaced.signs_at, test.clock.now());
    assert_eq!(published(&test.service), [replaced.kid]);
    assert!(!counts(&test.service, old).await);
    // What others do within a second.
    assert!(other.service.follow_keys().await.unwrap());
    assert!(!counts(&other.service, old).await);
    assert_eq!(published(&other.service), published(&test.service));
    // The session itself goes on.
    let refreshed = other.service.refresh(issued.token.expose(), None).await;
    let (_, issued) = refreshed.unwrap();
    let new = issued.access_token.unwrap();
    assert!(counts(&test.service, new.expose()).await);
}

on_both!(
    a_key_is_published_before_it_signs_and_until_its_tokens_have_run_out,
    the_schedule_exchanges_it_once_for_all_processes,
    of_many_at_once_one_makes_a_key,
    of_many_who_replace_it_at_once_the_last_ones_signs,
    a_key_that_began_to_sign_meanwhile_is_taken_out_too,
    what_another_process_signed_is_known_at_once,
    names_that_nobody_knows_are_looked_for_once_a_second,
    what_a_revoked_key_signed_counts_no_more,
);
