//! `/api/v1/clusters`

use serde_json::{Value, json};
use tenantry_core::tenant::Isolation;
use tenantry_testkit::app::{AppOptions, TestApp};
use tenantry_testkit::cluster::TestCluster;
use tenantry_testkit::service::{Options, Tenants};

use crate::shape::has_fields;

const CLUSTERS: &str = "/api/v1/clusters";
const CLUSTER: &[&str] = &[
    "name",
    "host",
    "port",
    "open",
    "capacity",
    "tenants",
    "reachable",
    "detail",
    "connections_used",
    "connections_max",
];

async fn on_a_cluster() -> TestApp {
    let service = Options::postgres()
        .without_rate_limits()
        .with_tenants(Tenants::Cluster(Isolation::Database));
    AppOptions::over(service).start().await
}

async fn clusters_are_added_changed_checked_and_removed(app: TestApp) {
    let admin = app.admin().await.access;
    let call = async |method: &str, rest: &str, body: Option<Value>| {
        let mut call = app.call(method, &format!("{CLUSTERS}{rest}"));
        if let Some(body) = body {
            call = call.json(&body);
        }
        call.bearer(&admin).send().await
    };
    let none = call("GET", "", None).await.ok(200);
    assert_eq!(none, json!({ "items": [], "next_cursor": null }));

    let server = TestCluster::start().await.unwrap();
    let url = server.url();
    let east = call("POST", "", Some(json!({ "name": "east", "url": url }))).await;
    assert!(!east.text().contains(server.admin()), "{}", east.text());
    let east = east.ok(201);
    has_fields(&east, CLUSTER);
    assert_eq!(
        (
            &east["name"],
            &east["open"],
            &east["tenants"],
            &east["capacity"]
        ),
        (&json!("east"), &json!(true), &json!(0), &Value::Null)
    );
    assert_eq!(
        (&east["reachable"], &east["detail"]),
        (&json!(true), &Value::Null)
    );
    assert!(east["connections_max"].as_i64().unwrap() > 0);
    let west = json!({ "name": "west", "url": url, "open": false, "capacity": 3 });
    let west = call("POST", "", Some(west)).await.ok(201);
    assert_eq!(
        (&west["open"], &west["capacity"]),
        (&json!(false), &json!(3))
    );
    let again = json!({ "name": "east", "url": url });
    call("POST", "", Some(again)).await.problem(409, "conflict");

    let page = call("GET", "?limit=1", None).await.ok(200);
    assert_eq!(
        (&page["items"][0]["name"], &page["next_cursor"]),
        (&json!("east"), &json!("east"))
    );
    let rest = call("GET", "?limit=1&cursor=east", None).await.ok(200);
    assert_eq!(
        (&rest["items"][0]["name"], &rest["next_cursor"]),
        (&json!("west"), &Value::Null)
    );

    let shut = call("PATCH", "/east", Some(json!({ "open": false })))
        .await
        .ok(200);
    assert_eq!(shut["open"], false);
    assert_eq!(call("GET", "/east", None).await.ok(200)["open"], false);
    let checked = call("POST", "/east/check", None).await.ok(200);
    has_fields(&checked, &["name", "usable", "detail", "findings"]);
    assert_eq!(
        (&checked["name"], &checked["usable"]),
        (&json!("east"), &json!(true))
    );

    assert_eq!(call("DELETE", "/east", None).await.status, 204);
    for (method, rest, body) in [
        ("GET", "/east", None),
        ("PATCH", "/east", Some(json!({ "open": true }))),
        ("DELETE", "/east", None),
        ("POST", "/east/check", None),
        ("GET", "/x%27", None),
    ] {
        call(method, rest, body).await.problem(404, "not_found");
    }
}

on_both!(clusters_are_added_changed_checked_and_removed);

#[tokio::test]
async fn what_can_not_be_a_cluster_is_told_without_its_password() {
    let app = TestApp::start().await;
    let admin = app.admin().await.access;
    for (name, url, field) in [
        ("east", "mysql://ada:planted@localhost/x", "url"),
        ("east", "postgres://ada:planted@127.0.0.1:1/x", "url"),
        ("local", "postgres://ada:planted@127.0.0.1:1/x", "name"),
        ("East!", "postgres://ada:planted@127.0.0.1:1/x", "name"),
    ] {
        let body = json!({ "name": name, "url": url });
        let answer = app.post(CLUSTERS).bearer(&admin).json(&body).send().await;
        assert!(!answer.text().contains("planted"), "{}", answer.text());
        let problem = answer.problem(422, "validation_failed");
        assert_eq!(problem["errors"][0]["field"], field, "{name} {url}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_says_where_it_lies() {
    let app = on_a_cluster().await;
    let admin = app.admin().await.access;
    let make = async |slug: &str, more: Value| {
        let mut body = json!({
            "name": slug,
            "slug": slug,
            "owner": { "email": "ada@example.com", "password": "a password long enough" },
        });
        let fields = body.as_object_mut().unwrap();
        fields.extend(more.as_object().unwrap().clone());
        let call = app.post("/api/v1/tenants").bearer(&admin).json(&body);
        call.send().await
    };
    let acme = make(
        "acme",
        json!({ "cluster": "default", "isolation": "database" }),
    )
    .await;
    let acme = acme.ok(201);
    let clusters = app.get(CLUSTERS).bearer(&admin).send().await.ok(200);
    let server = &clusters["items"][0];
    let database = &acme["database"];
    has_fields(database, &["driver", "host", "port", "name"]);
    assert_eq!(acme["cluster"], "default");
    assert_eq!(
        (&database["driver"], &database["host"], &database["port"]),
        (&json!("postgres"), &server["host"], &server["port"])
    );
    assert!(
        database["name"].as_str().unwrap().starts_with("t_"),
        "{database}"
    );
    assert_eq!(server["tenants"], 1);
    let local = make("globex", json!({ "cluster": "local" })).await.ok(201);
    let database = &local["database"];
    assert_eq!(
        (&database["driver"], &database["host"], &database["port"]),
        (&json!("sqlite"), &Value::Null, &Value::Null)
    );
    make("initech", json!({ "cluster": "nowhere" }))
        .await
        .problem(422, "validation_failed");

    // A cluster that is in use stays.
    let path = format!("{CLUSTERS}/default");
    let stays = app.call("DELETE", &path).bearer(&admin).send().await;
    stays.problem(409, "conflict");
}
