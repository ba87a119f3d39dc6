//! Links with which an owner changes the credentials: good once, and only there.

use std::time::Duration;

use tenantry_core::TenantId;
use tenantry_service::Refusal;
use tenantry_service::credentials::{Reveal, Rotated};
use tenantry_testkit::on_both;
use tenantry_testkit::service::{DRAIN, Driver, PASSWORD, TestService};

use super::{drain, enter, rotate, start, states, wait};
use crate::people::{ADA, OTHER, advance_until_just_before, id};

/// The token of the newest link that was mailed to this address.
async fn mailed(test: &TestService, address: &str) -> String {
    let mails = test.mails().await.unwrap();
    let text = mails
        .iter()
        .filter(|mail| mail.to == address)
        .find_map(|mail| mail.text.clone())
        .unwrap();
    let (_, rest) = text
        .split_once("acme.localhost:8000/setup/credentials/")
        .unwrap();
    rest.lines().next().unwrap().to_owned()
}

/// Has a link mailed; its token.
async fn ask(test: &TestService, tenant: TenantId) -> String {
    test.clock.advance(Duration::from_millis(1));
    let asked = test.service.rotate_credentials(tenant, Reveal::ByMail);
    let Rotated::Mailed { to, expires_at } = asked.await.unwrap() else {
        panic!("they were shown");
    };
    assert_eq!(to.len(), 1);
    assert_eq!(to[0].as_str(), ADA);
    assert_eq!(expires_at, test.clock.now() + Duration::from_hours(24));
    mailed(test, ADA).await
}

async fn expect_void(test: &TestService, token: &str, hinted: Option<TenantId>, at: &str) {
    let service = &test.service;
    let view = service.credentials_link_view(token, hinted).await;
    refused!(view, Refusal::TokenInvalid, at);
    let used = service.use_credentials_link(token, hinted, None).await;
    refused!(used, Refusal::TokenInvalid, at);
}

async fn a_link_changes_them_once(driver: Driver) {
    let (test, tenant) = start(driver).await;
    let service = &test.service;
    let token = ask(&test, tenant).await;
    // A mail scanner follows the link as often as it likes.
    for _ in 0..3 {
        let view = service.credentials_link_view(&token, Some(tenant)).await;
        let view = view.unwrap();
        assert_eq!(view.email.as_str(), ADA);
        assert_eq!((view.old_user, view.busy), (None, None));
        assert_eq!(view.grace, DRAIN);
    }
    assert_eq!(states(service, tenant).await, [], "nothing has changed");
    let used = service.use_credentials_link(&token, Some(tenant), None);
    let (of, access) = used.await.unwrap();
    assert_eq!(of.id, tenant);
    enter(&access).await.unwrap();
    expect_void(&test, &token, None, "used").await;
    assert_eq!(states(service, tenant).await.len(), 1);
}

async fn of_many_at_once_one_uses_it(driver: Driver) {
    let (test, tenant) = start(driver).await;
    let token = ask(&test, tenant).await;
    let tries: Vec<_> = (0..8)
        .map(|_| {
            let (service, token) = (test.service.clone(), token.clone());
            tokio::spawn(async move { service.use_credentials_link(&token, None, None).await })
        })
        .collect();
    let mut shown = Vec::new();
    for outcome in tries {
        match outcome.await.unwrap() {
            Ok((_, access)) => shown.push(access),
            Err(Refusal::TokenInvalid | Refusal::ConflictFor(..)) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!(shown.len(), 1);
    enter(&shown[0]).await.unwrap();
    assert_eq!(states(&test.service, tenant).await.len(), 1);
    drain(&test).await;
    expect_void(&test, &token, None, "used").await;
}

async fn a_link_waits_for_a_drain(driver: Driver) {
    let (test, tenant) = start(driver).await;
    let service = &test.service;
    let first = rotate(service, tenant).await.unwrap();
    let token = ask(&test, tenant).await;
    let second = rotate(service, tenant).await.unwrap();
    let view = service.credentials_link_view(&token, None).await.unwrap();
    assert_eq!(view.busy, Some(DRAIN));
    assert_eq!(view.old_user, Some(second.user.clone()));
    let used = service.use_credentials_link(&token, None, None).await;
    assert_eq!(wait(used), DRAIN);
    enter(&first).await.unwrap();
    test.clock.advance(DRAIN);
    let used = service.use_credentials_link(&token, None, None).await;
    let (_, third) = used.unwrap();
    assert_eq!(third.old.unwrap().0, second.user);
}

async fn a_link_that_came_to_nothing_is_still_good(driver: Driver) {
    let (test, tenant) = start(driver).await;
    let token = ask(&test, tenant).await;
    let faults = tenantry_saga::Faults::new(|_, step, moment| {
        let here = (step, moment) == ("try_sign_in", tenantry_saga::Moment::BeforeForward);
        here.then_some(tenantry_saga::Fault::Fatal)
    });
    let failing = test.beside(faults).await.unwrap();
    let used = failing.service.use_credentials_link(&token, None, None);
    refused!(used.await, Refusal::Failed { .. });
    let used = test.service.use_credentials_link(&token, None, None);
    enter(&used.await.unwrap().1).await.unwrap();
}

async fn a_link_ends(driver: Driver) {
    let (test, tenant) = start(driver).await;
    let other = test.make_tenant("globex", ADA, OTHER).await.unwrap();
    let token = ask(&test, tenant).await;
    expect_void(&test, &token, Some(id(&other)), "under another tenant").await;
    for garbage in ["", "x", &token[1..], &"A".repeat(120)] {
        expect_void(&test, garbage, None, garbage).await;
    }
    let fresh = ask(&test, tenant).await;
    expect_void(&test, &token, None, "another was asked for").await;
    advance_until_just_before(&test, Duration::from_hours(24));
    assert!(
        test.service
            .credentials_link_view(&fresh, None)
            .await
            .is_ok()
    );
    test.clock.advance(Duration::from_micros(1));
    expect_void(&test, &fresh, None, "a day later").await;

    let token = ask(&test, tenant).await;
    test.service.suspend_tenant(tenant).await.unwrap();
    expect_void(&test, &token, None, "suspended").await;
    test.service.resume_tenant(tenant).await.unwrap();
    assert!(
        test.service
            .credentials_link_view(&token, None)
            .await
            .is_ok()
    );
    let owner = TestService::new_tenant("acme", ADA, Some(PASSWORD))
        .unwrap()
        .owner;
    test.service.recreate_tenant(tenant, &owner).await.unwrap();
    expect_void(&test, &token, None, "of an earlier life").await;
    assert_eq!(states(&test.service, tenant).await, []);
}

async fn a_setup_link_is_no_credentials_link(driver: Driver) {
    let (test, tenant) = start(driver).await;
    let token = ask(&test, tenant).await;
    let set = test.service.setup_password(&token, PASSWORD, None, None);
    refused!(set.await, Refusal::TokenInvalid);
    test.invite_tenant("globex", "bob@example.org")
        .await
        .unwrap();
    let setup = test.setup_token_from_mail("bob@example.org").await.unwrap();
    expect_void(&test, &setup, None, "a setup link").await;
}

on_both!(
    a_link_changes_them_once,
    of_many_at_once_one_uses_it,
    a_link_waits_for_a_drain,
    a_link_that_came_to_nothing_is_still_good,
    a_link_ends,
    a_setup_link_is_no_credentials_link,
);
