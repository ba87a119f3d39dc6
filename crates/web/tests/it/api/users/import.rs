//! `POST /api/v1/users/import`

use serde_json::{Value, json};
use tenantry_core::Role;
use tenantry_testkit::app::TestApp;

use crate::shape::has_fields;

const IMPORT: &str = "/api/v1/users/import";
const TYPE: &str = "application/x-ndjson";

/// `rasmuslerdorf`, from PHP's manual.
const HASH: &str = "$2y$10$.vGA1O9wmRjrwAVXD98HNOgsNpDczlqm3Jq7KnEd1rVAGv3Fykk1a";

fn line(email: &str, more: &Value) -> String {
    let mut line = json!({ "email": email, "password_hash": HASH });
    for (name, value) in more.as_object().into_iter().flatten() {
        line[name] = value.clone();
    }
    format!("{line}\n")
}

async fn people_come_line_by_line(app: TestApp) {
    let tenant = app.tenant_owned_by("acme", "ada@example.org").await;
    let host = app.host("acme");
    app.person(&tenant, "bob@example.org", Role::Admin, false)
        .await;
    app.person(&tenant, "eve@example.org", Role::Member, false)
        .await;
    let owner = app.sign_in(&host, "ada@example.org").await.access;
    let admin = app.sign_in(&host, "bob@example.org").await.access;
    let member = app.sign_in(&host, "eve@example.org").await.access;
    let import = async |token: &str, body: String| {
        let call = app.post(IMPORT).bearer(token).body(TYPE, body);
        call.send().await
    };
    let body = line(
        "one@example.org",
        &json!({ "username": "one", "role": "admin" }),
    ) + "\r\n"
        + "{\n"
        + &line("two@example.org", &json!({ "password": "x" }))
        + &line("BOB@example.org", &json!({}))
        + line("three@example.org", &json!({ "full_name": "Thr ee" })).trim_end();
    let answer = import(&owner, body).await.ok(200);
    has_fields(&answer, &["imported", "skipped", "failed", "errors"]);
    let counts = json!([answer["imported"], answer["skipped"], answer["failed"]]);
    assert_eq!(counts, json!([2, 1, 2]));
    let errors = answer["errors"].as_array().unwrap();
    let told: Vec<_> = errors
        .iter()
        .map(|error| (&error["line"], &error["code"]))
        .collect();
    assert_eq!(
        told,
        [
            (&json!(3), &json!("malformed")),
            (&json!(4), &json!("unknown_field"))
        ]
    );
    for error in errors {
        has_fields(error, &["line", "code", "message"]);
    }
    let signed_in = app
        .try_sign_in(&host, "one@example.org", "rasmuslerdorf")
        .await;
    assert_eq!(signed_in.ok(200)["user"]["role"], "admin");

    // An admin makes nobody an owner; a member nobody at all.
    let promoted = line("four@example.org", &json!({ "role": "owner" }));
    let answer = import(&admin, promoted.clone()).await.ok(200);
    assert_eq!(answer["errors"][0]["code"], "forbidden");
    import(&member, promoted).await.problem(403, "forbidden");
    assert_eq!(import(&owner, String::new()).await.ok(200)["imported"], 0);
}

async fn a_body_is_of_one_type_and_no_longer_than_it_may_be(app: TestApp) {
    app.tenant_owned_by("acme", "ada@example.org").await;
    let host = app.host("acme");
    let owner = app.sign_in(&host, "ada@example.org").await.access;
    let one = line("one@example.org", &json!({}));
    for wrong in ["application/json", "text/plain"] {
        let call = app.post(IMPORT).bearer(&owner).body(wrong, one.clone());
        call.send().await.problem(400, "malformed_request");
    }
    // Refused before anything of it is done.
    let long = one + &" ".repeat(8 * 1024 * 1024);
    let call = app.post(IMPORT).bearer(&owner).body(TYPE, long);
    call.send().await.problem(413, "payload_too_large");
    let refused = app
        .try_sign_in(&host, "one@example.org", "rasmuslerdorf")
        .await;
    refused.problem(401, "invalid_credentials");
    // Longer than other bodies may be.
    let many: String = (0..700)
        .map(|number| line(&format!("p{number}@example.org"), &json!({})))
        .collect();
    assert!(many.len() > 64 * 1024);
    let call = app.post(IMPORT).bearer(&owner).body(TYPE, many);
    assert_eq!(call.send().await.ok(200)["imported"], 700);
}

on_both!(
    people_come_line_by_line,
    a_body_is_of_one_type_and_no_longer_than_it_may_be
);
