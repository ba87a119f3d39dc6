//! `GET /api/v1/auth/sessions` and `DELETE …/{id}`

use serde_json::Value;
use tenantry_testkit::app::TestApp;

use crate::shape::{has_fields, is_id, is_time, nobodys_id};

const SESSIONS: &str = "/api/v1/auth/sessions";

async fn list(app: &TestApp, token: &str) -> Vec<Value> {
    let body = app.get(SESSIONS).bearer(token).send().await.ok(200);
    has_fields(&body, &["items", "next_cursor"]);
    assert_eq!(body["next_cursor"], Value::Null);
    body["items"].as_array().unwrap().clone()
}

async fn lists_ones_own_and_ends_one(app: TestApp) {
    let acme = app.tenant("acme").await;
    app.person(
        &acme,
        "other@acme.example",
        tenantry_core::Role::Member,
        false,
    )
    .await;
    let one = app.sign_in(&acme.host, &acme.owner).await;
    let two = app.sign_in(&acme.host, &acme.owner).await;
    app.cookie(&acme.host, &acme.owner).await;
    let stranger = app.sign_in(&acme.host, "other@acme.example").await;

    let items = list(&app, &one.access).await;
    assert_eq!(items.len(), 3);
    for item in &items {
        has_fields(
            item,
            &[
                "id",
                "kind",
                "current",
                "user_agent",
                "created_at",
                "last_seen_at",
                "expires_at",
            ],
        );
        is_id(&item["id"]);
        for time in ["created_at", "last_seen_at", "expires_at"] {
            is_time(&item[time]);
        }
    }
    let current: Vec<&Value> = items
        .iter()
        .filter(|item| item["current"] == true)
        .collect();
    assert_eq!(current.len(), 1);
    let browsers = items
        .iter()
        .filter(|item| item["kind"] == "browser")
        .count();
    assert_eq!(browsers, 1);

    let foreign = list(&app, &stranger.access).await;
    assert_eq!(foreign.len(), 1);
    let foreign = foreign[0]["id"].as_str().unwrap().to_owned();
    for id in [
        foreign.as_str(),
        &nobodys_id(),
        "1",
        "%00",
        "..",
        "x'%20OR%201=1",
    ] {
        let path = format!("{SESSIONS}/{id}");
        let answer = app.call("DELETE", &path).bearer(&one.access).send().await;
        if answer.status != 405 {
            answer.problem(404, "not_found");
        }
    }
    app.get("/api/v1/auth/me")
        .bearer(&stranger.access)
        .send()
        .await
        .ok(200);

    let mine = list(&app, &two.access).await;
    let mine = mine.iter().find(|item| item["current"] == true).unwrap()["id"].clone();
    let path = format!("{SESSIONS}/{}", mine.as_str().unwrap());
    let answer = app.call("DELETE", &path).bearer(&one.access).send().await;
    assert_eq!((answer.status, answer.body.len()), (204, 0));
    let gone = app.get("/api/v1/auth/me").bearer(&two.access).send().await;
    gone.problem(401, "session_stale");
    let answer = app.call("DELETE", &path).bearer(&one.access).send().await;
    answer.problem(404, "not_found");
    assert_eq!(list(&app, &one.access).await.len(), 2);
}

on_both!(lists_ones_own_and_ends_one);
