//! Sessions lie in the control database and Redis only carries messages between nodes: without it
//! everything is answered as ever, and it is said that it is away.

use std::future::pending;
use std::time::Duration;

use tenantry_service::nodes::Channel;
use tenantry_testkit::proxy::Proxy;
use tenantry_testkit::service::Options;
use tenantry_testkit::services::RedisServer;

use super::crowd::{Bounds, Crowd};
use super::{started, until, until_ready_says};

/// Nobody is turned away, and nobody waits for what is not needed.
const BOUNDS: Bounds = Bounds {
    away: &[],
    longest: Duration::from_secs(3),
};

async fn hears(crowd: &Crowd, hears: bool) {
    let said = format!(
        "tenantry_other_nodes_heard{{channel=\"redis\"}} {}",
        u8::from(hears)
    );
    until(&said, async || {
        let metrics = crowd.app.get("/metrics").send().await.text();
        metrics.lines().any(|line| line == said).then_some(())
    })
    .await;
    assert_eq!(crowd.app.service().hears(Channel::Redis), Some(hears));
}

async fn goes_on(crowd: &Crowd, ready: &str, redis: &str) {
    until_ready_says(&crowd.app, ready, "redis", redis).await;
    crowd.is_all_well().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_channel_everything_is_answered_as_ever() {
    let mut server = RedisServer::start().unwrap();
    let proxy = Proxy::before(&server.url()).await.unwrap();
    let app = started(Options::sqlite().with_redis(proxy.url())).await;
    let service = app.service().clone();
    let working = tokio::spawn(async move { service.work(pending()).await });
    let tenants = [app.tenant("acme").await, app.tenant("globex").await];
    let crowd = Crowd::gathered(app, tenants, [BOUNDS, BOUNDS]).await;
    hears(&crowd, true).await;

    crowd.now("killed");
    server.kill().unwrap();
    hears(&crowd, false).await;
    goes_on(&crowd, "degraded", "degraded").await;
    server.restart().unwrap();
    crowd.now("started");
    hears(&crowd, true).await;
    goes_on(&crowd, "ready", "up").await;

    crowd.now("hanging");
    proxy.set_hanging(true);
    goes_on(&crowd, "degraded", "degraded").await;
    proxy.set_hanging(false);
    crowd.now("going on");
    goes_on(&crowd, "ready", "up").await;

    crowd.now("emptied");
    server.flush().unwrap();
    goes_on(&crowd, "ready", "up").await;
    crowd.goes_home().await;
    working.abort();
}
