//! The database credentials of a tenant's applications: by the API, and by a link that is mailed.

use serde_json::{Value, json};
use tenantry_core::tenant::Isolation;
use tenantry_testkit::app::{Answer, AppOptions, TestApp, TestTenant};
use tenantry_testkit::cluster::Application;
use tenantry_testkit::service::{DRAIN, Driver, Options, Tenants};

use super::TENANTS;
use crate::shape::{has_fields, is_time};
use crate::site::load;

/// Tenants on a server, and one of them with its platform admin's token.
async fn start(driver: Driver) -> (TestApp, TestTenant, String) {
    let options = Options::on(driver)
        .with_tenants(Tenants::Cluster(Isolation::Database))
        .without_rate_limits();
    let app = AppOptions::over(options).start().await;
    let admin = app.admin().await.access;
    let acme = app.tenant("acme").await;
    (app, acme, admin)
}

async fn rotate(app: &TestApp, admin: &str, body: &Value) -> Answer {
    let path = format!("{TENANTS}/acme/credentials/rotate");
    app.post(&path).bearer(admin).json(body).send().await
}

async fn list(app: &TestApp, admin: &str) -> Vec<Value> {
    let path = format!("{TENANTS}/acme/credentials");
    let body = app.get(&path).bearer(admin).send().await.ok(200);
    has_fields(&body, &["items"]);
    body["items"].as_array().unwrap().clone()
}

async fn enters(url: &Value) -> bool {
    Application::enter(url.as_str().unwrap()).await.is_ok()
}

fn seconds(answer: &Answer) -> u64 {
    let header = answer.header("retry-after").expect("Retry-After");
    header.parse().unwrap()
}

async fn are_revealed_once_and_listed_without_a_password(driver: Driver) {
    let (app, _, admin) = Box::pin(start(driver)).await;
    let listed = list(&app, &admin).await;
    assert_eq!(listed.len(), 1, "the server's own: {listed:?}");
    assert_eq!(listed[0]["slot"], "service");

    let answer = rotate(&app, &admin, &json!({ "reveal": true })).await;
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let first = answer.ok(200);
    let fields = [
        "host", "port", "database", "schema", "user", "password", "url",
    ];
    has_fields(&first, &fields);
    assert!(enters(&first["url"]).await, "good at once");
    let listed = list(&app, &admin).await;
    has_fields(
        &listed[0],
        &["user", "slot", "state", "created_at", "retired_at"],
    );
    assert_eq!(listed[0]["user"], first["user"]);
    assert_eq!(listed[0]["state"], "active");
    assert!(listed[0]["retired_at"].is_null());
    is_time(&listed[0]["created_at"]);
    let shown = serde_json::to_string(&listed).unwrap();
    assert!(!shown.contains(first["password"].as_str().unwrap()));

    let second = rotate(&app, &admin, &json!({ "reveal": true }))
        .await
        .ok(200);
    assert_ne!(first["user"], second["user"]);
    for access in [&first, &second] {
        assert!(enters(&access["url"]).await, "the old ones drain");
    }
    for body in [json!({ "reveal": true }), json!({})] {
        let refused = rotate(&app, &admin, &body).await;
        refused.problem(409, "conflict");
        assert_eq!(seconds(&refused), DRAIN.as_secs());
    }
    app.clock().advance(DRAIN);
    app.service().look_after_credentials().await.unwrap();
    assert!(!enters(&first["url"]).await);
    assert!(enters(&second["url"]).await);
    // The token of before has run out meanwhile.
    let admin = app.admin().await.access;
    let listed = list(&app, &admin).await;
    assert_eq!(listed[1]["state"], "retired");
    is_time(&listed[1]["retired_at"]);
}

/// The link in the mail to an owner, as a path.
async fn mailed(app: &TestApp, owner: &str) -> String {
    let mails = app.inner().mails().await.unwrap();
    let mail = mails.iter().find(|mail| mail.to == owner).unwrap();
    let text = mail.text.clone().unwrap();
    let (_, token) = text.split_once("/setup/credentials/").unwrap();
    format!("/setup/credentials/{}", token.lines().next().unwrap())
}

async fn post(app: &TestApp, host: &str, path: &str) -> Answer {
    let (csrf, nonce) = load(app, host, "").await;
    let call = app.post(path).host(host).header("cookie", &nonce);
    call.form(&[("csrf_token", csrf.as_str())]).send().await
}

/// The password on a page that shows it.
fn password(page: &Answer) -> String {
    let text = page.text();
    let (_, rest) = text.split_once("id=\"password\">").unwrap();
    rest.split('<').next().unwrap().to_owned()
}

async fn a_link_is_mailed_and_used_once(driver: Driver) {
    let (app, acme, admin) = Box::pin(start(driver)).await;
    let other = app.tenant("globex").await;
    let sent = rotate(&app, &admin, &json!({})).await.ok(200);
    assert_eq!(sent, json!({ "status": "link_sent" }));
    assert_eq!(list(&app, &admin).await.len(), 1, "nothing has changed");
    let path = mailed(&app, &acme.owner).await;

    assert_eq!(post(&app, &other.host, &path).await.status, 400);
    for _ in 0..2 {
        let page = app.get(&path).host(&other.host).send().await;
        assert_eq!(page.status, 400, "another tenant's host");
        let page = app.get(&path).host(&acme.host).send().await;
        assert_eq!(page.status, 200, "{}", page.text());
        assert_eq!(page.header("cache-control"), Some("no-store"));
    }
    assert_eq!(list(&app, &admin).await.len(), 1, "looking changes nothing");
    let unprotected = app.post(&path).host(&acme.host).form(&[]).send().await;
    assert_eq!(unprotected.status, 403);

    let page = post(&app, &acme.host, &path).await;
    assert_eq!(page.status, 200, "{}", page.text());
    assert_eq!(page.header("cache-control"), Some("no-store"));
    let listed = list(&app, &admin).await;
    let user = listed[0]["user"].as_str().unwrap();
    assert!(page.text().contains(user));
    let url = format!("postgres://{user}:{}@", password(&page));
    assert!(page.text().contains(&url), "{}", page.text());
    for answer in [
        post(&app, &acme.host, &path).await,
        app.get(&path).host(&acme.host).send().await,
    ] {
        assert_eq!(answer.status, 400, "used");
        assert!(!answer.text().contains(user));
    }
    assert_eq!(list(&app, &admin).await.len(), 2);
}

async fn a_link_says_when_to_come_back(driver: Driver) {
    let (app, acme, admin) = Box::pin(start(driver)).await;
    let reveal = json!({ "reveal": true });
    rotate(&app, &admin, &reveal).await.ok(200);
    // A body may be left out.
    let path = format!("{TENANTS}/acme/credentials/rotate");
    app.post(&path).bearer(&admin).send().await.ok(200);
    let link = mailed(&app, &acme.owner).await;
    rotate(&app, &admin, &reveal).await.ok(200);
    let busy = post(&app, &acme.host, &link).await;
    assert_eq!(busy.status, 409, "{}", busy.text());
    assert_eq!(seconds(&busy), DRAIN.as_secs());
    assert!(busy.text().contains("15 minutes"), "{}", busy.text());
    app.clock().advance(DRAIN);
    let page = post(&app, &acme.host, &link).await;
    assert_eq!(page.status, 200, "{}", page.text());
}

#[tokio::test]
async fn a_tenant_in_a_file_has_none() {
    let app = TestApp::start().await;
    let admin = app.admin().await.access;
    app.tenant("acme").await;
    assert_eq!(list(&app, &admin).await, Vec::<Value>::new());
    for body in [json!({ "reveal": true }), json!({})] {
        let refused = rotate(&app, &admin, &body).await;
        refused.problem(409, "conflict");
        assert_eq!(refused.header("retry-after"), None);
    }
    rotate(&app, &admin, &json!({ "show": true }))
        .await
        .invalid(&["show:unknown_field"]);
}

tenantry_testkit::on_both!(
    are_revealed_once_and_listed_without_a_password,
    a_link_is_mailed_and_used_once,
    a_link_says_when_to_come_back,
);
