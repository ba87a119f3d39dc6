//! `GET /api/v1/auth/sessions`, `DELETE` all the others, and `DELETE …/{id}`

use serde_json::{Value, json};
use tenantry_testkit::app::TestApp;
use tenantry_testkit::service::PASSWORD;

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
                "device",
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

async fn lists_page_by_page_what_is_used_where(app: TestApp) {
    let acme = app.tenant("acme").await;
    let one = app.sign_in(&acme.host, &acme.owner).await;
    for agent in [
        "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
        "curl/8.14.1",
        "till-pos/4.2",
        "",
    ] {
        app.clock().advance(std::time::Duration::from_secs(1));
        let body = json!({ "email": acme.owner, "password": PASSWORD });
        let call = app.post("/api/v1/auth/login").host(&acme.host).json(&body);
        call.header("user-agent", agent).send().await.ok(200);
    }
    let (mut devices, mut next) = (Vec::new(), Some(String::new()));
    let mut pages = 0;
    while let Some(cursor) = next {
        let path = format!("{SESSIONS}?limit=2{cursor}");
        let body = app.get(&path).bearer(&one.access).send().await.ok(200);
        let items = body["items"].as_array().unwrap();
        devices.extend(items.iter().map(|item| item["device"].clone()));
        let cursor = body["next_cursor"].as_str();
        next = cursor.map(|cursor| format!("&cursor={cursor}"));
        pages += 1;
    }
    assert_eq!(pages, 3);
    let expected = [
        "Unknown device",
        "Unknown device",
        "curl",
        "Firefox on Linux",
    ];
    assert_eq!(devices[..4], expected);
    assert_eq!(devices.len(), 5, "the one that asks was used first");
    for wrong in ["limit=0", "limit=201", "cursor=x", "cursor=1.2"] {
        let call = app.get(&format!("{SESSIONS}?{wrong}")).bearer(&one.access);
        let field = wrong.split('=').next().unwrap();
        call.send().await.invalid(&[&format!("{field}:invalid")]);
    }
}

on_both!(lists_page_by_page_what_is_used_where);

async fn ends_the_others_and_stays(app: TestApp) {
    let acme = app.tenant_owned_by("acme", "sam@example.com").await;
    let globex = app.tenant_owned_by("globex", "sam@example.com").await;
    let here = app.sign_in(&acme.host, "sam@example.com").await;
    let others = [
        app.sign_in(&acme.host, "sam@example.com").await,
        app.sign_in(&acme.host, "sam@example.com").await,
    ];
    let elsewhere = app.sign_in(&globex.host, "sam@example.com").await;
    let end = || app.call("DELETE", SESSIONS).bearer(&here.access).send();
    assert_eq!(end().await.ok(200), json!({ "sessions_cleared": 2 }));
    for other in &others {
        let me = app.get("/api/v1/auth/me").bearer(&other.access);
        let told = me.send().await.problem(401, "session_stale");
        let detail = told["detail"].as_str().unwrap();
        assert!(detail.contains("from another one"), "{detail}");
    }
    for one in [&here, &elsewhere] {
        let me = app.get("/api/v1/auth/me").bearer(&one.access);
        me.send().await.ok(200);
    }
    assert_eq!(end().await.ok(200), json!({ "sessions_cleared": 0 }));
}

on_both!(ends_the_others_and_stays);
