//! `POST /api/v1/tenants`

use serde_json::{Value, json};
use tenantry_testkit::app::{AppOptions, TestApp};
use tenantry_testkit::service::{Options, PASSWORD};

use super::{TENANTS, is_tenant, show};

fn body(slug: &str) -> Value {
    json!({
        "name": "Acme Bakery",
        "slug": slug,
        "owner": { "email": format!("ada@{slug}.example"), "password": PASSWORD },
    })
}

async fn count(app: &TestApp, table: &str) -> i64 {
    let sql = format!("SELECT COUNT(*) FROM {table}");
    app.control().number(&sql).await.unwrap()
}

async fn answers_once_people_can_get_in(app: TestApp) {
    let admin = app.admin().await.access;
    let full = json!({
        "name": "  Acme Bäckerei  ",
        "slug": "acme",
        "owner": {
            "email": "Ada@Acme.Example", "username": "ada", "full_name": "Ada Lovelace",
            "password": PASSWORD,
        },
        "isolation": "database",
        "cluster": "local",
        "registration": "open",
        "verify_email": false,
    });
    let answer = app.post(TENANTS).bearer(&admin).json(&full).send().await;
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let tenant = answer.ok(201);
    is_tenant(&tenant);
    assert_eq!(tenant["slug"], "acme");
    assert_eq!(tenant["code"], "TEN00001");
    assert_eq!(tenant["name"], "Acme Bäckerei");
    assert_eq!(tenant["status"], "active");
    assert_eq!(tenant["generation"], 1);
    assert_eq!(tenant["isolation"], "database");
    assert_eq!(tenant["cluster"], "local");
    assert_eq!(tenant["database"]["driver"], "sqlite");
    assert_eq!(
        (&tenant["database"]["host"], &tenant["database"]["port"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(tenant["domains"], json!([]));
    assert_eq!(tenant["url"], "http://acme.localhost:8000/");
    assert_eq!(
        (&tenant["registration"], &tenant["verify_email"]),
        (&json!("open"), &json!(false))
    );
    assert_eq!(
        (&tenant["deleted_at"], &tenant["purge_at"]),
        (&Value::Null, &Value::Null)
    );
    let signed = app.sign_in("acme.localhost", "ada@acme.example").await;
    assert_eq!(signed.body["user"]["full_name"], "Ada Lovelace");
    assert_eq!(signed.body["user"]["email"], "Ada@Acme.Example");
    // What is left out has its defaults.
    let tenant = app
        .post(TENANTS)
        .bearer(&admin)
        .json(&body("globex"))
        .send()
        .await
        .ok(201);
    is_tenant(&tenant);
    assert_eq!(tenant["code"], "TEN00002");
    assert_eq!(
        (&tenant["registration"], &tenant["verify_email"]),
        (&json!("closed"), &json!(true))
    );
}

on_both!(answers_once_people_can_get_in);

#[tokio::test]
async fn an_owner_without_a_password_gets_a_link_by_mail() {
    let app = TestApp::start().await;
    let admin = app.admin().await.access;
    let mut body = body("acme");
    body["owner"]["password"] = Value::Null;
    let answer = app.post(TENANTS).bearer(&admin).json(&body).send().await;
    let text = answer.text();
    answer.ok(201);
    let token = app
        .inner()
        .setup_token_from_mail("ada@acme.example")
        .await
        .unwrap();
    assert!(!text.contains(&token), "the link goes to the owner alone");
    let page = app
        .get(&format!("/setup/password/{token}"))
        .host("acme.localhost")
        .send()
        .await;
    assert_eq!(page.status, 200, "{}", page.text());
    let page = app.get(&format!("/setup/password/{token}")).send().await;
    assert_eq!(page.status, 200, "{}", page.text());
}

async fn says_everything_that_is_wrong_at_once_and_makes_nothing(app: TestApp) {
    let admin = app.admin().await.access;
    let wrong = json!({
        "name": "x",
        "slug": "Not A Slug",
        "owner": { "email": "nobody", "username": "a b", "full_name": "two\nlines" },
        "isolation": "cellar",
        "registration": "maybe",
    });
    let answer = app.post(TENANTS).bearer(&admin).json(&wrong).send().await;
    answer.invalid(&[
        "slug:invalid",
        "owner.username:invalid",
        "owner.email:invalid",
        "owner.full_name:invalid",
        "isolation:invalid",
        "registration:invalid",
    ]);
    for (field, value, errors) in [
        ("name", json!(" "), ["name:required"]),
        ("name", json!("n".repeat(121)), ["name:too_long"]),
        ("name", json!("a\u{0}b"), ["name:invalid"]),
        ("name", json!("a\nb"), ["name:invalid"]),
        ("cluster", json!("nowhere"), ["cluster:unknown"]),
        (
            "owner",
            json!({ "email": "a@b.example", "password": "short" }),
            ["owner.password:too_short"],
        ),
        (
            "owner",
            json!({ "email": "a@b.example", "password": "x".repeat(60_000) }),
            ["owner.password:too_long"],
        ),
    ] {
        let mut body = body("acme");
        body[field] = value;
        app.post(TENANTS)
            .bearer(&admin)
            .json(&body)
            .send()
            .await
            .invalid(&errors);
    }
    assert_eq!(
        (count(&app, "tenants").await, count(&app, "workflows").await),
        (0, 0)
    );
    let codes = app
        .post(TENANTS)
        .bearer(&admin)
        .json(&body("acme"))
        .send()
        .await
        .ok(201);
    assert_eq!(codes["code"], "TEN00001", "no number was used up");
}

on_both!(says_everything_that_is_wrong_at_once_and_makes_nothing);

async fn a_slug_is_taken_as_long_as_anything_of_its_tenant_is_there(app: TestApp) {
    let admin = app.admin().await.access;
    let create = async || {
        app.post(TENANTS)
            .bearer(&admin)
            .json(&body("acme"))
            .send()
            .await
    };
    let delete = async |more: &str| {
        let path = format!("{TENANTS}/acme?confirm=acme{more}");
        app.call("DELETE", &path)
            .bearer(&admin)
            .send()
            .await
            .ok(200)
    };
    let first = create().await.ok(201);
    create().await.problem(409, "slug_taken");
    delete("").await;
    create().await.problem(409, "slug_taken");
    delete("&purge=true").await;
    let second = create().await.ok(201);
    assert_ne!(first["id"], second["id"], "an id is never used again");
    assert_ne!(first["code"], second["code"], "nor a number");
    assert_eq!(second["generation"], 1);
}

on_both!(a_slug_is_taken_as_long_as_anything_of_its_tenant_is_there);

async fn asked_twice_under_one_key_it_is_made_once(app: TestApp) {
    let admin = app.admin().await.access;
    let create = async |key: &str, body: &Value| {
        let call = app
            .post(TENANTS)
            .bearer(&admin)
            .header("idempotency-key", key);
        call.json(body).send().await
    };
    let first = create("key one", &body("acme")).await.ok(201);
    let again = create("key one", &body("acme")).await.ok(201);
    assert_eq!(first, again);
    // Also spelt in another order.
    let reordered = format!(
        r#"{{"owner": {{"password": "{PASSWORD}", "email": "ada@acme.example"}}, "slug": "acme", "name": "Acme Bakery"}}"#
    );
    let call = app
        .post(TENANTS)
        .bearer(&admin)
        .header("idempotency-key", "key one");
    let again = call
        .body("application/json", reordered)
        .send()
        .await
        .ok(201);
    assert_eq!(first, again);
    create("key one", &body("globex"))
        .await
        .problem(409, "conflict");
    create("key two", &body("acme"))
        .await
        .problem(409, "slug_taken");
    create("key three", &body("globex")).await.ok(201);
    // Another admin's key is another key.
    app.platform_admin("second@platform.example").await;
    let other = app
        .sign_in("localhost", "second@platform.example")
        .await
        .access;
    let call = app
        .post(TENANTS)
        .bearer(&other)
        .header("idempotency-key", "key one");
    call.json(&body("initech")).send().await.ok(201);
    for key in ["", "\u{e4}", &"k".repeat(256)] {
        create(key, &body("umbrella"))
            .await
            .problem(400, "malformed_request");
    }
    // Two keys are none, also where they agree: another try may send them the other way round.
    for second in ["key one", "key nine"] {
        let call = app.post(TENANTS).bearer(&admin);
        let call = call
            .header("idempotency-key", "key one")
            .header("idempotency-key", second);
        let answer = call.json(&body("acme")).send().await;
        answer.problem(400, "malformed_request");
    }
    assert_eq!(count(&app, "tenants").await, 3);
    let kept = app.control().dump().await.unwrap().join("\n");
    assert!(!kept.contains("key one"), "a key is kept as a hash");
}

on_both!(asked_twice_under_one_key_it_is_made_once);

async fn of_many_at_once_one_gets_the_slug(app: TestApp) {
    let admin = app.admin().await.access;
    let mut calls = tokio::task::JoinSet::new();
    for number in 0..50 {
        let mut body = body("acme");
        body["owner"] = json!({ "email": format!("owner{number}@acme.example") });
        calls.spawn(app.post(TENANTS).bearer(&admin).json(&body).send());
    }
    let answers = calls.join_all().await;
    let made: Vec<Value> = answers
        .iter()
        .filter(|a| a.status == 201)
        .map(tenantry_testkit::app::Answer::json)
        .collect();
    assert_eq!(made.len(), 1);
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        answer.problem(409, "slug_taken");
    }
    assert_eq!(
        (count(&app, "tenants").await, count(&app, "workflows").await),
        (1, 1)
    );
    assert_eq!(
        (count(&app, "directory").await, count(&app, "outbox").await),
        (1, 1)
    );
    assert_eq!(super::databases(&app), 1);
    assert_eq!(show(&app, &admin, "acme").await, made[0]);
}

on_both!(of_many_at_once_one_gets_the_slug);

async fn of_many_at_once_under_one_key_all_get_the_same_tenant(app: TestApp) {
    let admin = app.admin().await.access;
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..10 {
        let call = app
            .post(TENANTS)
            .bearer(&admin)
            .header("idempotency-key", "one key");
        calls.spawn(call.json(&body("acme")).send());
    }
    let answers = calls.join_all().await;
    let made: Vec<Value> = answers.iter().map(|answer| answer.ok(201)).collect();
    assert!(made.iter().all(|tenant| *tenant == made[0]));
    assert_eq!(count(&app, "tenants").await, 1);
}

on_both!(of_many_at_once_under_one_key_all_get_the_same_tenant);

#[tokio::test]
async fn where_addresses_are_global_an_owner_is_in_one_tenant() {
    let options = Options::sqlite()
        .with_global_addresses()
        .without_rate_limits();
    let app = AppOptions::over(options).start().await;
    let admin = app.admin().await.access;
    app.post(TENANTS)
        .bearer(&admin)
        .json(&body("acme"))
        .send()
        .await
        .ok(201);
    let mut other = body("globex");
    other["owner"]["email"] = json!("ADA@acme.example");
    let answer = app.post(TENANTS).bearer(&admin).json(&other).send().await;
    answer.problem(409, "email_taken");
    assert_eq!(count(&app, "tenants").await, 1);
    // Under one name at the same time, one of them gets it and nothing is left of the others.
    let mut calls = tokio::task::JoinSet::new();
    for slug in ["one", "two", "three", "four"] {
        let mut body = body(slug);
        body["owner"]["email"] = json!("eve@example.com");
        calls.spawn(app.post(TENANTS).bearer(&admin).json(&body).send());
    }
    let answers = calls.join_all().await;
    assert_eq!(
        answers.iter().filter(|answer| answer.status == 201).count(),
        1
    );
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        answer.problem(409, "email_taken");
    }
    assert_eq!(count(&app, "tenants").await, 2);
    assert_eq!(count(&app, "directory").await, 2);
}
