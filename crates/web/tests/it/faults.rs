//! Redis, the control database, a server of tenants or the folder of their files is slow, hangs, is
//! killed, emptied or away, and comes back, while people of two tenants go on sending requests.
//!
//! What holds at every moment is said by the crowd (`crowd`); what each fault means for whom, by the
//! modules beside it.

mod channel;
mod cluster;
mod crowd;
mod files;
mod redis;
mod registry;

use std::time::{Duration, Instant};

use serde_json::Value;
use tenantry_testkit::app::{AppOptions, TestApp};
use tenantry_testkit::proxy::Proxy;
use tenantry_testkit::service::Options;

use crowd::Crowd;

/// Until what is waited for has come, on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(30);

/// Within this `/readyz` answers: two seconds for the control database, one for a cluster whose record
/// is in it, and the rest for a busy machine.
const READY: Duration = Duration::from_millis(4_500);

/// A server over this service, behind a proxy that may say who asks.
async fn started(options: Options) -> TestApp {
    let options = AppOptions {
        trusted_proxies: &["127.0.0.1/32"],
        ..AppOptions::over(options)
    };
    options.start().await
}

/// What may happen to a database server: it can't be reached, it says nothing more, and it goes without
/// a word while another takes its place.
async fn server_in_trouble(
    crowd: &Crowd,
    proxy: &Proxy,
    is_away: impl AsyncFn(&Crowd, Instant),
    is_back: impl AsyncFn(&Crowd),
) {
    let since = crowd.now("gone");
    proxy.set_gone(true);
    is_away(crowd, since).await;
    proxy.set_gone(false);
    crowd.now("back");
    is_back(crowd).await;

    let since = crowd.now("hanging");
    let at_rest = crowd.at_rest().await;
    proxy.set_hanging(true);
    drop(at_rest);
    is_away(crowd, since).await;
    proxy.set_hanging(false);
    crowd.now("going on");
    is_back(crowd).await;

    crowd.now("stranded");
    let at_rest = crowd.at_rest().await;
    proxy.strand();
    drop(at_rest);
    is_back(crowd).await;
}

/// Asks again and again until something is so.
async fn until<T>(what: &str, mut asked: impl AsyncFnMut() -> Option<T>) -> T {
    let found = async {
        loop {
            if let Some(found) = asked().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let found = tokio::time::timeout(PATIENCE, found).await;
    found.unwrap_or_else(|_| panic!("never: {what}"))
}

/// Waits until `/readyz` says this of the whole and of a part, and the metrics the same of the part.
async fn until_ready_says(app: &TestApp, status: &str, part: &str, state: &str) -> Value {
    let up = i32::from(state == "up");
    let line = format!("tenantry_part_up{{part=\"{part}\"}} {up}");
    until(&format!("{status}, {part} {state}"), async || {
        let since = Instant::now();
        let answer = app.get("/readyz").send().await;
        let took = since.elapsed();
        assert!(took < READY, "/readyz took {took:?}");
        let body = answer.json();
        let expected = if status == "down" { 503 } else { 200 };
        if body["status"] != status || answer.status != expected || body["parts"][part] != state {
            return None;
        }
        let metrics = app.get("/metrics").send().await.text();
        metrics.lines().any(|said| said == line).then_some(body)
    })
    .await
}
