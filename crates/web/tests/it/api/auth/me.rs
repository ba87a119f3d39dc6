//! `GET /api/v1/auth/me` and `POST …/password`

use serde_json::{Value, json};
use tenantry_core::Role;
use tenantry_testkit::app::{AppOptions, SignIn, TestApp};
use tenantry_testkit::service::{Options, PASSWORD};

use crate::shape::{has_fields, is_id};

const ME: &str = "/api/v1/auth/me";
const CHANGE: &str = "/api/v1/auth/me/password";
const NEW: &str = "a new and long password";

async fn says_who_is_signed_in(app: TestApp) {
    let acme = app.tenant("acme").await;
    let owner = app.sign_in(&acme.host, &acme.owner).await;
    for call in [
        app.get(ME),
        app.get(ME).host(&acme.host),
        app.get(ME).header("x-tenant-id", "acme"),
    ] {
        let answer = call.bearer(&owner.access).send().await;
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let body = answer.ok(200);
        has_fields(
            &body,
            &[
                "id",
                "email",
                "username",
                "full_name",
                "role",
                "must_change_password",
                "first_login",
                "tenant",
            ],
        );
        is_id(&body["id"]);
        assert_eq!(body["email"], acme.owner);
        has_fields(&body["tenant"], &["id", "slug", "code", "name"]);
        assert_eq!(body["tenant"], owner.body["tenant"]);
    }
    let admin = app.admin().await;
    let body = app.get(ME).bearer(&admin.access).send().await.ok(200);
    assert_eq!(
        (&body["tenant"], &body["role"]),
        (&Value::Null, &json!("platform_admin"))
    );
}

on_both!(says_who_is_signed_in);

#[tokio::test]
async fn the_scheme_is_bearer_in_any_case_and_nothing_else() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme").await;
    let token = app.sign_in(&acme.host, &acme.owner).await.access;
    for good in [
        format!("Bearer {token}"),
        format!("bearer {token}"),
        format!("BEARER  {token} "),
    ] {
        app.get(ME)
            .header("authorization", &good)
            .send()
            .await
            .ok(200);
    }
    for bad in [
        token.clone(),
        format!("Basic {token}"),
        format!("Bearer{token}"),
        format!("Bearer {token}x"),
        format!("Bearer {token} {token}"),
        format!("Bearer \"{token}\""),
        "Bearer".to_owned(),
    ] {
        let answer = app.get(ME).header("authorization", &bad).send().await;
        answer.problem(401, "authentication_required");
    }
    // Of two, none counts.
    for second in [token.as_str(), "garbage"] {
        let call = app.get(ME).bearer(&token).bearer(second);
        call.send().await.problem(401, "authentication_required");
    }
    // Neither a cookie nor the query carries it.
    app.get(ME)
        .cookie(&token)
        .send()
        .await
        .problem(401, "authentication_required");
    let cookie = app.cookie(&acme.host, &acme.owner).await;
    app.get(ME)
        .cookie(&cookie)
        .send()
        .await
        .problem(401, "authentication_required");
    let query = app.get(&format!("{ME}?access_token={token}")).send().await;
    query.problem(401, "authentication_required");
}

async fn change(
    app: &TestApp,
    signed: &SignIn,
    current: &str,
    new: &str,
) -> tenantry_testkit::app::Answer {
    let body = json!({ "current_password": current, "new_password": new });
    app.post(CHANGE)
        .bearer(&signed.access)
        .json(&body)
        .send()
        .await
}

async fn a_changed_password_ends_the_other_sessions(app: TestApp) {
    let acme = app.tenant_owned_by("acme", "sam@example.com").await;
    let globex = app.tenant_owned_by("globex", "sam@example.com").await;
    let one = app.sign_in(&acme.host, "sam@example.com").await;
    let two = app.sign_in(&acme.host, "sam@example.com").await;
    let elsewhere = app.sign_in(&globex.host, "sam@example.com").await;
    let body = change(&app, &one, PASSWORD, NEW).await.ok(200);
    assert_eq!(body["email"], "sam@example.com");
    app.get(ME).bearer(&one.access).send().await.ok(200);
    app.get(ME)
        .bearer(&two.access)
        .send()
        .await
        .problem(401, "session_stale");
    app.get(ME).bearer(&elsewhere.access).send().await.ok(200);
    let old = app
        .try_sign_in(&acme.host, "sam@example.com", PASSWORD)
        .await;
    old.problem(401, "invalid_credentials");
    assert_eq!(
        app.try_sign_in(&acme.host, "sam@example.com", NEW)
            .await
            .status,
        200
    );
    // The same person's password elsewhere is another one.
    app.sign_in(&globex.host, "sam@example.com").await;
    let admin = app.admin().await;
    let other = app.admin().await;
    change(&app, &admin, PASSWORD, NEW).await.ok(200);
    app.get(ME).bearer(&admin.access).send().await.ok(200);
    app.get(ME)
        .bearer(&other.access)
        .send()
        .await
        .problem(401, "session_stale");
}

on_both!(a_changed_password_ends_the_other_sessions);

#[tokio::test]
async fn says_what_is_wrong_with_it_and_changes_nothing() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme").await;
    let signed = app.sign_in(&acme.host, &acme.owner).await;
    let (long, longest) = ("x".repeat(257), "y".repeat(60_000));
    for (current, new, fields) in [
        ("not the password", NEW, ["current_password:wrong"]),
        (longest.as_str(), NEW, ["current_password:wrong"]),
        (PASSWORD, "short", ["new_password:too_short"]),
        (PASSWORD, long.as_str(), ["new_password:too_long"]),
        (PASSWORD, longest.as_str(), ["new_password:too_long"]),
        (PASSWORD, PASSWORD, ["new_password:same"]),
    ] {
        change(&app, &signed, current, new).await.invalid(&fields);
    }
    app.sign_in(&acme.host, &acme.owner).await;
}

#[tokio::test]
async fn somebody_who_must_change_it_is_free_afterwards() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme").await;
    app.person(&acme, "new@acme.example", Role::Member, true)
        .await;
    let signed = app.sign_in(&acme.host, "new@acme.example").await;
    let sessions = || {
        app.get("/api/v1/auth/sessions")
            .bearer(&signed.access)
            .send()
    };
    sessions().await.problem(403, "password_change_required");
    let body = change(&app, &signed, PASSWORD, NEW).await.ok(200);
    assert_eq!(body["must_change_password"], false);
    sessions().await.ok(200);
    let body = app.get(ME).bearer(&signed.access).send().await.ok(200);
    assert_eq!(body["must_change_password"], false);
}

#[tokio::test]
async fn guesses_at_the_present_password_are_limited() {
    let app = AppOptions::over(Options::sqlite()).start().await;
    let acme = app.tenant("acme").await;
    let signed = app.sign_in(&acme.host, &acme.owner).await;
    for _ in 0..5 {
        change(&app, &signed, "a wrong guess", NEW)
            .await
            .invalid(&["current_password:wrong"]);
    }
    change(&app, &signed, PASSWORD, NEW)
        .await
        .problem(429, "rate_limited");
    // It is the same secret as at the sign-in, so guesses at it are the same count. There nobody is
    // told so: it looks like a wrong one.
    let answer = app.try_sign_in(&acme.host, &acme.owner, PASSWORD).await;
    answer.problem(401, "invalid_credentials");
    app.clock().advance(std::time::Duration::from_secs(15));
    app.sign_in(&acme.host, &acme.owner).await;
}
