//! The control database is away: what needs it is refused in time, the process lives, and all goes
//! on by itself once it is back.

use std::time::{Duration, Instant};

use tenantry_service::facts::{BOUND, LOOK};
use tenantry_testkit::app::{Answer, TestApp};
use tenantry_testkit::proxy::{Cut, Fate, Proxy};
use tenantry_testkit::service::Options;
use tenantry_testkit::services::{Ending, PrivatePostgres, postgres};

use super::crowd::{Bounds, Crowd};
use super::{server_in_trouble, started, until_ready_says};

/// A request is judged within one look, and its handler then waits for a connection (5 s). The rest is
/// for a machine that does much else.
const BOUNDS: Bounds = Bounds {
    away: &["busy"],
    longest: LOOK.saturating_add(Duration::from_secs(5 + 3)),
};

async fn over(url: &str) -> TestApp {
    started(Options::postgres_at(url)).await
}

async fn crowd(url: &str) -> Crowd {
    let app = over(url).await;
    let tenants = [app.tenant("acme").await, app.tenant("globex").await];
    Crowd::gathered(app, tenants, [BOUNDS, BOUNDS]).await
}

async fn is_away(crowd: &Crowd, since: Instant) {
    until_ready_says(&crowd.app, "down", "control_database", "down").await;
    tokio::join!(
        crowd.is_turned_away(0, since),
        crowd.is_turned_away(1, since),
        crowd.meet(0, &[("guess", 503)]),
    );
}

async fn is_back(crowd: &Crowd) {
    until_ready_says(&crowd.app, "ready", "control_database", "up").await;
    crowd.is_all_well().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_is_used_again_once_it_is_back() {
    let mut server = PrivatePostgres::start(&[]).unwrap();
    let crowd = crowd(server.url()).await;
    let since = crowd.now("killed");
    server.end(Ending::Killed).unwrap();
    is_away(&crowd, since).await;
    server.restart().unwrap();
    crowd.now("started");
    is_back(&crowd).await;
    drop(crowd.goes_home().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hanging_server_keeps_nobody_waiting_for_long() {
    let proxy = Proxy::before(&postgres()).await.unwrap();
    let crowd = crowd(proxy.url()).await;

    server_in_trouble(&crowd, &proxy, is_away, is_back).await;
    let refused = [0, 1].map(|side| crowd.count(side, "sign in", 503));
    assert_eq!(refused, [0, 0], "other connections were made");
    drop(crowd.goes_home().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_never_answered_under_the_question_is_told_to_come_back() {
    let proxy = Proxy::before(&postgres()).await.unwrap();
    let app = over(proxy.url()).await;
    let acme = app.tenant("acme").await;
    let cookie = app.cookie(&acme.host, &acme.owner).await;
    let verify = async || {
        let call = app.get("/auth/verify").host(&acme.host).cookie(&cookie);
        let since = Instant::now();
        (call.send().await, since.elapsed())
    };
    assert_eq!(verify().await.0.status, 200);
    proxy.cut("FROM tenants", Cut::Hang);
    // A new connection has not said it yet.
    proxy.reset();
    tokio::time::sleep(BOUND).await;
    let (answer, took) = verify().await;
    answer.problem(503, "busy");
    assert_eq!(proxy.cuts(), 1);
    assert!(took < Duration::from_secs(10), "{took:?}");
    let (answer, took) = verify().await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(took < Duration::from_secs(3), "{took:?}");
}

/// The answer to somebody who is signed in, where it is said late whose tenant it is, and never whose session.
async fn late_and_never(path: &str) -> Answer {
    let proxy = Proxy::before(&postgres()).await.unwrap();
    let app = over(proxy.url()).await;
    let acme = app.tenant("acme").await;
    let cookie = app.cookie(&acme.host, &acme.owner).await;
    proxy.single_out("FROM tenants");
    proxy.set_fate(Fate::Held);
    proxy.cut("FROM sessions", Cut::Hang);
    proxy.reset();
    tokio::time::sleep(BOUND).await;
    let since = Instant::now();
    let call = app.get(path).host(&acme.host).cookie(&cookie);
    let asked = tokio::spawn(call.send());
    tokio::time::sleep(LOOK * 3 / 4).await;
    assert!(!asked.is_finished());
    proxy.set_fate(Fate::Carried);
    let answer = asked.await.unwrap();
    assert_eq!(proxy.cuts(), 1);
    let took = since.elapsed();
    assert!(took < LOOK * 5 / 4, "{took:?}");
    answer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_look_after_the_other_takes_no_longer_than_one() {
    late_and_never("/auth/verify").await.problem(503, "busy");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_for_anybody_is_shown_where_nobody_says_who_asks() {
    let answer = late_and_never("/login").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}
