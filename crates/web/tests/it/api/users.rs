//! `/api/v1/users`

mod create;
mod import;
mod one;
mod pin;

use serde_json::Value;
use tenantry_testkit::app::{Answer, TestApp};

/// What every person of a list or an answer has.
pub(super) const FIELDS: &[&str] = &[
    "created_at",
    "disabled",
    "email",
    "full_name",
    "id",
    "last_login_at",
    "must_change_password",
    "role",
    "username",
];

/// Adds somebody with a password that everybody in these tests has.
pub(super) async fn add(app: &TestApp, access: &str, email: &str, role: &str) -> Value {
    let body = serde_json::json!({
        "email": email, "role": role, "password": tenantry_testkit::service::PASSWORD,
    });
    let call = app.post("/api/v1/users").bearer(access).json(&body);
    call.send().await.ok(201)
}

/// Does something about one person.
pub(super) async fn on(
    app: &TestApp,
    access: &str,
    method: &str,
    person: &Value,
    body: Option<Value>,
) -> Answer {
    let path = format!("/api/v1/users/{}", person["id"].as_str().unwrap());
    let mut call = app.call(method, &path).bearer(access);
    if let Some(body) = body {
        call = call.json(&body);
    }
    call.send().await
}
