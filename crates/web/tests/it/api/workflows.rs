//! `/api/v1/workflows`

use serde_json::Value;
use tenantry_testkit::app::TestApp;

use crate::shape::{has_fields, is_id, is_time, nobodys_id};

const WORKFLOWS: &str = "/api/v1/workflows";
const RUN: &[&str] = &[
    "id",
    "kind",
    "version",
    "tenant_id",
    "state",
    "attempts",
    "error",
    "created_at",
    "finished_at",
];

async fn shows_what_was_done_step_by_step(app: TestApp) {
    let admin = app.admin().await.access;
    let get = async |rest: &str| {
        app.get(&format!("{WORKFLOWS}{rest}"))
            .bearer(&admin)
            .send()
            .await
    };
    let acme = app.tenant("acme").await;
    app.clock().advance(std::time::Duration::from_secs(1));
    app.tenant("globex").await;

    let body = get("").await.ok(200);
    has_fields(&body, &["items", "next_cursor"]);
    let items = body["items"].as_array().unwrap();
    assert_eq!(items.len(), 2);
    for item in items {
        has_fields(item, RUN);
        is_id(&item["id"]);
        is_time(&item["created_at"]);
        is_time(&item["finished_at"]);
        assert_eq!(
            (&item["kind"], &item["state"]),
            (&"provision".into(), &"succeeded".into())
        );
        assert_eq!(item["error"], Value::Null);
    }
    assert_eq!(items[1]["tenant_id"], acme.id, "the newest comes first");

    let first = get("?limit=1").await.ok(200);
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = get(&format!("?limit=1&cursor={cursor}")).await.ok(200);
    assert_eq!(
        (&first["items"][0], &second["items"][0]),
        (&items[0], &items[1])
    );
    assert_eq!(second["next_cursor"], Value::Null);

    let id = items[1]["id"].as_str().unwrap();
    let run = get(&format!("/{id}")).await.ok(200);
    let mut names = RUN.to_vec();
    names.push("steps");
    has_fields(&run, &names);
    let steps = run["steps"].as_array().unwrap();
    assert!(steps.len() >= 10);
    for (index, step) in steps.iter().enumerate() {
        has_fields(step, &["seq", "step", "event", "at", "detail"]);
        assert_eq!(step["seq"], index + 1);
        is_time(&step["at"]);
    }
    let text = run.to_string();
    for secret in ["password", "argon2", "/tmp", "sealed", &*acme.owner] {
        assert!(!text.contains(secret), "{text}");
    }

    let retry = app
        .post(&format!("{WORKFLOWS}/{id}/retry"))
        .bearer(&admin)
        .send()
        .await;
    retry.problem(409, "conflict");
    for id in [nobodys_id().as_str(), "1", "x%27", "acme"] {
        get(&format!("/{id}")).await.problem(404, "not_found");
        let retry = app
            .post(&format!("{WORKFLOWS}/{id}/retry"))
            .bearer(&admin)
            .send()
            .await;
        retry.problem(404, "not_found");
    }
}

on_both!(shows_what_was_done_step_by_step);
