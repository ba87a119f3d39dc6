//! Refresh tokens: each is good once, and one that comes back ends its session.

use tenantry_core::session::SessionDriver;
use tenantry_service::Refusal;
use tenantry_service::sessions::Credential;
use tenantry_testkit::on_each_session_driver;
use tenantry_testkit::proxy::{Cut, Proxy};
use tenantry_testkit::service::{Options, PASSWORD, TestService};
use tenantry_testkit::services::RedisServer;

use crate::people::{ADA, SignedInTwice, sign_in_twice};

async fn signed_in(options: Options) -> (TestService, SignedInTwice) {
    let test = TestService::start(options).await.unwrap();
    test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    let ada = sign_in_twice(&test, "acme", ADA, PASSWORD).await;
    (test, ada)
}

async fn each_renewal_gives_another_token(options: Options) {
    let (test, ada) = signed_in(options).await;
    let mut tokens = vec![ada.refresh.clone()];
    for _ in 0..3 {
        let newest = tokens.last().unwrap();
        let (_, issued) = test.service.refresh(newest, None).await.unwrap();
        let access = issued.access_token.unwrap();
        let bearer = Credential::Bearer(access.expose());
        let principal = test.service.authenticate(bearer, None).await.unwrap();
        assert_eq!(principal.session.id, issued.session.id);
        assert!(!tokens.contains(issued.token.expose()));
        tokens.push(issued.token.expose().clone());
    }
}

async fn a_token_that_comes_back_ends_the_session(options: Options) {
    let (test, ada) = signed_in(options).await;
    let (_, issued) = test.service.refresh(&ada.refresh, None).await.unwrap();
    let again = test.service.refresh(&ada.refresh, None).await;
    refused!(again, Refusal::SessionStale);
    let newest = test.service.refresh(issued.token.expose(), None).await;
    refused!(newest, Refusal::SessionStale, "the good one has ended too");
    let access = issued.access_token.unwrap();
    let bearer = Credential::Bearer(access.expose());
    refused!(
        test.service.authenticate(bearer, None).await,
        Refusal::SessionStale
    );
    // The browser is another session.
    let cookie = Credential::Cookie(&ada.cookie);
    assert!(test.service.authenticate(cookie, None).await.is_ok());
    if test.service.session_driver() != SessionDriver::Database {
        return;
    }
    let reasons = "SELECT COALESCE(end_reason, '') FROM sessions WHERE kind = 'api'";
    assert_eq!(test.control().texts(reasons).await.unwrap(), ["reuse"]);
}

async fn of_ten_at_once_one_renews_at_most(options: Options) {
    let (test, ada) = signed_in(options).await;
    let tries: Vec<_> = (0..10)
        .map(|_| {
            let (service, token) = (test.service.clone(), ada.refresh.clone());
            tokio::spawn(async move { service.refresh(&token, None).await })
        })
        .collect();
    let mut renewed = Vec::new();
    for outcome in tries {
        match outcome.await.unwrap() {
            Ok((_, issued)) => renewed.push(issued.token),
            Err(refusal) => assert!(matches!(refusal, Refusal::SessionStale), "{refusal:?}"),
        }
    }
    assert!(renewed.len() <= 1, "{} renewed", renewed.len());
    for token in renewed {
        let next = test.service.refresh(token.expose(), None).await;
        refused!(next, Refusal::SessionStale, "somebody has a copy");
    }
}

async fn what_is_no_refresh_token_renews_nothing(options: Options) {
    let (test, ada) = signed_in(options).await;
    for text in ["", "x", &ada.cookie, &ada.bearer, &ada.refresh[1..]] {
        let answer = test.service.refresh(text, None).await;
        refused!(answer, Refusal::AuthenticationRequired, text);
    }
    assert!(test.service.refresh(&ada.refresh, None).await.is_ok());
}

/// Redis does it and the answer is lost, or it may yet do it: nobody is told to try again, which would
/// look like a copy.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_nobody_knows_whether_it_was_renewed_it_is_said_so() {
    let redis = RedisServer::start().unwrap();
    let proxy = Proxy::before(&redis.url()).await.unwrap();
    let options = Options::sqlite().with_sessions(SessionDriver::Redis);
    let (test, ada) = signed_in(options.with_redis(proxy.url())).await;
    // What is refused was not done: the same token is good again.
    let replicas = |least: &str| {
        let setting = ["CONFIG", "SET", "min-replicas-to-write", least];
        redis.ask(&setting).unwrap();
    };
    replicas("1");
    let refused = test.service.refresh(&ada.refresh, None).await;
    refused!(refused, Refusal::Busy(_));
    replicas("0");
    let (_, issued) = test.service.refresh(&ada.refresh, None).await.unwrap();
    redis.ask(&["CLIENT", "PAUSE", "60000", "WRITE"]).unwrap();
    let silent = test.service.refresh(issued.token.expose(), None).await;
    refused!(silent, Refusal::InDoubt(_));
    redis.ask(&["CLIENT", "UNPAUSE"]).unwrap();
    let other = sign_in_twice(&test, "acme", ADA, PASSWORD).await;
    proxy.cut("EVALSHA", Cut::InAnswer(0));
    let lost = test.service.refresh(&other.refresh, None).await;
    refused!(lost, Refusal::InDoubt(_));
    let again = test.service.refresh(&other.refresh, None).await;
    refused!(
        again,
        Refusal::SessionStale,
        "it was done, so this is a copy"
    );
}

on_each_session_driver!(
    each_renewal_gives_another_token,
    a_token_that_comes_back_ends_the_session,
    of_ten_at_once_one_renews_at_most,
    what_is_no_refresh_token_renews_nothing,
);
