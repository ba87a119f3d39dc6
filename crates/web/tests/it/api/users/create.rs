//! Adding people, and listing them.

use serde_json::{Value, json};
use tenantry_testkit::app::TestApp;
use tenantry_testkit::service::PASSWORD;

use super::{FIELDS, add};
use crate::shape::{has_fields, is_id, is_time};

async fn people_are_added_in_each_way_and_listed_page_by_page(app: TestApp) {
    let acme = app.tenant("acme").await;
    let access = app.sign_in(&acme.host, &acme.owner).await.access;
    let create = async |body: Value| {
        let call = app.post("/api/v1/users").bearer(&access).json(&body);
        call.send().await
    };
    let invited = json!({
        "email": "Ada@acme.example", "username": "ada", "full_name": "Ada Lovelace", "role": "admin",
    });
    let ada = create(invited).await.ok(201);
    has_fields(&ada, FIELDS);
    is_id(&ada["id"]);
    is_time(&ada["created_at"]);
    assert_eq!(
        (&ada["email"], &ada["role"], &ada["disabled"]),
        (&json!("Ada@acme.example"), &json!("admin"), &json!(false))
    );
    assert_eq!(ada["last_login_at"], json!(null));
    let token = app.inner().mails().await.unwrap();
    let mail = token.iter().find(|mail| mail.to == "Ada@acme.example");
    assert!(
        mail.unwrap()
            .text
            .as_deref()
            .unwrap()
            .contains("/setup/password/")
    );

    let generated =
        json!({ "email": "sam@acme.example", "role": "member", "generate_password": true });
    let answer = create(generated).await;
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let sam = answer.ok(201);
    let mut expected = FIELDS.to_vec();
    expected.push("password");
    has_fields(&sam, &expected);
    assert_eq!(sam["must_change_password"], json!(true));
    let password = sam["password"].as_str().unwrap();
    let signed_in = app
        .try_sign_in(&acme.host, "sam@acme.example", password)
        .await;
    let body = signed_in.ok(200);
    assert_eq!(body["user"]["must_change_password"], json!(true));
    // Nothing else before that.
    let held = app
        .get("/api/v1/auth/sessions")
        .bearer(body["access_token"].as_str().unwrap());
    held.send().await.problem(403, "password_change_required");

    let given = add(&app, &access, "grace@acme.example", "member").await;
    has_fields(&given, FIELDS);
    app.sign_in(&acme.host, "grace@acme.example").await;

    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/api/v1/users?limit=2{cursor}");
        let page = app.get(&path).bearer(&access).send().await.ok(200);
        has_fields(&page, &["items", "next_cursor"]);
        for item in page["items"].as_array().unwrap() {
            has_fields(item, FIELDS);
            seen.push(item["email"].as_str().unwrap().to_owned());
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    seen.sort();
    assert_eq!(
        seen,
        [
            "Ada@acme.example",
            "grace@acme.example",
            "owner@acme.example",
            "sam@acme.example"
        ]
    );
}

async fn what_is_wrong_is_told_field_by_field(app: TestApp) {
    let acme = app.tenant("acme").await;
    let access = app.sign_in(&acme.host, &acme.owner).await.access;
    let create = async |body: Value| {
        let call = app.post("/api/v1/users").bearer(&access).json(&body);
        call.send().await
    };
    let wrong = json!({ "email": "no address", "username": "-", "role": "king" });
    create(wrong)
        .await
        .invalid(&["email:invalid", "username:invalid", "role:invalid"]);
    create(json!({ "email": "a@acme.example" }))
        .await
        .invalid(&["role:required"]);
    create(json!({ "email": "a@acme.example", "role": "member", "name": "A" }))
        .await
        .invalid(&["name:unknown_field"]);
    create(json!({ "email": "a@acme.example", "role": "platform_admin" }))
        .await
        .invalid(&["role:invalid"]);
    let both = json!({
        "email": "a@acme.example", "role": "member", "password": PASSWORD, "generate_password": true,
    });
    create(both).await.invalid(&["generate_password:invalid"]);
    create(json!({ "email": "a@acme.example", "role": "member", "password": "short" }))
        .await
        .invalid(&["password:too_short"]);
    create(json!({ "email": acme.owner.to_uppercase(), "role": "member" }))
        .await
        .problem(409, "email_taken");
    create(json!({ "email": "a@acme.example", "username": "OWNER", "role": "member" }))
        .await
        .problem(409, "username_taken");
}

on_both!(
    people_are_added_in_each_way_and_listed_page_by_page,
    what_is_wrong_is_told_field_by_field,
);
