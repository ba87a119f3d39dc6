//! `/api/v1/webhooks`

use serde_json::{Value, json};
use tenantry_testkit::app::TestApp;
use tenantry_testkit::receiver::{Receiver, Reply};

use crate::shape::{has_fields, is_id, is_time, nobodys_id};

const WEBHOOKS: &str = "/api/v1/webhooks";
const WEBHOOK: &[&str] = &[
    "id",
    "url",
    "events",
    "description",
    "created_at",
    "waiting",
    "failed",
];

async fn receivers_are_added_listed_tried_and_removed(app: TestApp) {
    let admin = app.admin().await.access;
    let get = async |rest: &str| {
        let call = app.get(&format!("{WEBHOOKS}{rest}")).bearer(&admin);
        call.send().await
    };
    let receiver = Receiver::start().await.unwrap();
    let add = async |body: Value| {
        let call = app.post(WEBHOOKS).bearer(&admin).json(&body);
        call.send().await
    };
    let first = add(json!({ "url": receiver.url("/in") })).await.ok(201);
    let mut names = WEBHOOK.to_vec();
    names.push("secret");
    has_fields(&first, &names);
    is_id(&first["id"]);
    is_time(&first["created_at"]);
    assert_eq!(first["events"], Value::Null);
    let secret = first["secret"].as_str().unwrap().to_owned();
    assert!(secret.starts_with("whsec_") && secret.len() == 50);
    // The next millisecond: ids are in the order of time.
    app.clock().advance(std::time::Duration::from_millis(1));
    let second = json!({
        "url": "https://hooks.example/",
        "events": ["tenant.deleted"],
        "description": "billing",
    });
    let second = add(second).await.ok(201);
    assert_eq!(second["events"], json!(["tenant.deleted"]));
    assert_ne!(second["secret"], first["secret"]);

    let list = get("").await;
    assert!(!list.text().contains("whsec_"), "{}", list.text());
    let list = list.ok(200);
    has_fields(&list, &["items", "next_cursor"]);
    assert_eq!(list["items"].as_array().unwrap().len(), 2);
    has_fields(&list["items"][0], WEBHOOK);
    let page = get("?limit=1").await.ok(200);
    let cursor = page["next_cursor"].as_str().unwrap();
    let rest = get(&format!("?limit=1&cursor={cursor}")).await.ok(200);
    assert_eq!(
        (&page["items"][0], &rest["items"][0]),
        (&list["items"][0], &list["items"][1])
    );
    assert_eq!(rest["next_cursor"], Value::Null);

    let id = first["id"].as_str().unwrap();
    assert_eq!(get(&format!("/{id}")).await.ok(200), list["items"][0]);
    let test = async || {
        let call = app.post(&format!("{WEBHOOKS}/{id}/test")).bearer(&admin);
        call.send().await.ok(200)
    };
    assert_eq!(
        test().await,
        json!({ "delivered": true, "status": 204, "detail": null })
    );
    assert_eq!(receiver.seen()[0].json()["type"], "ping");
    receiver.answer(Reply::Status(503));
    let failed = test().await;
    assert_eq!(
        (&failed["delivered"], &failed["status"]),
        (&json!(false), &json!(503))
    );

    let remove = async |id: &str| {
        let path = format!("{WEBHOOKS}/{id}");
        app.call("DELETE", &path).bearer(&admin).send().await
    };
    assert_eq!(remove(id).await.status, 204);
    remove(id).await.problem(404, "not_found");
    for id in [id, nobodys_id().as_str(), "1", "x%27"] {
        get(&format!("/{id}")).await.problem(404, "not_found");
        let list = get(&format!("/{id}/deliveries")).await;
        list.problem(404, "not_found");
        let path = format!("{WEBHOOKS}/{id}/test");
        let test = app.post(&path).bearer(&admin).send().await;
        test.problem(404, "not_found");
    }
}

/// What an attempt came to stands with the receiver.
async fn deliveries_are_shown(app: TestApp) {
    let admin = app.admin().await.access;
    let get = async |rest: &str| {
        let call = app.get(&format!("{WEBHOOKS}{rest}")).bearer(&admin);
        call.send().await
    };
    let receiver = Receiver::start().await.unwrap();
    receiver.answer(Reply::Status(503));
    let body = json!({ "url": receiver.url("/") });
    let added = app.post(WEBHOOKS).bearer(&admin).json(&body).send().await;
    let added = added.ok(201);
    let id = added["id"].as_str().unwrap();
    app.tenant("acme").await;
    app.service().deliver_due_notices().await.unwrap();
    let shown = get(&format!("/{id}")).await.ok(200);
    assert_eq!(
        (&shown["waiting"], &shown["failed"]),
        (&json!(2), &json!(0))
    );
    let deliveries = get(&format!("/{id}/deliveries")).await.ok(200);
    let items = deliveries["items"].as_array().unwrap();
    assert_eq!(items.len(), 2);
    for item in items {
        has_fields(
            item,
            &[
                "id",
                "event",
                "state",
                "attempts",
                "next_attempt_at",
                "error",
                "created_at",
                "finished_at",
            ],
        );
        is_id(&item["id"]);
        is_time(&item["next_attempt_at"]);
        assert_eq!(item["state"], "waiting");
    }
}

on_both!(
    receivers_are_added_listed_tried_and_removed,
    deliveries_are_shown,
);

#[tokio::test]
async fn what_is_wrong_with_a_receiver_is_told() {
    let app = TestApp::start().await;
    let admin = app.admin().await.access;
    let add = async |body: Value| {
        let call = app.post(WEBHOOKS).bearer(&admin).json(&body);
        call.send().await.problem(422, "validation_failed")
    };
    for (body, field) in [
        (json!({}), "url"),
        (json!({ "url": "http://hooks.example/" }), "url"),
        (json!({ "url": "https://a:b@hooks.example/" }), "url"),
        (
            json!({ "url": "https://x.example/", "events": ["boom"] }),
            "events",
        ),
        (
            json!({ "url": "https://x.example/", "secret": "mine" }),
            "secret",
        ),
    ] {
        let problem = add(body.clone()).await;
        assert_eq!(problem["errors"][0]["field"], field, "{body}");
    }
}
