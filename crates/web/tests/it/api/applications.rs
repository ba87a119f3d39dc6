//! `/api/v1/tenant-applications` and `/signup`

use serde_json::{Value, json};
use tenantry_core::application::Signup;
use tenantry_testkit::app::{AppOptions, TestApp};
use tenantry_testkit::service::{Options, link_token};

use crate::shape::{has_fields, is_id, is_time, nobodys_id};

const ALL: &str = "/api/v1/tenant-applications";
const ADA: &str = "ada@example.org";

async fn start(signup: Signup) -> TestApp {
    let service = Options::sqlite().without_rate_limits().with_signup(signup);
    AppOptions::over(service).start().await
}

fn wish(slug: &str) -> Value {
    json!({ "name": "Acme", "slug": slug, "email": ADA, "full_name": "Ada Lovelace" })
}

async fn token(app: &TestApp) -> String {
    let mails = app.inner().mails().await.unwrap();
    let mail = mails.iter().find(|mail| mail.to == ADA).unwrap();
    link_token(mail.text.as_deref().unwrap(), "/signup/").unwrap()
}

#[tokio::test]
async fn an_application_is_made_proven_listed_and_approved() {
    let app = start(Signup::Apply).await;
    let admin = app.admin().await.access;
    let asked = app.post(ALL).json(&wish("acme")).send().await.ok(202);
    assert_eq!(asked, json!({ "status": "verification_sent" }));
    let token = token(&app).await;
    let confirm = async || {
        let call = app.post(&format!("{ALL}/confirm"));
        call.json(&json!({ "token": token })).send().await
    };
    let get = async |rest: &str| app.get(&format!("{ALL}{rest}")).bearer(&admin).send().await;
    let listed = get("?state=pending").await.ok(200);
    assert_eq!(listed, json!({ "items": [], "next_cursor": null }));
    let confirmed = confirm().await.ok(200);
    assert_eq!(confirmed, json!({ "status": "pending", "url": null }));
    let listed = get("?state=pending").await.ok(200);
    let one = &listed["items"][0];
    has_fields(
        one,
        &[
            "id",
            "state",
            "name",
            "slug",
            "email",
            "full_name",
            "damaged",
            "reason",
            "tenant_id",
            "created_at",
            "proven_at",
            "decided_at",
        ],
    );
    is_id(&one["id"]);
    is_time(&one["proven_at"]);
    assert_eq!((&one["slug"], &one["email"]), (&json!("acme"), &json!(ADA)));
    get("?state=nothing")
        .await
        .problem(422, "validation_failed");
    let id = one["id"].as_str().unwrap();
    let act = |act: &str| app.post(&format!("{ALL}/{id}/{act}")).bearer(&admin);
    let body = json!({ "slug": "www" });
    act("approve")
        .json(&body)
        .send()
        .await
        .problem(422, "validation_failed");
    let made = act("approve")
        .json(&json!({ "slug": "acme-two" }))
        .send()
        .await
        .ok(200);
    assert_eq!(
        (&made["slug"], &made["status"]),
        (&json!("acme-two"), &json!("active"))
    );
    act("approve").send().await.problem(409, "conflict");
    act("reject").send().await.problem(409, "conflict");
    confirm().await.problem(400, "token_invalid");
    let setup = app.inner().setup_token_from_mail(ADA).await;
    assert!(setup.is_ok());
    let listed = get("").await.ok(200);
    assert_eq!(listed["items"][0]["tenant_id"], made["id"]);
    for act in ["approve", "reject"] {
        let call = app
            .post(&format!("{ALL}/{}/{act}", nobodys_id()))
            .bearer(&admin);
        call.send().await.problem(404, "not_found");
    }
}

#[tokio::test]
async fn an_application_is_rejected_with_a_reason() {
    let app = start(Signup::Apply).await;
    let admin = app.admin().await.access;
    app.post(ALL).json(&wish("acme")).send().await.ok(202);
    let body = json!({ "token": token(&app).await });
    app.post(&format!("{ALL}/confirm"))
        .json(&body)
        .send()
        .await
        .ok(200);
    let listed = app.get(ALL).bearer(&admin).send().await.ok(200);
    let id = listed["items"][0]["id"].as_str().unwrap();
    let reject = |reason: &str| {
        let call = app.post(&format!("{ALL}/{id}/reject")).bearer(&admin);
        call.json(&json!({ "reason": reason }))
    };
    reject("a\nb")
        .send()
        .await
        .problem(422, "validation_failed");
    let rejected = reject("we know you").send().await.ok(200);
    assert_eq!(
        (&rejected["state"], &rejected["reason"]),
        (&json!("rejected"), &json!("we know you"))
    );
}

#[tokio::test]
async fn nobody_asks_where_that_is_closed() {
    let app = TestApp::start().await;
    app.post(ALL)
        .json(&wish("acme"))
        .send()
        .await
        .problem(403, "forbidden");
    assert_eq!(app.get("/signup").send().await.status, 403);
    assert!(app.inner().mails().await.unwrap().is_empty());
    app.post(ALL)
        .json(&json!({ "name": "Acme" }))
        .send()
        .await
        .problem(422, "validation_failed");
}

#[tokio::test]
async fn a_taken_slug_is_told_and_an_address_is_not() {
    let app = start(Signup::Apply).await;
    app.tenant_owned_by("acme", ADA).await;
    app.post(ALL)
        .json(&wish("acme"))
        .send()
        .await
        .problem(409, "slug_taken");
    let known = app.post(ALL).json(&wish("globex")).send().await.ok(202);
    let mut other = wish("globex");
    other["email"] = json!("nobody@example.org");
    let unknown = app.post(ALL).json(&other).send().await.ok(202);
    assert_eq!(known, unknown);
}

/// The nonce that a page gave, and the token of its form.
fn form_of(answer: &tenantry_testkit::app::Answer) -> (String, String) {
    let text = answer.text();
    let token = text.split("name=\"csrf_token\" value=\"").nth(1).unwrap();
    let token = token.split('"').next().unwrap().to_owned();
    let cookie = answer.header("set-cookie").unwrap();
    (cookie.split(';').next().unwrap().to_owned(), token)
}

#[tokio::test]
async fn the_pages_lead_from_the_form_to_the_tenant() {
    let app = start(Signup::Open).await;
    let page = app.get("/signup").send().await;
    assert_eq!(page.status, 200);
    let (cookie, csrf) = form_of(&page);
    let send = async |path: &str, fields: &[(&str, &str)]| {
        let mut all = vec![("csrf_token", csrf.as_str())];
        all.extend(fields);
        app.post(path)
            .header("cookie", &cookie)
            .form(&all)
            .send()
            .await
    };
    let typed = |slug: &'static str, email: &'static str| {
        [
            ("name", "Acme"),
            ("slug", slug),
            ("email", email),
            ("full_name", ""),
        ]
    };
    let wrong = send("/signup", &typed("Acme!", "ada@")).await;
    assert_eq!(wrong.status, 422);
    let text = wrong.text();
    assert!(text.contains("value=\"Acme\""), "{text}");
    assert!(
        text.contains("value=\"Acme!\"")
            && text.contains("slug-error")
            && text.contains("email-error")
    );
    let sent = send("/signup", &typed("acme", ADA)).await;
    assert_eq!(sent.status, 202, "{}", sent.text());
    assert!(sent.text().contains(ADA));
    let path = format!("/signup/{}", token(&app).await);
    // A scanner that follows the link makes nothing.
    for _ in 0..2 {
        let shown = app.get(&path).send().await;
        assert_eq!(shown.status, 200);
        assert!(shown.text().contains("acme.localhost"), "{}", shown.text());
    }
    let admin = app.admin().await.access;
    let find = async || app.get("/api/v1/tenants/acme").bearer(&admin).send().await;
    find().await.problem(404, "not_found");
    let made = send(&path, &[]).await;
    assert_eq!(made.status, 200, "{}", made.text());
    assert!(made.text().contains("http://acme.localhost:8000/"));
    find().await.ok(200);
    assert_eq!(app.get(&path).send().await.status, 400);
    let taken = send("/signup", &typed("acme", ADA)).await;
    assert_eq!(taken.status, 409);
    assert!(taken.text().contains("slug-error"));
}

#[tokio::test]
async fn the_console_decides() {
    let app = start(Signup::Apply).await;
    app.admin().await;
    app.tenant("taken").await;
    for slug in ["acme", "globex"] {
        app.post(ALL).json(&wish(slug)).send().await.ok(202);
        app.clock().advance(std::time::Duration::from_millis(1));
        let body = json!({ "token": token(&app).await });
        app.post(&format!("{ALL}/confirm"))
            .json(&body)
            .send()
            .await
            .ok(200);
    }
    let cookie = app.cookie("localhost", "root@platform.example").await;
    let page = app
        .get("/admin/applications")
        .cookie(&cookie)
        .send()
        .await
        .text();
    let csrf = page.split("name=\"csrf_token\" value=\"").nth(1).unwrap();
    let csrf = csrf.split('"').next().unwrap().to_owned();
    // The newest first.
    let ids: Vec<String> = page
        .split("action=\"/admin/applications/")
        .skip(1)
        .filter_map(|rest| rest.split_once("/approve\"").map(|(id, _)| id.to_owned()))
        .filter(|id| id.len() == 36)
        .collect();
    assert_eq!(ids.len(), 2, "{page}");
    let send = async |id: &str, act: &str, field: (&str, &str)| {
        let call = app
            .post(&format!("/admin/applications/{id}/{act}"))
            .cookie(&cookie);
        call.form(&[("csrf_token", &csrf), field]).send().await
    };
    let refused = send(&ids[0], "approve", ("slug", "taken")).await;
    assert_eq!(refused.status, 409);
    assert!(
        refused.text().contains("short name is taken"),
        "{}",
        refused.text()
    );
    let made = send(&ids[0], "approve", ("slug", "")).await;
    assert_eq!(made.status, 200, "{}", made.text());
    let rejected = send(&ids[1], "reject", ("reason", "no room")).await;
    assert_eq!(rejected.status, 200, "{}", rejected.text());
    let all = app
        .get("/admin/applications?state=all")
        .cookie(&cookie)
        .send()
        .await
        .text();
    assert!(
        all.contains("no room") && all.contains("/admin/tenants/globex"),
        "{all}"
    );
}
