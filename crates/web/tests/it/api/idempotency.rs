//! `Idempotency-Key` on every create but that of a tenant, which has its own tests.

use std::time::Duration;

use serde_json::{Value, json};
use tenantry_core::Role;
use tenantry_core::application::Signup;
use tenantry_service::idempotency::{Caller, Once};
use tenantry_testkit::app::{AppOptions, Call, TestApp};
use tenantry_testkit::service::{Options, PASSWORD};

use crate::census::audit::Watch;

const KEY: &str = "idempotency-key";
const ADA: &str = "ada@example.org";

/// A create: its path, whether a platform admin calls it, the body, and another body that would do
/// too.
struct Create {
    path: &'static str,
    by_platform: bool,
    body: Value,
    other: Value,
    table: &'static str,
}

fn creates() -> Vec<Create> {
    let create = |path, by_platform, body, other, table| Create {
        path,
        by_platform,
        body,
        other,
        table,
    };
    let person = |name: &str| {
        json!({
            "email": format!("{name}@acme.example"), "role": "member", "generate_password": true,
        })
    };
    let hook = |name: &str| json!({ "url": format!("https://{name}.example/") });
    let device = |name: &str| json!({ "name": name });
    let domain = |name: &str| json!({ "domain": name });
    vec![
        create(
            "/api/v1/users",
            false,
            person("one"),
            person("two"),
            "directory",
        ),
        create("/api/v1/devices", false, device("Till"), device("Bar"), ""),
        create(
            "/api/v1/webhooks",
            true,
            hook("one"),
            hook("two"),
            "webhooks",
        ),
        create(
            "/api/v1/tenants/acme/domains",
            true,
            domain("one.example"),
            domain("two.example"),
            "tenant_domains",
        ),
    ]
}

async fn count(app: &TestApp, table: &str) -> i64 {
    if table.is_empty() {
        return 0;
    }
    let sql = format!("SELECT COUNT(*) FROM {table}");
    app.control().number(&sql).await.unwrap()
}

async fn the_same_request_is_done_once(app: TestApp) {
    let acme = app.tenant("acme").await;
    app.person(&acme, "bob@acme.example", Role::Owner, false)
        .await;
    let owner = app.sign_in(&acme.host, &acme.owner).await.access;
    let other_owner = app.sign_in(&acme.host, "bob@acme.example").await.access;
    let admin = app.admin().await.access;
    app.platform_admin("second@platform.example").await;
    let second = app.sign_in("localhost", "second@platform.example").await;
    let mut watch = Watch::begin(&app).await;
    let mut shown = Vec::new();
    for create in creates() {
        let (mine, others) = if create.by_platform {
            (&admin, &second.access)
        } else {
            (&owner, &other_owner)
        };
        let ask = async |token: &str, key: &str, body: &Value| {
            let call = app.post(create.path).bearer(token).header(KEY, key);
            call.json(body).send().await
        };
        // A caller's key is one over all routes.
        let one = format!("key one {}", create.path);
        let before = count(&app, create.table).await;
        let first = ask(mine, &one, &create.body).await;
        assert!(matches!(first.status, 201 | 202), "{}", first.text());
        let made = count(&app, create.table).await;
        let again = ask(mine, &one, &create.body).await;
        assert_eq!((again.status, again.text()), (first.status, first.text()));
        assert_eq!(again.header("content-type"), first.header("content-type"));
        assert_eq!(again.header("cache-control"), first.header("cache-control"));
        // However it is written.
        let spaced = serde_json::to_string_pretty(&create.body).unwrap();
        let call = app.post(create.path).bearer(mine).header(KEY, &one);
        let again = call.body("application/json", spaced).send().await;
        assert_eq!((again.status, again.text()), (first.status, first.text()));
        assert_eq!(count(&app, create.table).await, made, "{}", create.path);
        assert!(made > before || create.table.is_empty(), "{}", create.path);
        Watch::only(watch.fresh(&app).await, create.path);

        let refused = ask(mine, &one, &create.other).await;
        refused.problem(409, "conflict");
        assert!(watch.fresh(&app).await.is_empty(), "nothing was done");
        // Another caller's key of the same name is another key, and so is another name.
        let by_other = ask(others, &one, &create.other).await;
        assert_eq!(by_other.status, first.status, "{}", by_other.text());
        assert_ne!(by_other.text(), first.text());
        let done = ask(mine, &format!("key two {}", create.path), &create.other)
            .await
            .status;
        let known = matches!(done, 201 | 202 | 409);
        assert!(known, "{done}");
        let _ = watch.fresh(&app).await;
        shown.push(first.json());
    }
    let listed = app
        .get("/api/v1/devices")
        .bearer(&owner)
        .send()
        .await
        .ok(200);
    assert_eq!(listed["items"].as_array().unwrap().len(), 3);
    // What is shown once is not kept in clear, nor is a key.
    let kept = app.control().dump().await.unwrap().join("\n");
    let secrets = [
        &shown[0]["password"],
        &shown[1]["device_token"],
        &shown[2]["secret"],
        &json!("key one"),
    ];
    for secret in secrets {
        assert!(!kept.contains(secret.as_str().unwrap()), "{secret}");
    }
}

fn device(app: &TestApp, owner: &str, key: &str, name: &str) -> Call {
    let call = app.post("/api/v1/devices").bearer(owner).header(KEY, key);
    call.json(&json!({ "name": name }))
}

async fn a_refusal_gives_the_key_back(app: TestApp) {
    let acme = app.tenant("acme").await;
    let owner = app.sign_in(&acme.host, &acme.owner).await.access;
    let ask = async |name: &str| device(&app, &owner, "key", name).send().await;
    ask("").await.invalid(&["name:invalid"]);
    let made = ask("Till").await.ok(201);
    ask("").await.problem(409, "conflict");
    assert_eq!(ask("Till").await.ok(201), made);
    for key in ["", "\u{e4}", &"k".repeat(256)] {
        let call = device(&app, &owner, key, "Till");
        call.send().await.problem(400, "malformed_request");
    }
    let twice = device(&app, &owner, "key", "Till").header(KEY, "key");
    twice.send().await.problem(400, "malformed_request");
    // Whoever may not do it is answered so, whatever was answered before.
    app.person(&acme, "eve@acme.example", Role::Member, false)
        .await;
    let eve = app.sign_in(&acme.host, "eve@acme.example").await.access;
    let call = device(&app, &eve, "key", "Till");
    call.send().await.problem(403, "forbidden");
}

async fn many_at_once_are_done_once(app: TestApp) {
    let acme = app.tenant("acme").await;
    let owner = app.sign_in(&acme.host, &acme.owner).await.access;
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..10 {
        calls.spawn(device(&app, &owner, "key", "Till").send());
    }
    let made = device(&app, &owner, "key", "Till");
    let answers = calls.join_all().await;
    let made = made.send().await.ok(201);
    for answer in answers {
        if answer.status == 201 {
            assert_eq!(answer.json(), made);
        } else {
            answer.problem(409, "conflict");
            assert_eq!(answer.header("retry-after"), Some("1"));
        }
    }
    let listed = app
        .get("/api/v1/devices")
        .bearer(&owner)
        .send()
        .await
        .ok(200);
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
}

on_both!(
    the_same_request_is_done_once,
    a_refusal_gives_the_key_back,
    many_at_once_are_done_once
);

#[tokio::test]
async fn what_broke_off_is_not_done_again_and_a_key_is_new_after_a_day() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme").await;
    let ask = async |name: &str| {
        let owner = app.sign_in(&acme.host, &acme.owner).await.access;
        device(&app, &owner, "key", name).send().await
    };
    let first = ask("Till").await.ok(201);
    let lost = "UPDATE idempotent_answers SET answer = NULL";
    assert_eq!(app.control().damage(lost).await.unwrap(), 1);
    let under_way = ask("Till").await;
    under_way.problem(409, "conflict");
    assert_eq!(under_way.header("retry-after"), Some("1"));
    app.clock().advance(Duration::from_mins(3));
    let broken = ask("Till").await;
    let told = broken.problem(409, "conflict");
    assert_eq!(broken.header("retry-after"), None);
    assert!(told["detail"].as_str().unwrap().contains("broke off"));
    // Also where nobody swept meanwhile.
    app.clock().advance(Duration::from_hours(24));
    let second = ask("Bar").await.ok(201);
    assert_ne!(first["id"], second["id"]);
    assert_eq!(count(&app, "idempotent_answers").await, 1);
    app.clock().advance(Duration::from_hours(25));
    app.service().sweep().await.unwrap();
    assert_eq!(count(&app, "idempotent_answers").await, 0);
}

#[tokio::test]
async fn whoever_registers_is_told_the_same_at_home_alone() {
    let app = TestApp::start().await;
    let admin = app.admin().await.access;
    for slug in ["acme", "globex"] {
        app.tenant(slug).await;
        let call = app.call("PATCH", &format!("/api/v1/tenants/{slug}"));
        let change = json!({ "registration": "open", "verify_email": false });
        call.bearer(&admin).json(&change).send().await.ok(200);
    }
    let ask = async |slug: &str, password: &str| {
        let grace =
            json!({ "username": "grace", "email": "grace@example.org", "password": password });
        let call = app.post("/api/v1/auth/register").host(&app.host(slug));
        call.header(KEY, "key").json(&grace).send().await
    };
    let first = ask("acme", PASSWORD).await.ok(201);
    assert_eq!(ask("acme", PASSWORD).await.ok(201), first);
    // Who does not know the password learns nothing of the answer.
    let guess = ask("acme", "another horse battery").await;
    guess.problem(409, "conflict");
    let elsewhere = ask("globex", PASSWORD).await.ok(201);
    assert_ne!(elsewhere["access_token"], first["access_token"]);
    // The tokens are in no row.
    let kept = app.control().dump().await.unwrap().join("\n");
    for token in ["access_token", "refresh_token"] {
        assert!(!kept.contains(first[token].as_str().unwrap()), "{token}");
    }
    // From another network it is another key.
    let resolved = |slug: &str| tenantry_service::resolve::Hints {
        host: Some(app.host(slug)),
        ..Default::default()
    };
    let acme = app.service().resolve(&resolved("acme")).await.unwrap();
    for (ip, expected) in [
        ("192.0.2.1", true),
        ("192.0.2.1", false),
        ("192.0.2.2", true),
    ] {
        let caller = Caller {
            principal: None,
            tenant: &acme,
            ip: Some(ip.parse().unwrap()),
        };
        let once = app.service().begin_once(&caller, "key", "request").await;
        assert_eq!(matches!(once, Ok(Once::First(_))), expected, "{ip}");
    }
    // With the tenant goes what was answered to its people.
    let purge = app.call("DELETE", "/api/v1/tenants/acme?confirm=acme&purge=true");
    purge.bearer(&admin).send().await.ok(200);
    assert_eq!(count(&app, "idempotent_answers").await, 1);
}

#[tokio::test]
async fn an_approval_that_is_asked_for_again_is_answered_alike() {
    let service = Options::sqlite()
        .without_rate_limits()
        .with_signup(Signup::Apply);
    let app = AppOptions::over(service).start().await;
    let admin = app.admin().await.access;
    let wish = json!({ "name": "Acme", "slug": "acme", "email": ADA });
    let all = "/api/v1/tenant-applications";
    let wishing = async || {
        let call = app.post(all).header(KEY, "wish").json(&wish);
        call.send().await.ok(202)
    };
    assert_eq!(wishing().await, wishing().await);
    let mails = app.inner().mails().await.unwrap();
    assert_eq!(mails.len(), 1, "it was written down once");
    let text = mails[0].text.as_deref().unwrap();
    let token = tenantry_testkit::service::link_token(text, "/signup/").unwrap();
    let confirm = app.post(&format!("{all}/confirm"));
    confirm
        .json(&json!({ "token": token }))
        .send()
        .await
        .ok(200);
    let listed = app.get(all).bearer(&admin).send().await.ok(200);
    let path = format!(
        "{all}/{}/approve",
        listed["items"][0]["id"].as_str().unwrap()
    );
    let approve = async |key: &str| {
        let call = app.post(&path).bearer(&admin).header(KEY, key);
        call.send().await
    };
    let made = approve("key").await.ok(200);
    assert_eq!(approve("key").await.ok(200), made);
    approve("another").await.problem(409, "conflict");
}
