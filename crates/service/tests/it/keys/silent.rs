//! A registry that says nothing any more under the look at the keys: whoever shows a token is told to come
//! back within what is promised, and whoever looks ends his look.

use std::time::Instant;

use tenantry_service::facts::LOOK;
use tenantry_testkit::proxy::{Fate, Proxy};
use tenantry_testkit::service::Options;
use tenantry_testkit::services::postgres;
use tokio::time::{sleep, timeout};

use super::*;

/// What a busy machine may take besides.
const SLACK: Duration = Duration::from_secs(2);

/// How long a token's keys count after a look (`keyring.rs`).
const COUNT: Duration = Duration::from_secs(1);

async fn timed<T>(asked: impl Future<Output = T>) -> (Option<T>, Duration) {
    let since = Instant::now();
    let answer = timeout(LOOK + SLACK + COUNT, asked).await.ok();
    (answer, since.elapsed())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_registry_keeps_no_token_waiting_for_longer_than_promised() {
    let proxy = Proxy::before(&postgres()).await.unwrap();
    let options = Options::postgres_at(proxy.url());
    let test = TestService::start(options).await.unwrap();
    test.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    let (known, _) = token(&test).await;
    // Of a key that nobody here knows.
    let strangers = Options::sqlite();
    let stranger = TestService::start(strangers).await.unwrap();
    stranger.make_tenant("acme", ADA, PASSWORD).await.unwrap();
    stranger.service.replace_signing_key().await.unwrap();
    stranger.service.replace_signing_key().await.unwrap();
    let (unknown, _) = token(&stranger).await;
    let service = &test.service;
    assert!(counts(service, &known).await);

    service.follow_keys().await.unwrap();
    // Held are the connections that look at the keys; a new one says so again.
    proxy.single_out("FROM counters");
    proxy.set_fate(Fate::Held);
    proxy.reset();
    let bearer = |token: &str| {
        let (service, token) = (service.clone(), token.to_owned());
        let asked = async move {
            let asked = service.authenticate(Credential::Bearer(&token), None);
            asked.await.map(drop)
        };
        tokio::spawn(timed(asked))
    };
    // While the keys count, a name that nobody knows is looked for.
    let first = bearer(&unknown);
    sleep(COUNT).await;
    test.clock.advance(COUNT);
    // By now they do not: all of these wait for the turn of the first one, or for what he looks for.
    let following = service.clone();
    let following = tokio::spawn(timed(async move { following.follow_keys().await }));
    let others = [bearer(&known), bearer(&unknown)];

    let (answer, took) = following.await.unwrap();
    assert!(took < LOOK + SLACK, "following took {took:?}");
    assert!(answer.unwrap().is_err());
    for asking in others.into_iter().chain([first]) {
        let (answer, took) = asking.await.unwrap();
        assert!(took < LOOK + SLACK, "a token waited {took:?}");
        let answer = answer.unwrap();
        let told = matches!(
            answer,
            Err(Refusal::Busy(_) | Refusal::AuthenticationRequired)
        );
        assert!(told, "{answer:?}");
    }
    proxy.set_fate(Fate::Carried);
    let (answer, took) = timed(counts(service, &known)).await;
    assert!(answer.unwrap() && took < LOOK, "{took:?}");
}
