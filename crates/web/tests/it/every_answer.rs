//! What every answer has, whatever it is about. The checks themselves stand in
//! `tenantry_testkit::app::Answer`; here are the answers that are easily forgotten.

use serde_json::json;
use tenantry_testkit::app::TestApp;

#[tokio::test]
async fn a_path_that_is_not_there_is_told_in_the_clients_language() {
    let app = TestApp::start().await;
    for path in [
        "/no/such/thing",
        "/api/v1/nothing",
        "/api/v1/tenants/",
        "/HEALTHZ",
        "//healthz",
        "/api",
    ] {
        app.get(path).send().await.problem(404, "not_found");
        app.post(path).send().await.problem(404, "not_found");
    }
    let html = "text/html,application/xhtml+xml";
    let page = app
        .get("/no/such/thing")
        .header("accept", html)
        .send()
        .await;
    assert_eq!(page.status, 404);
    assert_eq!(
        page.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    // Below /api programs ask, whatever they say they like.
    let api = app
        .get("/api/v1/nothing")
        .header("accept", html)
        .send()
        .await;
    api.problem(404, "not_found");
}

#[tokio::test]
async fn a_method_that_is_not_there_is_refused_with_those_that_are() {
    let app = TestApp::start().await;
    for (method, path, allowed) in [
        ("GET", "/api/v1/auth/login", vec!["POST"]),
        (
            "PUT",
            "/api/v1/tenants/acme",
            vec!["DELETE", "GET", "HEAD", "PATCH"],
        ),
        ("POST", "/healthz", vec!["GET", "HEAD"]),
        ("OPTIONS", "/api/v1/auth/me", vec!["GET", "HEAD", "PATCH"]),
        ("TRACE", "/api/v1/auth/me", vec!["GET", "HEAD", "PATCH"]),
        ("BREW", "/api/v1/tenants", vec!["GET", "HEAD", "POST"]),
        ("get", "/healthz", vec!["GET", "HEAD"]),
    ] {
        let answer = app.call(method, path).bearer("garbage").send().await;
        answer.problem(405, "method_not_allowed");
        let mut seen: Vec<&str> = answer
            .header("allow")
            .unwrap_or_default()
            .split(',')
            .collect();
        seen.sort_unstable();
        assert_eq!(seen, allowed, "{method} {path}");
        assert!(!answer.text().contains("garbage"), "nothing is echoed");
    }
}

#[tokio::test]
async fn head_says_what_get_would_and_no_body() {
    let app = TestApp::start().await;
    for path in [
        "/healthz",
        "/openapi.json",
        "/login",
        "/api/v1/auth/me",
        "/no/such/thing",
    ] {
        let get = app.get(path).send().await;
        let head = app.call("HEAD", path).send().await;
        assert_eq!((head.status, head.body.len()), (get.status, 0), "{path}");
        assert_eq!(
            head.header("content-type"),
            get.header("content-type"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn an_id_is_ours_and_another_for_each() {
    let app = TestApp::start().await;
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..20 {
        let call = app
            .get("/healthz")
            .header("x-request-id", "0192f0c1-0000-7000-8000-000000000001");
        let answer = call.send().await;
        let id = answer.header("x-request-id").unwrap().to_owned();
        assert_ne!(id, "0192f0c1-0000-7000-8000-000000000001");
        assert!(seen.insert(id));
    }
}

#[tokio::test]
async fn refusals_of_every_kind_have_it_all() {
    let app = TestApp::start().await;
    let login = || app.post("/api/v1/auth/login");
    login()
        .body("text/plain", "x")
        .send()
        .await
        .problem(400, "malformed_request");
    login()
        .json(&json!({}))
        .send()
        .await
        .problem(422, "validation_failed");
    let large = json!({ "email": "a@b.example", "password": "x".repeat(70_000) });
    login()
        .json(&large)
        .send()
        .await
        .problem(413, "payload_too_large");
    app.get("/login").host("nobody-here.localhost").send().await;
    let raw = app
        .raw("GET /healthz HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n")
        .await;
    raw.expect_common("a host with a space");
    raw.problem(400, "malformed_request");
}

#[tokio::test]
async fn assets_have_it_too() {
    let app = TestApp::start().await;
    let page = app.get("/login").send().await.text();
    let mut found = 0;
    for part in page.split('"').filter(|part| part.starts_with("/assets/")) {
        let answer = app.get(part).send().await;
        assert_eq!(answer.status, 200, "{part}");
        found += 1;
    }
    assert!(found > 0, "{page}");
    let html = "text/html,application/xhtml+xml";
    for (path, status, code) in [
        ("/assets/", 404, "not_found"),
        ("/assets/nothing.css", 404, "not_found"),
        ("/assets/tenant/red.css", 404, "not_found"),
        ("/assets/../Cargo.toml", 404, "not_found"),
        ("/assets/%2e%2e/Cargo.toml", 404, "not_found"),
        ("/assets/%ff", 400, "malformed_request"),
    ] {
        app.get(path).send().await.problem(status, code);
        let page = app.get(path).header("accept", html).send().await;
        assert_eq!(page.status, status, "{path}");
        assert!(page.text().contains("<h1>"), "{path}: {}", page.text());
        // What is not there today may be there with the next version.
        assert_eq!(page.header("cache-control"), Some("no-store"), "{path}");
    }
    let answer = app.post("/assets/site.css").send().await;
    answer.problem(405, "method_not_allowed");
}
