//! Deleting, restoring, making anew, suspending, checking.

use std::time::Duration;

use serde_json::{Value, json};
use tenantry_testkit::app::{Answer, TestApp};
use tenantry_testkit::service::PASSWORD;

use super::{TENANTS, is_tenant, show};
use crate::shape::{has_fields, is_time, nobodys_id};

const CLEARED: &[&str] = &[
    "tenants_processed",
    "cache_keys_cleared",
    "sessions_cleared",
];

/// Takes out of a tenant's answer what ended; how many sessions it was.
fn ended_with(body: &mut Value) -> u64 {
    let object = body.as_object_mut().unwrap();
    let [tenants, keys, sessions] =
        [0, 1, 2].map(|at| object.remove(CLEARED[at]).and_then(|count| count.as_u64()));
    assert_eq!(tenants, Some(1));
    assert!(keys.is_some());
    sessions.unwrap()
}

async fn act(app: &TestApp, token: &str, method: &str, rest: &str) -> Answer {
    let path = format!("{TENANTS}/{rest}");
    app.call(method, &path).bearer(token).send().await
}

async fn is_deleted_with_a_grace_and_comes_back_as_another_life(app: TestApp) {
    let admin = app.admin().await.access;
    let acme = app.tenant("acme").await;
    let owner = app.sign_in(&acme.host, &acme.owner).await;
    app.sign_in(&acme.host, &acme.owner).await;
    for wrong in [
        "",
        "?confirm=",
        "?confirm=ACME",
        "?confirm=globex",
        "?purge=true",
        "?confirm=acme%20",
    ] {
        act(&app, &admin, "DELETE", &format!("acme{wrong}"))
            .await
            .invalid(&["confirm:required"]);
    }
    for wrong in [
        "?confirm=acme&confirm=acme",
        "?confirm=acme&purge=yes",
        "?confirm=acme&force=true",
        "?confirm=acme&purge=",
    ] {
        act(&app, &admin, "DELETE", &format!("acme{wrong}"))
            .await
            .problem(400, "malformed_request");
    }
    assert_eq!(show(&app, &admin, "acme").await["status"], "active");

    let path = format!("{}?confirm=acme", acme.id);
    let body = act(&app, &admin, "DELETE", &path).await.ok(200);
    has_fields(&body, CLEARED);
    assert_eq!(
        (&body["tenants_processed"], &body["sessions_cleared"]),
        (&json!(1), &json!(2))
    );
    // What led to it was in memory.
    assert!(body["cache_keys_cleared"].as_u64() > Some(0), "{body}");
    let shown = show(&app, &admin, "acme").await;
    is_tenant(&shown);
    assert_eq!(shown["status"], "deleted");
    is_time(&shown["purge_at"]);
    assert_eq!(shown["deleted_at"], app.clock().now().to_string());
    let due = app.clock().now() + Duration::from_hours(7 * 24);
    assert_eq!(shown["purge_at"], due.to_string());
    app.try_sign_in(&acme.host, &acme.owner, PASSWORD)
        .await
        .problem(503, "tenant_unavailable");
    app.try_sign_in("localhost", &acme.owner, PASSWORD)
        .await
        .problem(401, "invalid_credentials");
    act(&app, &admin, "DELETE", "acme?confirm=acme")
        .await
        .problem(409, "conflict");
    for other in ["suspend", "resume"] {
        act(&app, &admin, "POST", &format!("acme/{other}"))
            .await
            .problem(409, "conflict");
    }

    let mut back = act(&app, &admin, "POST", "acme/restore").await.ok(200);
    // They ended when it was deleted; names led to it again meanwhile.
    assert_eq!(ended_with(&mut back), 0);
    is_tenant(&back);
    assert_eq!(
        (&back["status"], &back["generation"]),
        (&json!("active"), &json!(2))
    );
    assert_eq!(
        (&back["id"], &back["purge_at"]),
        (&json!(acme.id), &Value::Null)
    );
    app.get("/api/v1/auth/me")
        .bearer(&owner.access)
        .send()
        .await
        .problem(401, "session_stale");
    let again = app.sign_in(&acme.host, &acme.owner).await;
    assert_eq!(
        again.body["user"]["id"], owner.body["user"]["id"],
        "the people are the same"
    );
    act(&app, &admin, "POST", "acme/restore")
        .await
        .problem(409, "conflict");
}

on_both!(is_deleted_with_a_grace_and_comes_back_as_another_life);

async fn is_purged_without_a_trace(app: TestApp) {
    let admin = app.admin().await.access;
    let acme = app.tenant("acme").await;
    app.domain(&acme, "host", "shop.example", true).await;
    app.sign_in(&acme.host, &acme.owner).await;
    let body = act(&app, &admin, "DELETE", "acme?confirm=acme&purge=true")
        .await
        .ok(200);
    has_fields(&body, CLEARED);
    assert_eq!(body["sessions_cleared"], 1);
    act(&app, &admin, "GET", "acme")
        .await
        .problem(404, "not_found");
    act(&app, &admin, "GET", &acme.id)
        .await
        .problem(404, "not_found");
    act(&app, &admin, "POST", "acme/restore")
        .await
        .problem(404, "not_found");
    for host in [acme.host.as_str(), "shop.example"] {
        app.try_sign_in(host, &acme.owner, PASSWORD)
            .await
            .problem(404, "tenant_not_found");
    }
    assert_eq!(app.inner().tenant_files().unwrap(), Vec::<String>::new());
    let mentioned = app
        .control()
        .mentions(acme.id.parse().unwrap())
        .await
        .unwrap();
    assert_eq!(
        mentioned,
        ["audit", "workflows"],
        "only what was done is remembered"
    );
}

on_both!(is_purged_without_a_trace);

async fn is_purged_by_itself_when_its_grace_is_over(app: TestApp) {
    let admin = app.admin().await.access;
    app.tenant("acme").await;
    act(&app, &admin, "DELETE", "acme?confirm=acme")
        .await
        .ok(200);
    app.clock().advance(Duration::from_secs(7 * 24 * 3600 - 1));
    app.service().sweep().await.unwrap();
    let admin = app.admin().await.access;
    assert_eq!(show(&app, &admin, "acme").await["status"], "deleted");
    app.clock().advance(Duration::from_secs(1));
    app.service().sweep().await.unwrap();
    app.inner().settle().await.unwrap();
    let admin = app.admin().await.access;
    act(&app, &admin, "GET", "acme")
        .await
        .problem(404, "not_found");
}

on_both!(is_purged_by_itself_when_its_grace_is_over);

async fn is_made_anew_with_a_fresh_owner(app: TestApp) {
    let admin = app.admin().await.access;
    let acme = app.tenant("acme").await;
    let old = app.sign_in(&acme.host, &acme.owner).await;
    let recreate = async |body: Value| {
        let call = app.post(&format!("{TENANTS}/acme/recreate")).bearer(&admin);
        call.json(&body).send().await
    };
    let owner = json!({ "email": "new@acme.example", "password": PASSWORD });
    recreate(json!({ "confirm": "globex", "owner": owner }))
        .await
        .invalid(&["confirm:required"]);
    recreate(json!({ "owner": owner }))
        .await
        .invalid(&["confirm:required"]);
    recreate(json!({ "confirm": "acme", "owner": { "email": "x" } }))
        .await
        .invalid(&["owner.email:invalid"]);
    assert_eq!(show(&app, &admin, "acme").await["generation"], 1);

    let me = app.get("/api/v1/auth/me").bearer(&old.access);
    me.send().await.ok(200);
    app.sign_in(&acme.host, &acme.owner).await;
    let mut body = recreate(json!({ "confirm": "acme", "owner": owner }))
        .await
        .ok(200);
    // What was kept of who asked a moment ago.
    assert!(body["cache_keys_cleared"].as_u64() > Some(0), "{body}");
    assert_eq!(ended_with(&mut body), 2);
    is_tenant(&body);
    assert_eq!(
        (&body["status"], &body["generation"]),
        (&json!("active"), &json!(2))
    );
    assert_eq!(
        (&body["id"], &body["code"]),
        (&json!(acme.id), &json!("TEN00001"))
    );
    app.get("/api/v1/auth/me")
        .bearer(&old.access)
        .send()
        .await
        .problem(401, "session_stale");
    app.try_sign_in(&acme.host, &acme.owner, PASSWORD)
        .await
        .problem(401, "invalid_credentials");
    app.try_sign_in("localhost", &acme.owner, PASSWORD)
        .await
        .problem(401, "invalid_credentials");
    let new = app.sign_in("localhost", "new@acme.example").await;
    assert_eq!(new.body["tenant"]["id"], acme.id);
    assert_eq!(super::databases(&app), 1);

    // Where nobody is named, it is who was an owner first, with a link to set a password anew.
    let body = recreate(json!({ "confirm": "acme" })).await.ok(200);
    assert_eq!(body["generation"], 3);
    app.try_sign_in(&acme.host, "new@acme.example", PASSWORD)
        .await
        .problem(401, "invalid_credentials");
    let mails = app.inner().mails().await.unwrap();
    assert!(mails.iter().any(|mail| mail.to == "new@acme.example"));
}

on_both!(is_made_anew_with_a_fresh_owner);

async fn is_suspended_and_resumed(app: TestApp) {
    let admin = app.admin().await.access;
    let acme = app.tenant("acme").await;
    let owner = app.sign_in(&acme.host, &acme.owner).await;
    let body = act(&app, &admin, "POST", "acme/suspend").await.ok(200);
    is_tenant(&body);
    assert_eq!(
        (&body["status"], &body["generation"]),
        (&json!("suspended"), &json!(1))
    );
    app.get("/api/v1/auth/me")
        .bearer(&owner.access)
        .send()
        .await
        .problem(401, "session_stale");
    act(&app, &admin, "POST", "acme/suspend")
        .await
        .problem(409, "conflict");
    act(&app, &admin, "POST", "acme/restore")
        .await
        .problem(409, "conflict");
    let body = act(&app, &admin, "POST", "acme/resume").await.ok(200);
    assert_eq!(body["status"], "active");
    app.get("/api/v1/auth/me")
        .bearer(&owner.access)
        .send()
        .await
        .ok(200);
    act(&app, &admin, "POST", "acme/resume")
        .await
        .problem(409, "conflict");
}

on_both!(is_suspended_and_resumed);

async fn is_checked_and_repaired(app: TestApp) {
    let admin = app.admin().await.access;
    let acme = app.tenant("acme").await;
    let sound = json!({ "healthy": true, "findings": [] });
    for what in ["check", "repair", "email-directory/rebuild"] {
        let body = act(&app, &admin, "POST", &format!("acme/{what}"))
            .await
            .ok(200);
        assert_eq!(body, sound, "{what}");
    }
    app.control().damage("DELETE FROM directory").await.unwrap();
    let body = act(&app, &admin, "POST", "acme/check").await.ok(200);
    assert_eq!(body["healthy"], false);
    let findings = body["findings"].as_array().unwrap();
    assert!(!findings.is_empty());
    for finding in findings {
        has_fields(finding, &["code", "severity", "detail", "repairable"]);
        assert_eq!(finding["repairable"], true);
        let text = finding.to_string();
        assert!(!text.contains("SELECT") && !text.contains("/tmp"), "{text}");
    }
    let answer = app.try_sign_in("localhost", &acme.owner, PASSWORD).await;
    answer.problem(401, "invalid_credentials");
    assert_eq!(
        act(&app, &admin, "POST", "acme/check").await.ok(200),
        body,
        "checking changes nothing"
    );
    assert_eq!(
        act(&app, &admin, "POST", "acme/repair").await.ok(200),
        sound
    );
    app.sign_in("localhost", &acme.owner).await;
    app.control().damage("DELETE FROM directory").await.unwrap();
    let body = act(&app, &admin, "POST", "acme/email-directory/rebuild")
        .await
        .ok(200);
    assert_eq!(body, sound);
    app.sign_in("localhost", &acme.owner).await;
}

on_both!(is_checked_and_repaired);

async fn its_sessions_are_ended(app: TestApp) {
    let admin = app.admin().await.access;
    let (acme, globex) = (app.tenant("acme").await, app.tenant("globex").await);
    let owner = app.sign_in(&acme.host, &acme.owner).await;
    let other = app.sign_in(&globex.host, &globex.owner).await;
    app.cookie(&acme.host, &acme.owner).await;
    let body = act(&app, &admin, "DELETE", "acme/sessions").await.ok(200);
    assert_eq!(body, json!({ "sessions_cleared": 2 }));
    app.get("/api/v1/auth/me")
        .bearer(&owner.access)
        .send()
        .await
        .problem(401, "session_stale");
    app.get("/api/v1/auth/me")
        .bearer(&other.access)
        .send()
        .await
        .ok(200);
    let body = act(&app, &admin, "DELETE", &format!("{}/sessions", acme.id)).await;
    assert_eq!(body.ok(200), json!({ "sessions_cleared": 0 }));
    app.sign_in(&acme.host, &acme.owner).await;
}

on_both!(its_sessions_are_ended);

async fn what_is_kept_of_it_is_cleared(app: TestApp) {
    let admin = app.admin().await.access;
    let (acme, globex) = (app.tenant("acme").await, app.tenant("globex").await);
    let signed = [
        app.sign_in(&acme.host, &acme.owner).await,
        app.sign_in(&globex.host, &globex.owner).await,
    ];
    let look = async || {
        for one in &signed {
            let me = app.get("/api/v1/auth/me").bearer(&one.access);
            me.send().await.ok(200);
        }
    };
    look().await;
    let cleared = async |name: &str| {
        let answer = act(&app, &admin, "DELETE", &format!("{name}/cache")).await;
        let body = answer.ok(200);
        has_fields(&body, &["cache_keys_cleared"]);
        body["cache_keys_cleared"].as_u64().unwrap()
    };
    assert!(cleared("acme").await > 0);
    assert_eq!(cleared("acme").await, 0, "nobody came meanwhile");
    assert!(cleared(&globex.id).await > 0, "the other's stayed");
    // Nobody is signed out.
    look().await;
    assert!(cleared(&acme.id).await > 0);
    for name in ["nobody", &nobodys_id()] {
        let answer = act(&app, &admin, "DELETE", &format!("{name}/cache")).await;
        answer.problem(404, "not_found");
    }
    let path = format!("{TENANTS}/acme/cache");
    let foreign = app.call("DELETE", &path).bearer(&signed[0].access);
    foreign.send().await.problem(403, "forbidden");
}

on_both!(what_is_kept_of_it_is_cleared);

#[tokio::test]
async fn there_is_nothing_to_do_to_a_tenant_that_is_not_there() {
    let app = TestApp::start().await;
    let admin = app.admin().await.access;
    let id = nobodys_id();
    for name in ["nobody", id.as_str(), "NOBODY"] {
        for what in [
            "suspend",
            "resume",
            "restore",
            "check",
            "repair",
            "email-directory/rebuild",
        ] {
            act(&app, &admin, "POST", &format!("{name}/{what}"))
                .await
                .problem(404, "not_found");
        }
        act(&app, &admin, "DELETE", &format!("{name}/sessions"))
            .await
            .problem(404, "not_found");
        act(&app, &admin, "DELETE", &format!("{name}?confirm={name}"))
            .await
            .problem(404, "not_found");
        let body = json!({ "confirm": name, "owner": { "email": "a@b.example" } });
        let call = app
            .post(&format!("{TENANTS}/{name}/recreate"))
            .bearer(&admin);
        call.json(&body).send().await.problem(404, "not_found");
    }
}

#[tokio::test]
async fn two_acts_at_once_do_not_cross() {
    let app = TestApp::start().await;
    let admin = app.admin().await.access;
    app.tenant("acme").await;
    act(&app, &admin, "DELETE", "acme?confirm=acme")
        .await
        .ok(200);
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let path = format!("{TENANTS}/acme/restore");
        calls.spawn(app.post(&path).bearer(&admin).send());
    }
    let answers = calls.join_all().await;
    assert_eq!(
        answers.iter().filter(|answer| answer.status == 200).count(),
        1
    );
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        // Whoever comes while the database changes hands is told to come again, and then why not.
        if answer.status == 503 {
            answer.problem(503, "busy");
        } else {
            answer.problem(409, "conflict");
        }
    }
    act(&app, &admin, "POST", "acme/restore")
        .await
        .problem(409, "conflict");
    let shown = show(&app, &admin, "acme").await;
    assert_eq!(
        (&shown["status"], &shown["generation"]),
        (&json!("active"), &json!(2))
    );
}
