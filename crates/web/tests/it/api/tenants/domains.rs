//! `/api/v1/tenants/{tenant}/domains`

use serde_json::{Value, json};
use tenantry_testkit::app::{AppOptions, TestApp};
use tenantry_testkit::dns::NameServer;
use tenantry_testkit::service::Options;

use crate::shape::{has_fields, is_time};

const DOMAIN: &[&str] = &[
    "domain",
    "kind",
    "verified",
    "verified_at",
    "created_at",
    "checked_at",
    "problem",
    "failing_since",
    "publish",
];

async fn with_names() -> (TestApp, NameServer) {
    let names = NameServer::start().await.unwrap();
    let service = Options::sqlite()
        .without_rate_limits()
        .with_names(&names, 1);
    (AppOptions::over(service).start().await, names)
}

#[tokio::test]
async fn a_domain_is_claimed_proven_and_given_up() {
    let (app, names) = with_names().await;
    let acme = app.tenant("acme").await;
    let admin = app.admin().await.access;
    let call = |method: &str, path: &str| {
        let path = format!("/api/v1/tenants/acme/domains{path}");
        app.call(method, &path).bearer(&admin)
    };
    let added = call("POST", "").json(&json!({ "domain": "Shop.example." }));
    let added = added.send().await.ok(201);
    has_fields(&added, DOMAIN);
    is_time(&added["created_at"]);
    has_fields(&added["publish"], &["record", "value", "file"]);
    assert_eq!(
        (&added["domain"], &added["kind"], &added["verified"]),
        (&json!("shop.example"), &json!("host"), &json!(false))
    );
    assert_eq!(added["publish"]["record"], "_tenantry.shop.example");
    let login = || {
        app.try_sign_in(
            "shop.example",
            &acme.owner,
            tenantry_testkit::service::PASSWORD,
        )
    };
    login().await.problem(404, "tenant_not_found");
    let verify = call("POST", "/shop.example/verify").send().await.ok(200);
    assert_eq!(
        (&verify["verified"], &verify["problem"]),
        (&json!(false), &json!("missing"))
    );
    login().await.problem(404, "tenant_not_found");
    let value = added["publish"]["value"].as_str().unwrap();
    names.publish("_tenantry.shop.example", &[value]);
    let verify = call("POST", "/SHOP.example/verify").send().await.ok(200);
    assert_eq!(verify["verified"], true);
    is_time(&verify["verified_at"]);
    login().await.ok(200);
    let tenant = app.get("/api/v1/tenants/acme").bearer(&admin).send().await;
    let tenant = tenant.ok(200);
    assert_eq!(tenant["domains"], json!(["shop.example"]));
    assert_eq!(tenant["unproven_domains"], json!([]));

    let mail = json!({ "domain": "shop.example", "kind": "email" });
    let mail = call("POST", "").json(&mail).send().await.ok(201);
    assert_eq!(mail["publish"]["file"], Value::Null);
    let listed = call("GET", "").send().await.ok(200);
    let kinds: Vec<&Value> = listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["kind"])
        .collect();
    assert_eq!(kinds, ["email", "host"]);
    assert_eq!(
        call("DELETE", "/shop.example?kind=email")
            .send()
            .await
            .status,
        204
    );
    call("DELETE", "/shop.example?kind=email")
        .send()
        .await
        .problem(404, "not_found");
    login().await.ok(200);
    assert_eq!(call("DELETE", "/shop.example").send().await.status, 204);
    login().await.problem(404, "tenant_not_found");
}

#[tokio::test]
async fn what_can_not_be_claimed_is_told() {
    let (app, names) = with_names().await;
    app.tenant("acme").await;
    app.tenant("globex").await;
    let admin = app.admin().await.access;
    let add = async |tenant: &str, body: Value| {
        let path = format!("/api/v1/tenants/{tenant}/domains");
        app.post(&path).bearer(&admin).json(&body).send().await
    };
    for (body, field, code) in [
        (json!({ "domain": "acme.localhost" }), "domain", "reserved"),
        (
            json!({ "domain": "gmail.com", "kind": "email" }),
            "domain",
            "public_mail",
        ),
        (json!({ "domain": "10.0.0.1" }), "domain", "invalid"),
        (
            json!({ "domain": "shop.example", "kind": "web" }),
            "kind",
            "invalid",
        ),
        (
            json!({ "domain": "shop.example", "type": "host" }),
            "type",
            "unknown_field",
        ),
        (json!({}), "domain", "required"),
    ] {
        let problem = add("acme", body.clone())
            .await
            .problem(422, "validation_failed");
        let error = &problem["errors"][0];
        assert_eq!(
            (&error["field"], &error["code"]),
            (&json!(field), &json!(code)),
            "{body}"
        );
    }
    add("nobody-here", json!({ "domain": "shop.example" }))
        .await
        .problem(404, "not_found");
    // Claimed by both, proven by one, taken for the other.
    let shop = json!({ "domain": "shop.example" });
    let first = add("acme", shop.clone()).await.ok(201);
    add("globex", shop.clone()).await.ok(201);
    let value = first["publish"]["value"].as_str().unwrap();
    names.publish("_tenantry.shop.example", &[value]);
    let verify = app
        .post("/api/v1/tenants/acme/domains/shop.example/verify")
        .bearer(&admin);
    verify.send().await.ok(200);
    add("globex", shop).await.problem(409, "domain_taken");
    let owner =
        json!({ "email": "ada@example.org", "password": tenantry_testkit::service::PASSWORD });
    let body = json!({ "name": "Initech", "slug": "initech", "owner": owner, "domains": ["shop.example"] });
    let create = app.post("/api/v1/tenants").bearer(&admin).json(&body);
    create.send().await.problem(409, "domain_taken");
    let change = |domains: Value| {
        let call = app.call("PATCH", "/api/v1/tenants/globex").bearer(&admin);
        call.json(&json!({ "domains": domains }))
    };
    change(json!(["shop.example"]))
        .send()
        .await
        .problem(409, "domain_taken");
    let problem = change(json!(["a.example", "com"]))
        .send()
        .await
        .problem(422, "validation_failed");
    assert_eq!(problem["errors"][0]["field"], "domains[1]");
    let changed = change(json!(["b.example", "a.example"]))
        .send()
        .await
        .ok(200);
    assert_eq!(
        changed["unproven_domains"],
        json!(["a.example", "b.example"])
    );
    let changed = change(json!([])).send().await.ok(200);
    assert_eq!(changed["unproven_domains"], json!([]));
}

#[tokio::test]
async fn the_console_adds_verifies_and_removes() {
    let (app, names) = with_names().await;
    app.tenant("acme").await;
    app.admin().await;
    let cookie = app.cookie("localhost", "root@platform.example").await;
    let page = app
        .get("/admin/tenants/acme")
        .cookie(&cookie)
        .send()
        .await
        .text();
    let token = page.split("name=\"csrf_token\" value=\"").nth(1).unwrap();
    let token = token.split('"').next().unwrap().to_owned();
    let send = async |act: &str, domain: &str, kind: &str| {
        let fields = [
            ("csrf_token", token.as_str()),
            ("domain", domain),
            ("kind", kind),
        ];
        let call = app
            .post(&format!("/admin/tenants/acme/domains{act}"))
            .cookie(&cookie);
        call.form(&fields).send().await
    };
    let added = send("", "shop.example", "host").await;
    assert_eq!(added.status, 200, "{}", added.text());
    let shown = added.text();
    assert!(shown.contains("_tenantry.shop.example"), "{shown}");
    let value = shown.split("tenantry-verification=").nth(1).unwrap();
    let value = format!("tenantry-verification={}", value.split('<').next().unwrap());
    let refused = send("", "gmail.com", "email").await;
    assert_eq!(refused.status, 422);
    assert!(refused.text().contains("value=\"gmail.com\""));
    let unfound = send("/verify", "shop.example", "host").await.text();
    assert!(unfound.contains("The proof was not found."), "{unfound}");
    names.publish("_tenantry.shop.example", &[&value]);
    let verified = send("/verify", "shop.example", "host").await.text();
    assert!(verified.contains("The domain is verified."), "{verified}");
    assert!(
        verified.contains("http://shop.example:8000"),
        "the tenant's address"
    );
    let removed = send("/remove", "shop.example", "host").await.text();
    assert!(!removed.contains("_tenantry.shop.example"), "{removed}");
    assert_eq!(send("/remove", "shop.example", "host").await.status, 404);
}
