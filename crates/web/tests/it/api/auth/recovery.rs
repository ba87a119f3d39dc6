//! `/api/v1/auth/password-reset`

use serde_json::json;
use tenantry_testkit::app::{AppOptions, TestApp};
use tenantry_testkit::service::{PASSWORD, link_token};

use crate::shape::has_fields;
use crate::site::load;

const ASK: &str = "/api/v1/auth/password-reset/request";
const ASK_CODE: &str = "/api/v1/auth/password-reset/request-otp";
const VERIFY: &str = "/api/v1/auth/password-reset/verify-otp";
const CONFIRM: &str = "/api/v1/auth/password-reset/confirm";
const NEW: &str = "a new and long password";

/// The text of the newest mail to an address.
async fn mail(app: &TestApp, address: &str) -> Option<String> {
    let mails = app.inner().mails().await.unwrap();
    let mail = mails.into_iter().find(|mail| mail.to == address)?;
    mail.text
}

/// The first six digits in a row of a text.
fn digits(text: &str) -> String {
    let line = text.lines().find_map(|line| {
        let (_, code) = line.rsplit_once("): ")?;
        (code.len() == 6 && code.bytes().all(|c| c.is_ascii_digit())).then(|| code.to_owned())
    });
    line.unwrap()
}

async fn a_link_sets_a_new_password(app: TestApp) {
    let acme = app.tenant("acme").await;
    let before = app.sign_in(&acme.host, &acme.owner).await;
    let body = json!({ "email": acme.owner });
    // Whatever the request's headers say, links come from the settings.
    let asked = app
        .post(ASK)
        .host(&acme.host)
        .header("x-forwarded-host", "evil.example")
        .header("forwarded", "host=evil.example")
        .json(&body)
        .send()
        .await;
    let known = asked.ok(200);
    has_fields(&known, &["message"]);
    let unknown = json!({ "email": "nobody@example.org" });
    let unknown = app.post(ASK).host(&acme.host).json(&unknown).send().await;
    assert_eq!(unknown.ok(200), known, "the same for nobody");
    let text = mail(&app, &acme.owner).await.unwrap();
    assert!(!text.contains("evil"), "{text}");
    let token = link_token(&text, "/reset-password/").unwrap();

    let short = json!({ "token": token, "password": "short" });
    let short = app.post(CONFIRM).host(&acme.host).json(&short).send().await;
    short.invalid(&["password:too_short"]);
    let globex = app.tenant("globex").await;
    let set = json!({ "token": token, "password": NEW });
    let elsewhere = [
        app.post(CONFIRM).host(&globex.host),
        app.post(CONFIRM).header("x-tenant-id", &globex.id),
    ];
    for call in elsewhere {
        call.json(&set).send().await.problem(400, "token_invalid");
    }
    app.post(CONFIRM).json(&set).send().await.ok(200);
    let again = app.post(CONFIRM).json(&set).send().await;
    again.problem(400, "token_invalid");
    let me = app
        .get("/api/v1/auth/me")
        .bearer(&before.access)
        .send()
        .await;
    me.problem(401, "session_stale");
    app.try_sign_in(&acme.host, &acme.owner, NEW).await.ok(200);
    let old = app.try_sign_in(&acme.host, &acme.owner, PASSWORD).await;
    old.problem(401, "invalid_credentials");
}

on_both!(a_link_sets_a_new_password);

#[tokio::test]
async fn a_code_finds_its_tenant_without_being_told() {
    let app = TestApp::start().await;
    let owner = "both@example.org";
    app.tenant_owned_by("acme", owner).await;
    let globex = app.tenant_owned_by("globex", owner).await;
    let body = json!({ "email": owner });
    let asked = app
        .post(ASK_CODE)
        .host(&globex.host)
        .json(&body)
        .send()
        .await;
    has_fields(&asked.ok(200), &["message"]);
    let code = digits(&mail(&app, owner).await.unwrap());
    for wrong in ["000", "abcdef", ""] {
        let wrong = json!({ "email": owner, "otp": wrong });
        let answer = app.post(VERIFY).json(&wrong).send().await;
        answer.problem(400, "otp_invalid");
    }
    let nobody = json!({ "email": "nobody@example.org", "otp": code });
    let nobody = app.post(VERIFY).json(&nobody).send().await;
    nobody.problem(400, "otp_invalid");
    let right = json!({ "email": owner, "otp": code });
    let proof = app.post(VERIFY).json(&right).send().await.ok(200);
    has_fields(&proof, &["reset_token", "expires_in"]);
    assert_eq!(proof["expires_in"], 600);
    let again = app.post(VERIFY).json(&right).send().await;
    again.problem(400, "otp_invalid");
    let set = json!({ "token": proof["reset_token"], "password": NEW });
    app.post(CONFIRM).json(&set).send().await.ok(200);
    app.try_sign_in(&globex.host, owner, NEW).await.ok(200);
    app.try_sign_in(&app.host("acme"), owner, PASSWORD)
        .await
        .ok(200);
}

#[tokio::test]
async fn what_is_no_address_is_told_beside_the_field() {
    let app = TestApp::start().await;
    for (path, body) in [
        (ASK, json!({ "email": "nobody" })),
        (ASK_CODE, json!({ "email": "nobody" })),
        (VERIFY, json!({ "email": "nobody", "otp": "123456" })),
    ] {
        app.post(path)
            .json(&body)
            .send()
            .await
            .invalid(&["email:invalid"]);
    }
    let extra = json!({ "email": "ada@example.org", "tenant": "acme" });
    app.post(ASK)
        .json(&extra)
        .send()
        .await
        .invalid(&["tenant:unknown_field"]);
}

/// The pages lead the same way, without a script.
#[tokio::test]
async fn a_browser_resets_by_link_and_by_code() {
    let app = AppOptions::default().start().await;
    let acme = app.tenant("acme").await;
    let (csrf, nonce) = load(&app, &acme.host, "").await;
    let send = async |path: &str, fields: &[(&str, &str)]| {
        let mut all = vec![("csrf_token", csrf.as_str())];
        all.extend(fields);
        let call = app.post(path).host(&acme.host).header("cookie", &nonce);
        call.form(&all).send().await
    };
    let wrong = send("/forgot-password", &[("email", "nobody"), ("way", "link")]).await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.text().contains("not an e-mail address"));
    let by_link = [("email", acme.owner.as_str()), ("way", "link")];
    assert_eq!(send("/forgot-password", &by_link).await.status, 200);
    let text = mail(&app, &acme.owner).await.unwrap();
    let path = format!(
        "/reset-password/{}",
        link_token(&text, "/reset-password/").unwrap()
    );
    let page = app.get(&path).host(&acme.host).send().await;
    assert_eq!(page.status, 200);
    let short = send(&path, &[("password", "short")]).await;
    assert_eq!(short.status, 422);
    let set = send(&path, &[("password", NEW)]).await;
    assert_eq!(
        (set.status, set.location()),
        (303, "/login?reason=password_set")
    );
    let gone = app.get(&path).host(&acme.host).send().await;
    assert_eq!(gone.status, 400);
    assert!(gone.text().contains("/forgot-password"));

    let by_code = [("email", acme.owner.as_str()), ("way", "code")];
    app.clock().advance(std::time::Duration::from_secs(1));
    let page = send("/forgot-password", &by_code).await.text();
    assert!(page.contains("name=\"otp\""), "{page}");
    let code = digits(&mail(&app, &acme.owner).await.unwrap());
    let wrong = send(
        "/reset-password/otp",
        &[("email", &acme.owner), ("otp", "12345")],
    )
    .await;
    assert_eq!(wrong.status, 400);
    let right = send(
        "/reset-password/otp",
        &[("email", &acme.owner), ("otp", &code)],
    )
    .await;
    assert_eq!(right.status, 303);
    let set = send(right.location(), &[("password", PASSWORD)]).await;
    assert_eq!(set.status, 303);
    app.sign_in(&acme.host, &acme.owner).await;
}
