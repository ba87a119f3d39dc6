//! `GET /healthz` and `GET /readyz`

use serde_json::json;
use tenantry_testkit::app::TestApp;

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
