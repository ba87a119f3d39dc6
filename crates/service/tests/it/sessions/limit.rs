//! How many sessions a person may have at once.

use std::num::NonZeroU32;
use std::time::Duration;

use tenantry_core::session::EndReason;
use tenantry_core::session::SessionKind;
use tenantry_service::Refusal;
use tenantry_service::sessions::Credential;
use tenantry_testkit::on_each_session_driver;
use tenantry_testkit::service::{Options, PASSWORD, TestService};
use tokio::task::JoinSet;

use crate::people::{ADA, by_email, named, one, sign_in, sign_in_twice};

on_each_session_driver! {
    with_one_more_the_one_used_longest_ago_ends,
    ten_at_one_moment_leave_the_limit,
    the_one_just_begun_stays_whatever_the_clocks_say,
}

async fn start(options: Options, most: u32) -> TestService {
    let most = NonZeroU32::new(most).unwrap();
    let options = options.with_sessions_per_user(most);
    let test = TestService::start(options).await.unwrap();
    test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    test
}

async fn with_one_more_the_one_used_longest_ago_ends(options: Options) {
    let test = start(options, 2).await;
    test.make_tenant("globex", ADA, PASSWORD).await.unwrap();
    let other = sign_in_twice(&test, "globex", ADA, PASSWORD).await;
    let mut cookies = Vec::new();
    for _ in 0..3 {
        let (_, issued) = sign_in(&test, "acme", ADA, PASSWORD, SessionKind::Browser).await;
        cookies.push(issued.token.expose().clone());
        test.clock.advance(Duration::from_mins(2));
        // The first goes on being used.
        let first = Credential::Cookie(&cookies[0]);
        assert!(test.service.authenticate(first, None).await.is_ok());
    }
    let first = Credential::Cookie(&cookies[0]);
    let second = Credential::Cookie(&cookies[1]);
    let third = Credential::Cookie(&cookies[2]);
    let answer = test.service.authenticate(second, None).await;
    refused!(answer, Refusal::SessionStale);
    let why = test.service.why_ended(second, None).await;
    assert_eq!(why, Some(EndReason::Limit));
    for credential in [first, third] {
        assert!(test.service.authenticate(credential, None).await.is_ok());
        assert_eq!(test.service.why_ended(credential, None).await, None);
    }
    // The same person in another tenant is another person.
    other.expect_live(&test.service).await;
}

/// The one before was begun on a node whose clock is ahead.
async fn the_one_just_begun_stays_whatever_the_clocks_say(options: Options) {
    let test = start(options, 1).await;
    let now = test.clock.now();
    test.clock.advance(Duration::from_secs(5));
    let (_, ahead) = sign_in(&test, "acme", ADA, PASSWORD, SessionKind::Browser).await;
    test.clock.set(now);
    let mut before = ahead;
    for _ in 0..2 {
        let (_, begun) = sign_in(&test, "acme", ADA, PASSWORD, SessionKind::Browser).await;
        let ended = Credential::Cookie(before.token.expose());
        let answer = test.service.authenticate(ended, None).await;
        refused!(answer, Refusal::SessionStale);
        let why = test.service.why_ended(ended, None).await;
        assert_eq!(why, Some(EndReason::Limit));
        let cookie = Credential::Cookie(begun.token.expose());
        test.service.authenticate(cookie, None).await.unwrap();
        before = begun;
    }
}

async fn ten_at_one_moment_leave_the_limit(options: Options) {
    let test = start(options.without_rate_limits(), 3).await;
    let tenant = named(&test.service, "acme").await.unwrap();
    let mut racers = JoinSet::new();
    for _ in 0..10 {
        let (service, tenant) = (test.service.clone(), tenant.clone());
        racers.spawn(async move {
            let client = tenantry_testkit::service::client(SessionKind::Browser, "192.0.2.1");
            let login = by_email(ADA);
            let signed = service.sign_in(&tenant, &login, PASSWORD, &client);
            one(signed.await.unwrap()).0
        });
    }
    let people = racers.join_all().await;
    let live = test.service.sessions_of(&people[0]).await.unwrap();
    assert_eq!(live.len(), 3);
}
