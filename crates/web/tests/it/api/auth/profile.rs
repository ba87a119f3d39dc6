//! `PATCH /api/v1/auth/me`

use serde_json::{Value, json};
use tenantry_testkit::app::TestApp;

use crate::shape::has_fields;

async fn names_change_and_an_address_waits_for_its_proof(app: TestApp) {
    let acme = app.tenant("acme").await;
    let signed_in = app.sign_in(&acme.host, &acme.owner).await;
    let change = async |body: Value| {
        let call = app
            .call("PATCH", "/api/v1/auth/me")
            .bearer(&signed_in.access);
        call.json(&body).send().await
    };
    let named = json!({ "full_name": "Ada Lovelace", "username": "ada" });
    let me = change(named).await.ok(200);
    has_fields(
        &me,
        &[
            "email",
            "email_pending",
            "first_login",
            "full_name",
            "id",
            "must_change_password",
            "role",
            "tenant",
            "username",
        ],
    );
    assert_eq!(
        (&me["full_name"], &me["username"], &me["email_pending"]),
        (&json!("Ada Lovelace"), &json!("ada"), &json!(null))
    );
    let me = change(json!({ "email": "ada@new.example", "full_name": null })).await;
    let me = me.ok(200);
    assert_eq!(
        (&me["email"], &me["email_pending"], &me["full_name"]),
        (&json!(acme.owner), &json!("ada@new.example"), &json!(null))
    );
    change(json!({ "email": "nowhere", "username": "-" }))
        .await
        .invalid(&["username:invalid", "email:invalid"]);
    change(json!({ "name": "Ada" }))
        .await
        .invalid(&["name:unknown_field"]);
    app.sign_in(&acme.host, &acme.owner).await;

    let mails = app.inner().mails().await.unwrap();
    let mail = mails.iter().find(|mail| mail.to == "ada@new.example");
    let text = mail.unwrap().text.clone().unwrap();
    let path = text.split("/verify-email/").nth(1).unwrap();
    let path = path.split_whitespace().next().unwrap();
    let path = format!("/verify-email/{path}");
    // A scanner that follows links changes nothing.
    for _ in 0..2 {
        let page = app.get(&path).host(&acme.host).send().await;
        assert_eq!(page.status, 200);
        assert!(page.text().contains("ada@new.example"), "{}", page.text());
    }
    app.get(&path)
        .host(&app.tenant("globex").await.host)
        .send()
        .await;
    let (token, nonce) = crate::site::load(&app, &acme.host, "").await;
    let follow = async || {
        app.post(&path)
            .host(&acme.host)
            .header("cookie", &nonce)
            .form(&[("csrf_token", token.as_str())])
            .send()
            .await
    };
    let done = follow().await;
    assert_eq!(
        (done.status, done.location()),
        (303, "/login?reason=address_changed")
    );
    assert_eq!(follow().await.status, 400);
    app.sign_in("localhost", "ada@new.example").await;
    let me = app.get("/api/v1/auth/me").bearer(&signed_in.access);
    me.send().await.problem(401, "session_stale");
}

async fn an_admin_of_the_platform_has_a_name_only(app: TestApp) {
    let admin = app.admin().await;
    let call = app.call("PATCH", "/api/v1/auth/me").bearer(&admin.access);
    let body = json!({ "username": "root", "email": "root@new.example" });
    call.json(&body)
        .send()
        .await
        .invalid(&["username:not_changeable", "email:not_changeable"]);
    let call = app.call("PATCH", "/api/v1/auth/me").bearer(&admin.access);
    let me = call.json(&json!({ "full_name": "Root" })).send().await;
    assert_eq!(me.ok(200)["full_name"], json!("Root"));
}

on_both!(
    names_change_and_an_address_waits_for_its_proof,
    an_admin_of_the_platform_has_a_name_only,
);
