//! What pages share: cookies, and where somebody is sent.

use tenantry_testkit::app::{Answer, AppOptions, TestApp};
use tenantry_testkit::service::PASSWORD;

fn cookies(answer: &Answer) -> Vec<&str> {
    let all = answer.headers.get_all("set-cookie").iter();
    all.map(|value| value.to_str().unwrap()).collect()
}

/// The form's token and the nonce's cookie, as a browser has them after loading the page.
async fn load(app: &TestApp, host: &str, prefix: &str) -> (String, String) {
    let page = app.get("/login").host(host).send().await;
    assert_eq!(page.status, 200);
    assert!(
        page.header("cache-control")
            .is_some_and(|value| value.contains("no-store"))
    );
    let text = page.text();
    let token = text.split("name=\"csrf_token\" value=\"").nth(1).unwrap();
    let token = token.split('"').next().unwrap().to_owned();
    let name = format!("{prefix}tenantry_csrf=");
    let set = cookies(&page);
    let nonce = set.iter().find(|cookie| cookie.starts_with(&name)).unwrap();
    (token, nonce.split(';').next().unwrap().to_owned())
}

async fn signed_in(app: &TestApp, host: &str, email: &str, prefix: &str) -> Answer {
    let (token, nonce) = load(app, host, prefix).await;
    let form = [
        ("csrf_token", token.as_str()),
        ("email", email),
        ("password", PASSWORD),
    ];
    app.post("/login")
        .host(host)
        .header("cookie", &nonce)
        .form(&form)
        .send()
        .await
}

#[tokio::test]
async fn a_browser_signs_in_and_out_by_cookie() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme").await;
    let answer = signed_in(&app, &acme.host, &acme.owner, "").await;
    assert_eq!((answer.status, answer.location()), (303, "/dashboard"));
    let set = cookies(&answer);
    let cookie = set
        .iter()
        .find(|cookie| cookie.starts_with("tenantry_session="))
        .unwrap();
    let (value, attributes) = cookie.split_once(';').unwrap();
    assert_eq!(attributes.trim(), "Path=/; HttpOnly; SameSite=Lax");
    let value = value.split_once('=').unwrap().1;
    let page = app
        .get("/dashboard")
        .host(&acme.host)
        .cookie(value)
        .send()
        .await;
    assert_eq!(page.status, 200);
    assert!(page.text().contains("Tenant acme"));
    // Twice the same name is none: another host may have planted one.
    let doubled = app
        .get("/dashboard")
        .host(&acme.host)
        .cookie(&format!("{value}; tenantry_session={value}"));
    assert_eq!(doubled.send().await.status, 303);
}

#[tokio::test]
async fn with_https_cookies_are_the_hosts_own_and_secure() {
    let app = AppOptions {
        public_url: "https://localhost",
        ..AppOptions::default()
    };
    let app = app.start().await;
    let acme = app.tenant("acme").await;
    let answer = signed_in(&app, &acme.host, &acme.owner, "__Host-").await;
    assert_eq!(answer.status, 303);
    let set = cookies(&answer);
    let cookie = set
        .iter()
        .find(|cookie| cookie.starts_with("__Host-tenantry_session="))
        .unwrap();
    let attributes = cookie.split_once(';').unwrap().1;
    assert_eq!(attributes.trim(), "Path=/; HttpOnly; SameSite=Lax; Secure");
    let value = cookie.split_once('=').unwrap().1.split(';').next().unwrap();
    // The plain name means nothing there.
    let call = app.get("/dashboard").host(&acme.host).cookie(value);
    assert_eq!(call.send().await.status, 303);
    let header = format!("__Host-tenantry_session={value}");
    let call = app
        .get("/dashboard")
        .host(&acme.host)
        .header("cookie", &header);
    assert_eq!(call.send().await.status, 200);
}

#[tokio::test]
async fn nobody_is_sent_to_another_host() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme").await;
    let (token, nonce) = load(&app, &acme.host, "").await;
    for (return_to, leads) in [
        ("/account/sessions", "/account/sessions"),
        ("//evil.example", "/dashboard"),
        ("/\\evil.example", "/dashboard"),
        ("https://evil.example/", "/dashboard"),
        ("javascript:alert(1)", "/dashboard"),
        ("/a\r\nSet-Cookie: x=y", "/dashboard"),
        ("", "/dashboard"),
    ] {
        let form = [
            ("csrf_token", token.as_str()),
            ("email", &acme.owner),
            ("password", PASSWORD),
            ("return_to", return_to),
        ];
        let call = app
            .post("/login")
            .host(&acme.host)
            .header("cookie", &nonce)
            .form(&form);
        let answer = call.send().await;
        assert_eq!(answer.status, 303, "{}", answer.text());
        assert_eq!(answer.location(), leads, "{return_to}");
    }
}

#[tokio::test]
async fn a_stale_session_ends_at_the_sign_in_page_and_not_in_a_loop() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme").await;
    let cookie = app.cookie(&acme.host, &acme.owner).await;
    let id = acme.id.parse().unwrap();
    app.service().delete_tenant(id, false).await.unwrap();
    app.service().restore_tenant(id).await.unwrap();
    let answer = app
        .get("/dashboard")
        .host(&acme.host)
        .cookie(&cookie)
        .send()
        .await;
    assert_eq!(answer.location(), "/login?reason=session_ended");
    // Even by a browser that keeps the cookie.
    let page = app
        .get("/login?reason=session_ended")
        .host(&acme.host)
        .cookie(&cookie)
        .send()
        .await;
    assert_eq!(page.status, 200);
}

#[tokio::test]
async fn errors_are_pages_and_quote_nothing() {
    let app = TestApp::start().await;
    let html = |path: &str| app.get(path).header("accept", "text/html");
    for (call, status) in [
        (html("/login").host("nobody-here.localhost"), 404),
        (html("/<script>alert(1)</script>"), 404),
        (html("/setup/password/garbage"), 400),
        (html("/login?tenant_id=<script>"), 404),
        (html("/login?reason=<script>&return_to=<script>"), 200),
    ] {
        let answer = call.send().await;
        assert_eq!(answer.status, status, "{}", answer.text());
        assert_eq!(
            answer.header("content-type"),
            Some("text/html; charset=utf-8")
        );
        assert!(!answer.text().contains("<script>"), "{}", answer.text());
    }
}
