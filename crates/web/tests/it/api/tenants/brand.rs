//! Colour, logo and owner of any tenant, for platform admins.

use serde_json::{Value, json};
use tenantry_core::Role;
use tenantry_testkit::app::TestApp;
use tenantry_testkit::service::PASSWORD;

use super::{TENANTS, is_tenant, show};
use crate::api::tenant::{path, png};

#[tokio::test]
async fn a_tenant_begins_with_a_colour_and_gets_a_logo() {
    let app = TestApp::start().await;
    let admin = app.admin().await.access;
    let create = |colour: &str| {
        let body = json!({
            "name": "Acme", "slug": "acme", "colour": colour,
            "owner": { "email": "ada@acme.example", "password": PASSWORD },
        });
        app.post(TENANTS).bearer(&admin).json(&body).send()
    };
    create("yellow").await.invalid(&["colour:invalid"]);
    let made = create("#ffff00").await.ok(201);
    is_tenant(&made);
    assert_eq!(
        (&made["colour"], &made["logo_url"]),
        (&json!("#ffff00"), &Value::Null)
    );

    let logo = format!("{TENANTS}/acme/logo");
    let put = app.call("PUT", &logo).bearer(&admin);
    let set = put.body("image/png", png(1)).send().await.ok(200);
    is_tenant(&set);
    let served = app.get(&path(&set["logo_url"])).send().await;
    assert_eq!(served.body, png(1));
    let change = app.call("PATCH", &format!("{TENANTS}/acme")).bearer(&admin);
    let changed = change.json(&json!({ "colour": null })).send().await.ok(200);
    assert_eq!(changed["colour"], Value::Null);
    assert_eq!(changed["logo_url"], set["logo_url"]);
    let gone = app.call("DELETE", &logo).bearer(&admin).send().await;
    assert_eq!(gone.status, 204);
    assert_eq!(show(&app, &admin, "acme").await["logo_url"], Value::Null);
    let nobody = format!("{TENANTS}/nobody/logo");
    let put = app.call("PUT", &nobody).bearer(&admin);
    let put = put.body("image/png", png(1)).send().await;
    put.problem(404, "not_found");
}

#[tokio::test]
async fn somebody_is_named_as_owner() {
    let app = TestApp::start().await;
    let admin = app.admin().await.access;
    let acme = app.tenant("acme").await;
    app.person(&acme, "sam@acme.example", Role::Member, false)
        .await;
    let path = format!("{TENANTS}/acme");
    let patch = |body: Value| app.call("PATCH", &path).bearer(&admin).json(&body).send();
    let owner = json!({ "owner": { "email": "sam@acme.example" } });
    let before = show(&app, &admin, "acme").await;
    assert_eq!(patch(owner.clone()).await.ok(200), before);
    assert_eq!(patch(owner).await.ok(200), before);
    let sam = app.sign_in(&acme.host, "sam@acme.example").await;
    assert_eq!(sam.body["user"]["role"], "owner");
    let new = json!({ "owner": { "email": "grace@acme.example", "username": "grace" } });
    patch(new).await.ok(200);
    let people = app
        .get("/api/v1/users")
        .host(&acme.host)
        .bearer(&sam.access);
    let people = people.send().await.ok(200);
    let roles: Vec<_> = people["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            (
                one["email"].as_str().unwrap(),
                one["role"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        roles,
        [
            (acme.owner.as_str(), "owner"),
            ("sam@acme.example", "owner"),
            ("grace@acme.example", "owner"),
        ]
    );
    let mails = app.inner().mails().await.unwrap();
    assert!(mails.iter().any(|mail| mail.to == "grace@acme.example"));

    for (wrong, field) in [
        (
            json!({ "owner": { "email": "nowhere" } }),
            "owner.email:invalid",
        ),
        (json!({ "owner": {} }), "owner.email:required"),
        (json!({ "owner": [] }), "owner:invalid"),
        (
            json!({ "owner": { "email": "new@acme.example", "password": "short" } }),
            "owner.password:too_short",
        ),
        (
            json!({ "owner": { "email": "new@acme.example", "name": "x" } }),
            "owner.name:unknown_field",
        ),
    ] {
        patch(wrong).await.invalid(&[field]);
    }
    let taken = json!({ "owner": { "email": "new@acme.example", "username": "Grace" } });
    patch(taken).await.problem(409, "username_taken");
}
