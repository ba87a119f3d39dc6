//! `POST /api/v1/auth/login`

use serde_json::{Value, json};
use tenantry_core::Role;
use tenantry_testkit::app::{AccessToken, Answer, AppOptions, SignIn, TestApp, TestTenant};
use tenantry_testkit::service::{Options, PASSWORD};

use crate::shape::{has_fields, is_id};

pub(super) const LOGIN: &str = "/api/v1/auth/login";
const USER: &[&str] = &[
    "id",
    "email",
    "username",
    "full_name",
    "role",
    "must_change_password",
    "first_login",
];

#[track_caller]
pub(super) fn is_login_answer(body: &Value, tenant: Option<&TestTenant>) {
    has_fields(
        body,
        &[
            "access_token",
            "token_type",
            "expires_in",
            "refresh_token",
            "user",
            "tenant",
        ],
    );
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["expires_in"], 600);
    has_fields(&body["user"], USER);
    is_id(&body["user"]["id"]);
    match tenant {
        Some(tenant) => {
            has_fields(&body["tenant"], &["id", "slug", "code", "name"]);
            is_id(&body["tenant"]["id"]);
            assert_eq!(body["tenant"]["id"], tenant.id);
            assert_eq!(body["tenant"]["slug"], tenant.slug);
        }
        None => assert_eq!(body["tenant"], Value::Null),
    }
}

async fn says_who_signed_in_and_where(app: TestApp) {
    let acme = app.tenant("acme").await;
    for host in [acme.host.as_str(), "localhost"] {
        let answer = app.try_sign_in(host, &acme.owner, PASSWORD).await;
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let body = answer.ok(200);
        is_login_answer(&body, Some(&acme));
        let user = &body["user"];
        assert_eq!(user["email"], acme.owner);
        assert_eq!(user["username"], "owner");
        assert_eq!(user["role"], "owner");
        assert_eq!(user["must_change_password"], false);
        assert_eq!(
            user["first_login"],
            host == acme.host,
            "the second is not the first"
        );
        assert_eq!(body["tenant"]["code"], "TEN00001");
        assert_eq!(body["tenant"]["name"], "Tenant acme");
    }
}

on_both!(says_who_signed_in_and_where);

#[tokio::test]
async fn a_platform_admin_has_no_tenant() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme").await;
    let admin = app.admin().await;
    is_login_answer(&admin.body, None);
    assert_eq!(admin.body["user"]["role"], "platform_admin");
    // Nor is one somebody in a tenant.
    let answer = app
        .try_sign_in(&acme.host, "root@platform.example", PASSWORD)
        .await;
    answer.problem(401, "invalid_credentials");
}

#[tokio::test]
async fn the_access_token_says_what_the_contract_says_and_no_more() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme").await;
    let owner = app.sign_in(&acme.host, &acme.owner).await;
    let token = AccessToken::parse(&owner.access);
    has_fields(&token.header, &["alg", "kid", "typ"]);
    assert_eq!(token.header["alg"], "EdDSA");
    assert_eq!(token.header["typ"], "at+jwt");
    has_fields(
        &token.claims,
        &[
            "iss", "aud", "sub", "iat", "exp", "jti", "sid", "tid", "tslug", "tcode", "tgen",
            "role",
        ],
    );
    let claims = &token.claims;
    let now = app.clock().now().seconds();
    assert_eq!(claims["iss"], "http://localhost:8000");
    assert_eq!(claims["aud"], "http://localhost:8000");
    assert_eq!(claims["sub"], owner.body["user"]["id"]);
    assert_eq!(
        (claims["iat"].as_i64(), claims["exp"].as_i64()),
        (Some(now), Some(now + 600))
    );
    assert_eq!(claims["tid"], acme.id);
    assert_eq!(claims["tslug"], "acme");
    assert_eq!(claims["tcode"], "TEN00001");
    assert_eq!(claims["tgen"], 1);
    assert_eq!(claims["role"], "owner");
    is_id(&claims["jti"]);
    is_id(&claims["sid"]);
    let jwks = app.get("/.well-known/jwks.json").send().await.ok(200);
    assert!(token.is_signed_by(&jwks));

    let database = app
        .service()
        .find_tenant("acme")
        .await
        .unwrap()
        .database
        .unwrap();
    let said = claims.to_string();
    for secret in [
        &*database.name,
        "sqlite",
        "control",
        "127.0.0.1",
        &*acme.owner,
    ] {
        assert!(!said.contains(secret), "{said} tells {secret}");
    }

    let admin = app.admin().await;
    let token = AccessToken::parse(&admin.access);
    has_fields(
        &token.claims,
        &["iss", "aud", "sub", "iat", "exp", "jti", "sid", "role"],
    );
    assert!(token.is_signed_by(&jwks));
    assert_eq!(token.claims["role"], "platform_admin");
}

#[tokio::test]
async fn a_username_needs_a_tenant() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme").await;
    let body = json!({ "username": "OWNER", "password": PASSWORD });
    let answer = app.post(LOGIN).host(&acme.host).json(&body).send().await;
    is_login_answer(&answer.ok(200), Some(&acme));
    let answer = app
        .post(LOGIN)
        .header("x-tenant-id", &acme.id)
        .json(&body)
        .send()
        .await;
    is_login_answer(&answer.ok(200), Some(&acme));
    let answer = app.post(LOGIN).json(&body).send().await;
    answer.problem(400, "tenant_required");
}

#[tokio::test]
async fn one_of_address_and_username_is_given() {
    let app = TestApp::start().await;
    for (body, fields) in [
        (json!({ "password": "x" }), vec!["email:required"]),
        (
            json!({ "email": "a@b.example", "username": "ab", "password": "x" }),
            vec!["username:invalid"],
        ),
        (json!({ "email": "a@b.example" }), vec!["password:required"]),
        (
            json!({ "email": "nobody", "password": "x" }),
            vec!["email:invalid"],
        ),
        (
            json!({ "username": "a b", "password": "x" }),
            vec!["username:invalid"],
        ),
        (
            json!({ "email": "a@b.example", "password": "x", "name": "y" }),
            vec!["name:unknown_field"],
        ),
    ] {
        app.post(LOGIN).json(&body).send().await.invalid(&fields);
    }
}

/// Everything of an answer that could tell one case from another.
fn told(answer: &Answer) -> (u16, Vec<String>, Value) {
    let mut body: Value = serde_json::from_slice(&answer.body).unwrap();
    body["request_id"] = Value::Null;
    let names = answer.headers.keys().map(ToString::to_string).collect();
    (answer.status, names, body)
}

async fn unknown_wrong_and_closed_look_the_same(app: TestApp) {
    let acme = app.tenant("acme").await;
    let closed = app.tenant("globex").await;
    let id = closed.id.parse().unwrap();
    app.service().suspend_tenant(id).await.unwrap();
    for host in [acme.host.as_str(), "localhost"] {
        let wrong = app
            .try_sign_in(host, &acme.owner, "not the password at all")
            .await;
        wrong.problem(401, "invalid_credentials");
        let unknown = app.try_sign_in(host, "nobody@acme.example", PASSWORD).await;
        assert_eq!(told(&unknown), told(&wrong));
        // Reached through the directory, a suspended tenant is as good as none.
        let closed = app.try_sign_in(host, &closed.owner, PASSWORD).await;
        assert_eq!(told(&closed), told(&wrong));
    }
    let answer = app.try_sign_in(&closed.host, &closed.owner, PASSWORD).await;
    answer.problem(503, "tenant_unavailable");
    let answer = app
        .try_sign_in(&closed.host, "nobody@globex.example", "wrong")
        .await;
    answer.problem(503, "tenant_unavailable");
    app.service().resume_tenant(id).await.unwrap();
    app.sign_in(&closed.host, &closed.owner).await;
}

on_both!(unknown_wrong_and_closed_look_the_same);

async fn a_password_that_fits_in_several_tenants_offers_them(app: TestApp) {
    let mut tenants = Vec::new();
    for slug in ["acme", "globex", "initech"] {
        tenants.push(app.tenant_owned_by(slug, "sam@example.com").await);
    }
    let other = json!({ "current_password": PASSWORD, "new_password": "quite another one" });
    let third = app.sign_in(&tenants[2].host, "sam@example.com").await;
    let call = app.post("/api/v1/auth/me/password").bearer(&third.access);
    call.json(&other).send().await.ok(200);

    let answer = app
        .try_sign_in("localhost", "sam@example.com", PASSWORD)
        .await;
    let body = answer.problem(409, "tenant_selection_required");
    assert!(
        body["selection_token"]
            .as_str()
            .is_some_and(|token| token.len() >= 43)
    );
    let offered = body["tenants"].as_array().unwrap();
    assert_eq!(offered.len(), 2, "the third has another password: {body}");
    for tenant in offered {
        has_fields(tenant, &["id", "slug", "name"]);
        is_id(&tenant["id"]);
    }
    // Where the password fits once, nobody is asked.
    let answer = app
        .try_sign_in("localhost", "sam@example.com", "quite another one")
        .await;
    is_login_answer(&answer.ok(200), Some(&tenants[2]));
    // Nor where the tenant is named.
    app.sign_in(&tenants[1].host, "sam@example.com").await;
}

on_both!(a_password_that_fits_in_several_tenants_offers_them);

async fn a_proven_mail_domain_decides_and_an_unproven_one_does_not(app: TestApp) {
    let acme = app.tenant_owned_by("acme", "sam@mail.example").await;
    let globex = app.tenant_owned_by("globex", "sam@mail.example").await;
    app.domain(&acme, "email", "mail.example", false).await;
    let answer = app
        .try_sign_in("localhost", "sam@mail.example", PASSWORD)
        .await;
    answer.problem(409, "tenant_selection_required");
    app.domain(&globex, "email", "other.example", true).await;
    let sql = "UPDATE tenant_domains SET verified_at = created_at, next_check_at = created_at WHERE domain = 'mail.example'";
    app.control().damage(sql).await.unwrap();
    let answer = app
        .try_sign_in("localhost", "Sam@Mail.Example", PASSWORD)
        .await;
    is_login_answer(&answer.ok(200), Some(&acme));
    // A mail domain is no host.
    app.get("/api/v1/auth/me")
        .host("mail.example")
        .send()
        .await
        .problem(404, "tenant_not_found");
}

on_both!(a_proven_mail_domain_decides_and_an_unproven_one_does_not);

#[tokio::test]
async fn the_first_password_must_be_changed_where_it_was_generated() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme").await;
    app.person(&acme, "new@acme.example", Role::Member, true)
        .await;
    let signed = app.sign_in(&acme.host, "new@acme.example").await;
    assert_eq!(signed.body["user"]["must_change_password"], true);
    assert_eq!(signed.body["user"]["first_login"], true);
}

async fn tries_are_limited(options: Options) {
    let app = AppOptions::over(options).start().await;
    let acme = app.tenant("acme").await;
    for email in [acme.owner.as_str(), "nobody@acme.example"] {
        for _ in 0..5 {
            let answer = app
                .try_sign_in(&acme.host, email, "wrong wrong wrong")
                .await;
            answer.problem(401, "invalid_credentials");
        }
        let answer = app
            .try_sign_in(&acme.host, email, "wrong wrong wrong")
            .await;
        answer.problem(429, "rate_limited");
        assert_eq!(answer.header("retry-after"), Some("15"));
        // Also the right one waits, or the answer would tell that it was right.
        let answer = app.try_sign_in(&acme.host, email, PASSWORD).await;
        answer.problem(429, "rate_limited");
    }
    // Somebody else in the tenant does not.
    app.person(&acme, "calm@acme.example", Role::Member, false)
        .await;
    app.sign_in(&acme.host, "calm@acme.example").await;
    app.clock().advance(std::time::Duration::from_secs(15));
    app.sign_in(&acme.host, &acme.owner).await;
}

#[tokio::test]
async fn wrong_tries_are_limited_for_known_and_unknown_alike() {
    Box::pin(tries_are_limited(Options::sqlite())).await;
}

#[tokio::test]
async fn wrong_tries_are_limited_for_known_and_unknown_alike_with_postgres() {
    Box::pin(tries_are_limited(Options::postgres())).await;
}

#[tokio::test]
async fn a_sign_in_under_hints_that_agree_is_one_in_that_tenant() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme").await;
    let body = json!({ "email": acme.owner, "password": PASSWORD });
    let call = app
        .post("/api/v1/auth/login?tenant_id=acme")
        .host(&acme.host);
    let answer = call
        .header("x-tenant-id", &acme.id)
        .json(&body)
        .send()
        .await;
    let signed = SignIn::of(answer.ok(200));
    assert_eq!(signed.body["tenant"]["id"], acme.id);
}
