//! What pages share: cookies, and where somebody is sent.

mod brand;
mod people;
mod reasons;
mod sessions;

use tenantry_testkit::app::{Answer, AppOptions, TestApp};
use tenantry_testkit::service::PASSWORD;

fn cookies(answer: &Answer) -> Vec<&str> {
    let all = answer.headers.get_all("set-cookie").iter();
    all.map(|value| value.to_str().unwrap()).collect()
}

/// The form's token and the nonce's cookie, as a browser has them after loading the page.
/// A form's token, and the cookie it goes with.
pub(crate) async fn load(app: &TestApp, host: &str, prefix: &str) -> (String, String) {
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
        (html("/setup/credentials/garbage"), 400),
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

#[tokio::test]
async fn a_setup_link_is_good_once_and_at_its_own_tenant_alone() {
    let app = TestApp::start().await;
    let (admin, other) = (app.admin().await.access, app.tenant("globex").await);
    let body = serde_json::json!({
        "name": "Acme", "slug": "acme", "owner": { "email": "ada@acme.example" },
    });
    let call = app.post("/api/v1/tenants").bearer(&admin).json(&body);
    call.send().await.ok(201);
    let token = app
        .inner()
        .setup_token_from_mail("ada@acme.example")
        .await
        .unwrap();
    let path = format!("/setup/password/{token}");
    let set = async |host: &str| {
        let (csrf, nonce) = load(&app, host, "").await;
        let form = [("csrf_token", csrf.as_str()), ("password", PASSWORD)];
        let call = app.post(&path).host(host).header("cookie", &nonce);
        call.form(&form).send().await
    };
    for host in [other.host.as_str(), "acme.localhost"] {
        let expected = if host == other.host { 400 } else { 200 };
        // Looking uses nothing up: mail scanners look too.
        for _ in 0..2 {
            let page = app.get(&path).host(host).send().await;
            assert_eq!(page.status, expected, "{host}: {}", page.text());
        }
    }
    let call = app.get(&path).header("x-tenant-id", "globex");
    assert_eq!(call.send().await.status, 400);
    assert_eq!(set(&other.host).await.status, 400);
    let done = set("acme.localhost").await;
    assert!(done.status < 400, "{}", done.text());
    app.sign_in("acme.localhost", "ada@acme.example").await;
    assert_eq!(set("acme.localhost").await.status, 400);
    assert_eq!(app.get(&path).send().await.status, 400);
}
