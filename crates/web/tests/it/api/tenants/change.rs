//! `PATCH /api/v1/tenants/{tenant}`

use serde_json::{Value, json};
use tenantry_testkit::app::TestApp;

use super::{TENANTS, is_tenant, show};
use crate::shape::nobodys_id;

async fn changes_what_is_named_and_nothing_else(app: TestApp) {
    let admin = app.admin().await.access;
    app.tenant("acme").await;
    let patch = async |name: &str, body: Value| {
        let path = format!("{TENANTS}/{name}");
        app.call("PATCH", &path)
            .bearer(&admin)
            .json(&body)
            .send()
            .await
    };
    let before = show(&app, &admin, "acme").await;
    assert_eq!(patch("acme", json!({})).await.ok(200), before);
    let body = patch("acme", json!({ "name": " New name " })).await.ok(200);
    is_tenant(&body);
    let mut expected = before.clone();
    expected["name"] = json!("New name");
    assert_eq!(body, expected);
    let body = patch(
        "acme",
        json!({ "registration": "invite", "verify_email": false, "password_min_length": 12 }),
    )
    .await
    .ok(200);
    expected["registration"] = json!("invite");
    expected["verify_email"] = json!(false);
    expected["password_min_length"] = json!(12);
    assert_eq!(body, expected);
    let body = patch("acme", json!({ "password_min_length": null })).await;
    expected["password_min_length"] = Value::Null;
    assert_eq!(body.ok(200), expected);
    assert_eq!(show(&app, &admin, "acme").await, expected);

    for (wrong, fields) in [
        (json!({ "name": "" }), ["name:required"]),
        (json!({ "name": 1 }), ["name:invalid"]),
        (json!({ "name": "a\u{0}" }), ["name:invalid"]),
        (json!({ "registration": "maybe" }), ["registration:invalid"]),
        (json!({ "verify_email": "yes" }), ["verify_email:invalid"]),
        (
            json!({ "password_min_length": 7 }),
            ["password_min_length:invalid"],
        ),
        (
            json!({ "password_min_length": 1000 }),
            ["password_min_length:invalid"],
        ),
        (json!({ "slug": "other" }), ["slug:unknown_field"]),
        (
            json!({ "isolation": "shared" }),
            ["isolation:unknown_field"],
        ),
        (json!({ "cluster": "other" }), ["cluster:unknown_field"]),
        (json!({ "status": "suspended" }), ["status:unknown_field"]),
        (json!({ "generation": 7 }), ["generation:unknown_field"]),
    ] {
        patch("acme", wrong).await.invalid(&fields);
    }
    patch("nobody", json!({ "name": "x" }))
        .await
        .problem(404, "not_found");
    patch(&nobodys_id(), json!({ "name": "x" }))
        .await
        .problem(404, "not_found");
    assert_eq!(show(&app, &admin, "acme").await, expected);
}

on_both!(changes_what_is_named_and_nothing_else);
