//! Sessions lie in Redis, and Redis is in trouble: nobody gets in, nobody is signed out, and all is
//! as before once it is back with what it had.

use std::time::{Duration, Instant};

use tenantry_testkit::proxy::Proxy;
use tenantry_testkit::service::{Options, REDIS, SessionDriver};
use tenantry_testkit::services::RedisServer;

use super::crowd::{Bounds, Crowd};
use super::{started, until_ready_says};

/// A request asks Redis twice at the most before it is given up: for the session, and to change it.
const LONGEST: Duration = REDIS.saturating_mul(2);

/// What is allowed over that on a machine that does much else.
const SLACK: Duration = Duration::from_secs(3);

const BOUNDS: Bounds = Bounds {
    away: &["busy"],
    longest: LONGEST.saturating_add(SLACK),
};

/// Two tenants of a server with sessions in the Redis behind this proxy.
async fn crowd(proxy: &Proxy) -> Crowd {
    let options = Options::sqlite().with_sessions(SessionDriver::Redis);
    let app = started(options.with_redis(proxy.url())).await;
    let tenants = [app.tenant("acme").await, app.tenant("globex").await];
    Crowd::gathered(app, tenants, [BOUNDS, BOUNDS]).await
}

/// Nobody gets in and nobody is signed out, guessing is limited as ever, and it is said where
/// operators look.
async fn is_away(crowd: &Crowd, since: Instant) {
    until_ready_says(&crowd.app, "degraded", "redis", "degraded").await;
    for side in [0, 1] {
        crowd.is_turned_away(side, since).await;
        crowd.meet(side, &[("guess", 401), ("guess", 429)]).await;
    }
}

async fn is_back(crowd: &Crowd) {
    until_ready_says(&crowd.app, "ready", "redis", "up").await;
    crowd.is_all_well().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_one_is_waited_for_and_a_hanging_one_is_not() {
    let server = RedisServer::start().unwrap();
    let proxy = Proxy::before(&server.url()).await.unwrap();
    let crowd = crowd(&proxy).await;

    crowd.now("a little slow");
    proxy.set_latency(Duration::from_millis(40));
    crowd.is_all_well().await;

    let since = crowd.now("too slow");
    proxy.set_latency(REDIS);
    is_away(&crowd, since).await;
    proxy.set_latency(Duration::ZERO);
    crowd.now("quick again");
    is_back(&crowd).await;

    let since = crowd.now("hanging");
    proxy.set_hanging(true);
    is_away(&crowd, since).await;
    proxy.set_hanging(false);
    crowd.now("going on");
    is_back(&crowd).await;

    // A host that went without a word, and another in its place.
    crowd.now("stranded");
    proxy.strand();
    is_back(&crowd).await;
    crowd.goes_home().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_one_comes_back_empty_and_takes_new_sessions() {
    let mut server = RedisServer::start().unwrap();
    let proxy = Proxy::before(&server.url()).await.unwrap();
    let crowd = crowd(&proxy).await;

    let since = crowd.now("killed");
    server.kill().unwrap();
    is_away(&crowd, since).await;

    crowd.may_lose_sessions();
    server.restart().unwrap();
    crowd.now("started");
    has_nobody(&crowd).await;
    crowd.goes_home().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_emptied_one_signs_everybody_out_and_nothing_else() {
    let server = RedisServer::start().unwrap();
    let proxy = Proxy::before(&server.url()).await.unwrap();
    let crowd = crowd(&proxy).await;

    crowd.may_lose_sessions();
    crowd.now("emptied");
    server.flush().unwrap();
    has_nobody(&crowd).await;
    assert_eq!(
        crowd.count(0, "sign in", 503) + crowd.count(1, "sign in", 503),
        0
    );
    crowd.goes_home().await;
}

/// Whoever was signed in is told to sign in again, and can.
async fn has_nobody(crowd: &Crowd) {
    until_ready_says(&crowd.app, "ready", "redis", "up").await;
    for side in [0, 1] {
        let over = [("page", 303), ("api", 401), ("verify", 401)];
        crowd.meet(side, &over).await;
        let fresh = ["sign in", "verify", "refresh", "sign out"];
        crowd.meet(side, &fresh.map(|asked| (asked, 200))).await;
    }
}
