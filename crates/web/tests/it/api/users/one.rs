//! One person: shown, changed, removed, and to whom that is allowed.

use serde_json::json;
use tenantry_testkit::app::TestApp;

use super::{FIELDS, add, on};
use crate::shape::{has_fields, nobodys_id};

async fn a_person_is_changed_and_removed(app: TestApp) {
    let acme = app.tenant("acme").await;
    let access = app.sign_in(&acme.host, &acme.owner).await.access;
    let sam = add(&app, &access, "sam@acme.example", "member").await;
    let signed_in = app.sign_in(&acme.host, "sam@acme.example").await;
    let shown = on(&app, &access, "GET", &sam, None).await.ok(200);
    has_fields(&shown, FIELDS);
    assert!(shown["last_login_at"].is_string());

    let named = json!({ "username": "sam", "full_name": "Sam Okafor" });
    let changed = on(&app, &access, "PATCH", &sam, Some(named)).await.ok(200);
    assert_eq!(
        (&changed["username"], &changed["full_name"]),
        (&json!("sam"), &json!("Sam Okafor"))
    );
    // What is left out stays, and null takes away.
    let less = json!({ "username": null });
    let changed = on(&app, &access, "PATCH", &sam, Some(less)).await.ok(200);
    assert_eq!(
        (&changed["username"], &changed["full_name"]),
        (&json!(null), &json!("Sam Okafor"))
    );
    app.get("/api/v1/auth/me")
        .bearer(&signed_in.access)
        .send()
        .await
        .ok(200);

    let disabled = json!({ "disabled": true });
    let changed = on(&app, &access, "PATCH", &sam, Some(disabled))
        .await
        .ok(200);
    assert_eq!(changed["disabled"], json!(true));
    app.get("/api/v1/auth/me")
        .bearer(&signed_in.access)
        .send()
        .await
        .problem(401, "session_stale");
    let moved = json!({ "disabled": false, "email": "sam.o@acme.example", "role": "admin" });
    on(&app, &access, "PATCH", &sam, Some(moved)).await.ok(200);
    let admin = app.sign_in("localhost", "sam.o@acme.example").await;

    let path = format!("/api/v1/users/{}/sessions", sam["id"].as_str().unwrap());
    let ended = app.call("DELETE", &path).bearer(&access).send().await;
    assert_eq!(ended.ok(200), json!({ "sessions_cleared": 1 }));
    let stale = app.get("/api/v1/users").bearer(&admin.access);
    stale.send().await.problem(401, "session_stale");

    let gone = on(&app, &access, "DELETE", &sam, None).await;
    assert_eq!((gone.status, gone.text()), (204, String::new()));
    for method in ["GET", "DELETE"] {
        on(&app, &access, method, &sam, None)
            .await
            .problem(404, "not_found");
    }
}

async fn nobody_is_touched_by_whom_it_is_not_for(app: TestApp) {
    let acme = app.tenant("acme").await;
    let globex = app.tenant("globex").await;
    let access = app.sign_in(&acme.host, &acme.owner).await.access;
    let other = app.sign_in(&globex.host, &globex.owner).await.access;
    let sam = add(&app, &access, "sam@acme.example", "admin").await;
    let me = app.get("/api/v1/auth/me").bearer(&access).send().await;
    let owner = me.ok(200);
    let admin = app.sign_in(&acme.host, "sam@acme.example").await.access;

    // Another tenant's person answers exactly as nobody does.
    let nobody = json!({ "id": nobodys_id() });
    for (method, body) in [
        ("GET", None),
        ("PATCH", Some(json!({ "disabled": true }))),
        ("DELETE", None),
    ] {
        let strangers = on(&app, &other, method, &sam, body.clone()).await;
        let nobodys = on(&app, &other, method, &nobody, body).await;
        let (strangers, nobodys) = (
            strangers.problem(404, "not_found"),
            nobodys.problem(404, "not_found"),
        );
        assert_eq!(strangers["detail"], nobodys["detail"]);
    }
    let garbage = app.get("/api/v1/users/me").bearer(&access).send().await;
    garbage.problem(404, "not_found");
    // Under another tenant's name the token is garbage.
    let hinted = app
        .get("/api/v1/users")
        .bearer(&access)
        .header("x-tenant-id", "globex");
    hinted.send().await.problem(401, "authentication_required");

    for body in [
        json!({ "role": "member" }),
        json!({ "disabled": true }),
        json!({ "email": "x@acme.example" }),
    ] {
        on(&app, &admin, "PATCH", &owner, Some(body))
            .await
            .problem(403, "forbidden");
    }
    let grant = json!({ "role": "owner" });
    on(&app, &admin, "PATCH", &sam, Some(grant))
        .await
        .problem(403, "forbidden");
    on(&app, &admin, "DELETE", &owner, None)
        .await
        .problem(403, "forbidden");
    let last = json!({ "role": "admin" });
    on(&app, &access, "PATCH", &owner, Some(last))
        .await
        .problem(409, "conflict");
    on(&app, &access, "DELETE", &owner, None)
        .await
        .problem(409, "conflict");
    let own = json!({ "disabled": true });
    on(&app, &access, "PATCH", &owner, Some(own))
        .await
        .problem(409, "conflict");
    // A platform admin is nobody's staff.
    let root = app.admin().await.access;
    let list = app.get("/api/v1/users").bearer(&root).send().await;
    list.problem(403, "forbidden");
}

async fn a_link_is_mailed_again(app: TestApp) {
    let acme = app.tenant("acme").await;
    let access = app.sign_in(&acme.host, &acme.owner).await.access;
    let body = json!({ "email": "sam@acme.example", "role": "member" });
    let call = app.post("/api/v1/users").bearer(&access).json(&body);
    let sam = call.send().await.ok(201);
    let path = format!("/api/v1/users/{}/setup-link", sam["id"].as_str().unwrap());
    let again = app.post(&path).bearer(&access).send().await.ok(200);
    assert_eq!(again["id"], sam["id"]);
    let mails = app.inner().mails().await.unwrap();
    let to_sam = mails.iter().filter(|mail| mail.to == "sam@acme.example");
    assert_eq!(to_sam.count(), 2);
    let grace = add(&app, &access, "grace@acme.example", "member").await;
    let path = format!("/api/v1/users/{}/setup-link", grace["id"].as_str().unwrap());
    let needless = app.post(&path).bearer(&access).send().await;
    needless.problem(409, "conflict");
}

on_both!(
    a_person_is_changed_and_removed,
    nobody_is_touched_by_whom_it_is_not_for,
    a_link_is_mailed_again,
);

/// Whoever is locked out by wrong tries gets in at once when an admin of the tenant lifts it, and
/// nobody from elsewhere does.
#[tokio::test]
async fn a_lock_is_lifted_by_the_tenants_admins() {
    let limited = tenantry_testkit::service::Options::sqlite();
    let app = tenantry_testkit::app::AppOptions::over(limited)
        .start()
        .await;
    let acme = app.tenant("acme").await;
    let globex = app.tenant("globex").await;
    let access = app.sign_in(&acme.host, &acme.owner).await.access;
    let other = app.sign_in(&globex.host, &globex.owner).await.access;
    let email = "sam@acme.example";
    let sam = add(&app, &access, email, "member").await;
    for _ in 0..5 {
        let wrong = app.try_sign_in(&acme.host, email, "not the password").await;
        wrong.problem(401, "invalid_credentials");
    }
    let right = tenantry_testkit::service::PASSWORD;
    let locked = app.try_sign_in(&acme.host, email, right).await;
    locked.problem(429, "rate_limited");
    let path = format!("/api/v1/users/{}/unlock", sam["id"].as_str().unwrap());
    let elsewhere = app.post(&path).bearer(&other).send().await;
    elsewhere.problem(404, "not_found");
    let lifted = app.post(&path).bearer(&access).send().await.ok(200);
    has_fields(&lifted, FIELDS);
    app.try_sign_in(&acme.host, email, right).await.ok(200);
}
