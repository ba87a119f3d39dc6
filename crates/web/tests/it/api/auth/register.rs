//! `POST /api/v1/auth/register`, and the form with the same fields.

use serde_json::{Value, json};
use tenantry_testkit::app::{TestApp, TestTenant};
use tenantry_testkit::service::{PASSWORD, link_token};

use super::login::is_login_answer;
use crate::shape::has_fields;
use crate::site::load;

const REGISTER: &str = "/api/v1/auth/register";
const GRACE: &str = "grace@example.org";

fn grace() -> Value {
    json!({ "username": "grace", "email": GRACE, "password": PASSWORD, "full_name": "Grace Hopper" })
}

/// A tenant that is open to registration.
async fn open(app: &TestApp, slug: &str, verify_email: bool) -> TestTenant {
    let tenant = app.tenant(slug).await;
    let admin = app.admin().await;
    let change = json!({ "registration": "open", "verify_email": verify_email });
    app.call("PATCH", &format!("/api/v1/tenants/{slug}"))
        .bearer(&admin.access)
        .json(&change)
        .send()
        .await
        .ok(200);
    tenant
}

async fn a_registration_signs_in_where_nothing_is_to_be_proven(app: TestApp) {
    let acme = open(&app, "acme", false).await;
    let answer = app
        .post(REGISTER)
        .host(&acme.host)
        .json(&grace())
        .send()
        .await;
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let body = answer.ok(201);
    is_login_answer(&body, Some(&acme));
    assert_eq!(body["user"]["role"], "member");
    assert_eq!(body["user"]["full_name"], "Grace Hopper");
    let token = body["access_token"].as_str().unwrap();
    app.get("/api/v1/auth/me")
        .bearer(token)
        .send()
        .await
        .ok(200);
    let again = app
        .post(REGISTER)
        .host(&acme.host)
        .json(&grace())
        .send()
        .await;
    again.problem(409, "email_taken");
    let mut named = grace();
    named["email"] = json!("other@example.org");
    let again = app
        .post(REGISTER)
        .host(&acme.host)
        .json(&named)
        .send()
        .await;
    again.problem(409, "username_taken");
    // The same person may register elsewhere.
    let globex = open(&app, "globex", false).await;
    let elsewhere = app.post(REGISTER).host(&globex.host).json(&grace()).send();
    elsewhere.await.ok(201);
}

async fn an_address_is_proven_first(app: TestApp) {
    let acme = open(&app, "acme", true).await;
    let first = app
        .post(REGISTER)
        .host(&acme.host)
        .json(&grace())
        .send()
        .await;
    let told = first.ok(202);
    has_fields(&told, &["status"]);
    assert_eq!(told["status"], "verification_sent");
    let early = app.try_sign_in(&acme.host, GRACE, PASSWORD).await;
    early.problem(401, "invalid_credentials");
    let mails = app.inner().mails().await.unwrap();
    let mail = mails.iter().find(|mail| mail.to == GRACE).unwrap();
    let token = link_token(mail.text.as_deref().unwrap(), "/verify-email/").unwrap();
    let path = format!("/verify-email/{token}");
    let (csrf, nonce) = load(&app, &acme.host, "").await;
    let form = [("csrf_token", csrf.as_str())];
    let page = app.get(&path).host(&acme.host).send().await;
    assert!(page.status == 200 && page.text().contains(GRACE));
    let globex = app.tenant("globex").await;
    let elsewhere = app.get(&path).host(&globex.host).send().await;
    assert_eq!(elsewhere.status, 400);
    let follow = async || {
        let call = app.post(&path).host(&acme.host).header("cookie", &nonce);
        call.form(&form).send().await
    };
    let proven = follow().await;
    assert_eq!(
        (proven.status, proven.location()),
        (303, "/login?reason=registered")
    );
    assert_eq!(follow().await.status, 400, "once");
    app.sign_in(&acme.host, GRACE).await;

    let mut again = grace();
    again["username"] = json!("another");
    let known = app
        .post(REGISTER)
        .host(&acme.host)
        .json(&again)
        .send()
        .await;
    assert_eq!(known.ok(202), told, "the same for a known address");
}

on_both!(
    a_registration_signs_in_where_nothing_is_to_be_proven,
    an_address_is_proven_first
);

#[tokio::test]
async fn a_tenant_that_is_not_open_refuses() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme").await;
    let closed = app
        .post(REGISTER)
        .host(&acme.host)
        .json(&grace())
        .send()
        .await;
    closed.problem(403, "forbidden");
    let nowhere = app.post(REGISTER).json(&grace()).send().await;
    nowhere.problem(400, "tenant_required");
    let page = app.get("/register").host(&acme.host).send().await;
    assert_eq!(page.status, 403);
}

#[tokio::test]
async fn each_wrong_field_is_named() {
    let app = TestApp::start().await;
    let acme = open(&app, "acme", true).await;
    let wrong = json!({ "username": "a b", "email": "grace@", "password": "short" });
    let answer = app
        .post(REGISTER)
        .host(&acme.host)
        .json(&wrong)
        .send()
        .await;
    answer.invalid(&["email:invalid", "username:invalid", "password:too_short"]);
    // The form that says `name` for `full_name` learns it at once.
    let named = json!({ "name": "Grace", "email": GRACE, "password": PASSWORD });
    let answer = app
        .post(REGISTER)
        .host(&acme.host)
        .json(&named)
        .send()
        .await;
    answer.invalid(&["name:unknown_field"]);

    let (csrf, nonce) = load(&app, &acme.host, "").await;
    let form = [
        ("csrf_token", csrf.as_str()),
        ("username", "a b"),
        ("email", "grace@"),
        ("password", "short"),
        ("full_name", "Grace"),
    ];
    let call = app.post("/register").host(&acme.host);
    let page = call.header("cookie", &nonce).form(&form).send().await;
    assert_eq!(page.status, 422);
    let text = page.text();
    for field in ["username", "email", "password"] {
        let beside = format!("id=\"{field}-error\"");
        assert!(text.contains(&beside), "{field}: {text}");
    }
    assert!(
        text.contains("value=\"Grace\""),
        "what was right stays: {text}"
    );
    assert!(!text.contains("short\""), "a password is never sent back");
}

/// Whoever followed the link has shown that the address is his, so he is told that it has an account
/// by now, and where to sign in with it.
#[tokio::test]
async fn an_address_that_got_an_account_meanwhile_is_told_so() {
    let app = TestApp::start().await;
    let acme = open(&app, "acme", true).await;
    let asked = app.post(REGISTER).host(&acme.host).json(&grace());
    asked.send().await.ok(202);
    let mails = app.inner().mails().await.unwrap();
    let token = link_token(mails[0].text.as_deref().unwrap(), "/verify-email/").unwrap();
    app.person(&acme, GRACE, tenantry_core::Role::Member, false)
        .await;
    let (csrf, nonce) = load(&app, &acme.host, "").await;
    let follow = app.post(&format!("/verify-email/{token}")).host(&acme.host);
    let call = follow.header("cookie", &nonce);
    let named = [("csrf_token", csrf.as_str()), ("username", "another")];
    let page = call.form(&named).send().await;
    let text = page.text();
    assert_eq!(page.status, 409, "{text}");
    assert!(text.contains("has an account already"), "{text}");
    assert!(
        text.contains("href=\"http://localhost:8000/login\""),
        "{text}"
    );
}
