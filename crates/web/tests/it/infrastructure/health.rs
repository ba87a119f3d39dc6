//! `GET /healthz` and `GET /readyz`

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tenantry_core::Secret;
use tenantry_service::clusters::NewCluster;
use tenantry_testkit::app::TestApp;
use tenantry_testkit::cluster::TestCluster;
use tenantry_testkit::proxy::Proxy;
use tokio::task::JoinSet;

async fn is_ready_as_long_as_what_it_needs_is_there(app: TestApp) {
    assert_eq!(
        app.get("/healthz").send().await.ok(200),
        json!({ "status": "alive" })
    );
    let body = app.get("/readyz").send().await.ok(200);
    assert_eq!(
        body,
        json!({ "status": "ready", "parts": { "control_database": "up", "mail": "up" } })
    );
    app.service().control().close().await;
    let answer = app.get("/readyz").send().await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.json()["status"], "down");
    assert_eq!(answer.json()["parts"]["control_database"], "down");
    // The process is alive all the same.
    app.get("/healthz").send().await.ok(200);
}

on_both!(is_ready_as_long_as_what_it_needs_is_there);

#[tokio::test]
async fn is_degraded_without_mail() {
    let app = TestApp::start().await;
    // A file stands where the folder of mails would be made.
    std::fs::write(app.inner().mail_dir(), b"in the way").unwrap();
    let answer = app.get("/readyz").send().await;
    let body = answer.ok(200);
    assert_eq!(
        (&body["status"], &body["parts"]["mail"]),
        (&json!("degraded"), &json!("degraded"))
    );
    assert!(!answer.text().contains("/tmp"), "{}", answer.text());
}

/// Without one cluster the tenants on the others go on, so we are still to be asked, and answer
/// before a load balancer loses patience.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn is_degraded_without_a_cluster() {
    let app = TestApp::start().await;
    let server = TestCluster::start().await.unwrap();
    let proxy = Proxy::before(server.url()).await.unwrap();
    for (name, url) in [("east", proxy.url()), ("west", server.url())] {
        let new = NewCluster {
            name: name.to_owned(),
            url: Secret::new(url.to_owned()),
            accepts: true,
            capacity: None,
        };
        app.service().add_cluster(new).await.unwrap();
    }
    let ready = app.get("/readyz").send().await.ok(200);
    assert_eq!(ready["status"], "ready", "{ready}");
    proxy.set_hanging(true);
    let away = until(&app, "degraded").await;
    assert_eq!(
        (
            &away["parts"]["cluster:east"],
            &away["parts"]["cluster:west"]
        ),
        (&json!("degraded"), &json!("up"))
    );
    let begun = Instant::now();
    let many: JoinSet<_> = (0..20).map(|_| app.get("/readyz").send()).collect();
    for answer in many.join_all().await {
        let body = answer.ok(200);
        assert_eq!(body["status"], "degraded");
        for told in ["127.0.0.1", server.admin(), "answer"] {
            assert!(!answer.text().contains(told), "{body}");
        }
    }
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
    proxy.set_hanging(false);
    until(&app, "ready").await;
}

/// Asks until the answer is this, as what was seen is told again for a moment.
async fn until(app: &TestApp, status: &str) -> Value {
    for _ in 0..200 {
        let body = app.get("/readyz").send().await.ok(200);
        if body["status"] == status {
            return body;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("never {status}");
}

#[tokio::test]
async fn asks_for_no_tenant_and_no_credential() {
    let app = TestApp::start().await;
    for path in ["/healthz", "/readyz"] {
        for host in ["nobody-here.localhost", "elsewhere.example", "127.0.0.1"] {
            app.get(path)
                .host(host)
                .bearer("garbage")
                .send()
                .await
                .ok(200);
        }
        let old = app.raw(format!("GET {path} HTTP/1.0\r\n\r\n")).await;
        assert_eq!(
            old.status,
            200,
            "a load balancer's probe has no host: {}",
            old.text()
        );
    }
}
