//! `GET /healthz` and `GET /readyz`

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tenantry_core::Secret;
use tenantry_service::clusters::NewCluster;
use tenantry_service::health::{Part, PartState};
use tenantry_testkit::app::{AppOptions, TestApp};
use tenantry_testkit::cluster::TestCluster;
use tenantry_testkit::proxy::Proxy;
use tenantry_testkit::service::Options;
use tokio::net::TcpListener;
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
    let down = until(&app, "down").await;
    assert_eq!(down["parts"]["control_database"], "down");
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
        let answer = app.get("/readyz").send().await;
        let body = answer.json();
        let expected = if body["status"] == "down" { 503 } else { 200 };
        assert_eq!(answer.status, expected, "{body}");
        if body["status"] == status {
            return body;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("never {status}");
}

/// A server that sends its mails to this one.
async fn mailing_to(listener: &TcpListener) -> TestApp {
    let url = format!("smtp://{}?tls=none", listener.local_addr().unwrap());
    let options = Options::sqlite().with_mail_server(&url);
    AppOptions::over(options).start().await
}

fn mail(parts: &[Part]) -> PartState {
    let mail = parts.iter().find(|part| part.name == "mail");
    mail.unwrap().state
}

/// Anybody may ask, so what it costs does not grow with how often.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_part_is_asked_once_a_second_however_many_ask() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let app = mailing_to(&listener).await;
    let came = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&came);
    tokio::spawn(async move {
        // Lets nobody in, so that no connection is kept for the next look.
        while listener.accept().await.is_ok() {
            counted.fetch_add(1, Ordering::SeqCst);
        }
    });
    let begun = Instant::now();
    let many: JoinSet<_> = (0..20).map(|_| app.get("/readyz").send()).collect();
    for answer in many.join_all().await {
        assert_eq!(answer.ok(200)["parts"]["mail"], "degraded");
    }
    for _ in 0..20 {
        app.get("/readyz").send().await.ok(200);
    }
    let (came, took) = (came.load(Ordering::SeqCst), begun.elapsed());
    assert!(
        (1..=1 + took.as_secs()).contains(&came),
        "asked {came} times in {took:?}"
    );
    // Whoever wants to know how it is now is told: that is the operator's `doctor`.
    assert_eq!(mail(&app.service().parts().await), PartState::Degraded);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_look_goes_on_when_whoever_began_it_hangs_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let app = mailing_to(&listener).await;
    let stream = tokio::select! {
        _ = app.service().parts_lately() => panic!("told before anybody answered"),
        came = listener.accept() => came.unwrap().0,
    };
    let mut second = pin!(app.service().parts_lately());
    // Asks once, so that it has joined.
    tokio::select! {
        biased;
        _ = &mut second => panic!("told before anybody answered"),
        () = std::future::ready(()) => {}
    }
    drop(stream);
    assert_eq!(mail(&second.await), PartState::Degraded);
    let again = tokio::time::timeout(Duration::from_millis(20), listener.accept());
    assert!(again.await.is_err(), "somebody looked beside it");
}

/// Nobody waits for a mail server that accepts a connection and says nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_mail_server_keeps_nobody_waiting_for_long() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let app = mailing_to(&listener).await;
    let begun = Instant::now();
    let body = app.get("/readyz").send().await.ok(200);
    assert_eq!(body["parts"]["mail"], "degraded");
    assert!(
        begun.elapsed() < Duration::from_secs(4),
        "{:?}",
        begun.elapsed()
    );
}

#[tokio::test]
async fn what_fails_and_recovers_shows_within_two_seconds() {
    // One second for the look of before; the rest is for a busy machine.
    const LATE: Duration = Duration::from_secs(3);
    let app = TestApp::start().await;
    let dir = app.inner().mail_dir();
    assert_eq!(until(&app, "ready").await["parts"]["mail"], "up");
    for _ in 0..2 {
        std::fs::remove_dir_all(&dir).unwrap();
        std::fs::write(&dir, b"in the way").unwrap();
        let since = Instant::now();
        until(&app, "degraded").await;
        assert!(since.elapsed() < LATE, "{:?}", since.elapsed());
        std::fs::remove_file(&dir).unwrap();
        let since = Instant::now();
        until(&app, "ready").await;
        assert!(since.elapsed() < LATE, "{:?}", since.elapsed());
    }
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
