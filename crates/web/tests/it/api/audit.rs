//! `/api/v1/audit`, and what acts through the API and the pages leave there.

use std::fmt::Write as _;

use serde_json::{Value, json};
use tenantry_core::audit::Entry;
use tenantry_testkit::app::{Answer, TestApp};
use tenantry_testkit::service::PASSWORD;

use crate::census::audit::Watch;
use crate::shape::{has_fields, is_id, is_time, nobodys_id};

const AUDIT: &str = "/api/v1/audit";
const ENTRY: &[&str] = &[
    "id",
    "at",
    "action",
    "outcome",
    "code",
    "actor",
    "tenant_id",
    "tenant_slug",
    "target",
    "ip",
    "user_agent",
    "request_id",
    "detail",
    "seq",
];

async fn asked(app: &TestApp, admin: &str, query: &str) -> Answer {
    let call = app.get(&format!("{AUDIT}{query}")).bearer(admin);
    call.send().await
}

async fn items(app: &TestApp, admin: &str, query: &str) -> Vec<Value> {
    let body = asked(app, admin, query).await.ok(200);
    body["items"].as_array().unwrap().clone()
}

/// What an entry says in short: action, outcome, code.
fn short(entry: &Entry) -> (&str, &str, &str) {
    (
        entry.action.as_str(),
        entry
            .outcome
            .map_or("", tenantry_core::audit::Outcome::as_str),
        entry.code.as_deref().unwrap_or_default(),
    )
}

async fn a_tenants_life_is_told_by_whom_and_to_whom(app: TestApp) {
    let admin = app.admin().await.access;
    let me = app
        .get("/api/v1/auth/me")
        .bearer(&admin)
        .send()
        .await
        .ok(200);
    let mut watch = Watch::begin(&app).await;
    let owner = json!({ "email": "owner@acme.example", "password": PASSWORD });
    let new = json!({ "name": "Acme", "slug": "acme", "owner": owner });
    let call = app.post("/api/v1/tenants").bearer(&admin).json(&new);
    let made = call.send().await.ok(201);
    let id = made["id"].as_str().unwrap().to_owned();
    let one = "/api/v1/tenants/acme";
    let mut entries = vec![("tenant.create", watch.fresh(&app).await)];
    for (action, method, path, body) in [
        (
            "tenant.change",
            "PATCH",
            one.to_owned(),
            Some(json!({ "name": "Acme 2" })),
        ),
        ("tenant.suspend", "POST", format!("{one}/suspend"), None),
        (
            "tenant.resume",
            "POST",
            format!("/api/v1/tenants/{id}/resume"),
            None,
        ),
        (
            "tenant.end_sessions",
            "DELETE",
            format!("{one}/sessions"),
            None,
        ),
        ("tenant.repair", "POST", format!("{one}/repair"), None),
        (
            "directory.rebuild",
            "POST",
            format!("{one}/email-directory/rebuild"),
            None,
        ),
        (
            "tenant.recreate",
            "POST",
            format!("{one}/recreate"),
            Some(json!({ "confirm": "acme", "owner": owner })),
        ),
        (
            "tenant.delete",
            "DELETE",
            format!("{one}?confirm=acme"),
            None,
        ),
        ("tenant.restore", "POST", format!("{one}/restore"), None),
        (
            "tenant.delete",
            "DELETE",
            format!("{one}?confirm=acme&purge=true"),
            None,
        ),
    ] {
        let mut call = app.call(method, &path).bearer(&admin);
        if let Some(body) = &body {
            call = call.json(body);
        }
        let answer = call.send().await;
        assert!(answer.status < 300, "{action}: {}", answer.text());
        entries.push((action, watch.fresh(&app).await));
    }
    for (action, fresh) in entries {
        let entry = Watch::only(fresh, action);
        assert_eq!(short(&entry), (action, "done", ""));
        assert_eq!(
            entry.tenant.map(|id| id.to_string()),
            Some(id.clone()),
            "{action}"
        );
        let actor = entry.actor.id().map(|id| id.to_string());
        assert_eq!(actor.as_deref(), me["id"].as_str(), "{action}");
        assert_eq!(entry.target, None);
    }
    // The tenant is gone and what was done to it is not; by its slug nothing is found any more.
    assert_eq!(
        items(&app, &admin, &format!("?tenant={id}")).await.len(),
        11
    );
    let gone = asked(&app, &admin, "?tenant=acme").await;
    gone.problem(404, "tenant_not_found");
}

async fn what_has_an_id_of_its_own_is_told_by_it(app: TestApp) {
    let admin = app.admin().await.access;
    let mut watch = Watch::begin(&app).await;
    let hook = json!({ "url": "https://hooks.example/" });
    let call = app.post("/api/v1/webhooks").bearer(&admin).json(&hook);
    let hook = call.send().await.ok(201);
    let entry = Watch::only(watch.fresh(&app).await, "webhook.add");
    assert_eq!(entry.target.as_deref(), hook["id"].as_str());
    let path = format!("/api/v1/webhooks/{}", hook["id"].as_str().unwrap());
    let gone = app.call("DELETE", &path).bearer(&admin).send().await;
    assert_eq!(gone.status, 204);
    let entry = Watch::only(watch.fresh(&app).await, "webhook.remove");
    assert_eq!(short(&entry), ("webhook.remove", "done", ""));
    assert_eq!(entry.target.as_deref(), hook["id"].as_str());
}

async fn signing_in_and_out_is_told_once_it_ended(app: TestApp) {
    let acme = app.tenant("acme").await;
    let mut watch = Watch::begin(&app).await;
    let signed = app.sign_in(&acme.host, &acme.owner).await;
    let entry = Watch::only(watch.fresh(&app).await, "sign-in");
    assert_eq!(short(&entry), ("session.begin", "done", ""));
    let user = signed.body["user"]["id"].as_str();
    assert_eq!(entry.actor.id().map(|id| id.to_string()).as_deref(), user);
    assert_eq!(entry.tenant.unwrap().to_string(), acme.id);

    // Renewing leaves nothing until a token comes back.
    let refresh = async |token: &str| {
        let body = json!({ "refresh_token": token });
        app.post("/api/v1/auth/refresh").json(&body).send().await
    };
    refresh(&signed.refresh).await.ok(200);
    assert!(watch.fresh(&app).await.is_empty());
    refresh(&signed.refresh).await.problem(401, "session_stale");
    let entry = Watch::only(watch.fresh(&app).await, "reuse");
    assert_eq!(
        short(&entry),
        ("session.refresh", "refused", "session_stale")
    );
    assert_eq!(entry.actor.id().map(|id| id.to_string()).as_deref(), user);
    refresh(&signed.refresh).await.problem(401, "session_stale");
    assert!(watch.fresh(&app).await.is_empty(), "told once");
    refresh("garbage")
        .await
        .problem(401, "authentication_required");
    assert!(watch.fresh(&app).await.is_empty());

    let signed = app.sign_in(&acme.host, &acme.owner).await;
    let begun = Watch::only(watch.fresh(&app).await, "sign-in");
    let out = app.post("/api/v1/auth/logout").bearer(&signed.access);
    out.send().await.ok(200);
    let entry = Watch::only(watch.fresh(&app).await, "sign-out");
    assert_eq!(short(&entry), ("session.end", "done", ""));
    assert_eq!(entry.actor, begun.actor);
    assert_eq!(entry.target, begun.target, "the session");

    // Known and unknown, the same stands for the same address, and tells nobody which it was.
    let mut targets = Vec::new();
    for email in [
        acme.owner.as_str(),
        "nobody@acme.example",
        &acme.owner.to_uppercase(),
    ] {
        let wrong = app.try_sign_in(&acme.host, email, "a wrong password").await;
        wrong.problem(401, "invalid_credentials");
        let entry = Watch::only(watch.fresh(&app).await, email);
        assert_eq!(
            short(&entry),
            ("session.begin", "refused", "invalid_credentials")
        );
        assert_eq!(entry.actor.kind().as_str(), "nobody");
        assert_eq!(entry.tenant.unwrap().to_string(), acme.id);
        targets.push(entry.target.unwrap());
    }
    assert_eq!(targets[0], targets[2]);
    assert_ne!(targets[0], targets[1]);
}

async fn a_choice_of_tenants_is_told_in_two_parts(app: TestApp) {
    app.tenant_owned_by("acme", "sam@example.com").await;
    let globex = app.tenant_owned_by("globex", "sam@example.com").await;
    let mut watch = Watch::begin(&app).await;
    let answer = app
        .try_sign_in("localhost", "sam@example.com", PASSWORD)
        .await;
    let body = answer.problem(409, "tenant_selection_required");
    let entry = Watch::only(watch.fresh(&app).await, "offer");
    assert_eq!(
        short(&entry),
        ("session.begin", "refused", "tenant_selection_required")
    );
    assert_eq!(entry.tenant, None);
    let choice = json!({ "selection_token": body["selection_token"], "tenant_id": globex.id });
    let path = "/api/v1/auth/login/select";
    app.post(path).json(&choice).send().await.ok(200);
    let entry = Watch::only(watch.fresh(&app).await, "choice");
    assert_eq!(short(&entry), ("session.choose", "done", ""));
    assert_eq!(entry.tenant.unwrap().to_string(), globex.id);
    // Anybody can send garbage, as often as he likes.
    let garbage = json!({ "selection_token": "garbage", "tenant_id": globex.id });
    let refused = app.post(path).json(&garbage).send().await;
    refused.problem(400, "token_invalid");
    assert!(watch.fresh(&app).await.is_empty());
}

/// The tables of the audit hold none of these, neither in clear nor in octets.
async fn holds_none_of(app: &TestApp, secrets: &[&str]) {
    let dump = app.control().dump().await.unwrap();
    let lines: Vec<&String> = dump
        .iter()
        .filter(|line| line.starts_with("audit"))
        .collect();
    assert!(lines.len() > 6, "{lines:?}");
    for secret in secrets {
        let mut hex = String::new();
        for octet in secret.bytes() {
            write!(hex, "{octet:02X}").unwrap();
        }
        for line in &lines {
            assert!(!line.contains(secret), "{secret} in {line}");
            assert!(!line.to_uppercase().contains(&hex), "{secret} in {line}");
        }
    }
}

async fn secrets_that_did_not_fit_are_told_and_none_is_written(app: TestApp) {
    let admin = app.admin().await.access;
    let new = json!({ "name": "Acme", "slug": "acme", "owner": { "email": "ada@acme.example" } });
    let call = app.post("/api/v1/tenants").bearer(&admin).json(&new);
    let made = call.send().await.ok(201);
    let token = app
        .inner()
        .setup_token_from_mail("ada@acme.example")
        .await
        .unwrap();
    let mut watch = Watch::begin(&app).await;
    // By the link in the mail the owner sets a password.
    let path = format!("/setup/password/{token}");
    let nonce = "AAAAAAAAAAAAAAAAAAAAAA";
    let csrf = app
        .service()
        .csrf()
        .token(format!("nonce:{nonce}").as_bytes());
    let set = async |password: &str| {
        let call = app.post(&path).host("acme.localhost");
        let call = call.header("cookie", &format!("tenantry_csrf={nonce}"));
        call.form(&[("csrf_token", csrf.as_str()), ("password", password)])
            .send()
            .await
    };
    assert_eq!(set("short").await.status, 422);
    assert!(watch.fresh(&app).await.is_empty());
    assert_eq!(set(PASSWORD).await.status, 303);
    let entry = Watch::only(watch.fresh(&app).await, "setup");
    assert_eq!(short(&entry), ("user.set_password", "done", ""));
    assert_eq!(entry.actor.kind().as_str(), "user");
    assert_eq!(
        Some(entry.tenant.unwrap().to_string().as_str()),
        made["id"].as_str()
    );
    let owner = entry.actor;
    assert_eq!(set(PASSWORD).await.status, 400);
    let entry = Watch::only(watch.fresh(&app).await, "used link");
    assert_eq!(
        short(&entry),
        ("user.set_password", "refused", "token_invalid")
    );

    // Then changes it, at first with a slip, by the API and on the page.
    let signed = app.sign_in("acme.localhost", "ada@acme.example").await;
    let cookie = app.cookie("acme.localhost", "ada@acme.example").await;
    watch.fresh(&app).await;
    let wrong = "a password that is wrong";
    let chosen = "another long enough one";
    let change = async |current: &str| {
        let body = json!({ "current_password": current, "new_password": chosen });
        let call = app.post("/api/v1/auth/me/password").bearer(&signed.access);
        call.json(&body).send().await
    };
    change(wrong).await.invalid(&["current_password:wrong"]);
    let refused = ("user.change_password", "refused", "invalid_credentials");
    let entry = Watch::only(watch.fresh(&app).await, "wrong");
    assert_eq!((short(&entry), &entry.actor), (refused, &owner));
    let page = app
        .get("/account/password")
        .host("acme.localhost")
        .cookie(&cookie);
    let page = page.send().await.text();
    let (_, rest) = page.split_once("name=\"csrf_token\" value=\"").unwrap();
    let form_token = rest.split('"').next().unwrap();
    let call = app
        .post("/account/password")
        .host("acme.localhost")
        .cookie(&cookie);
    let fields = [
        ("csrf_token", form_token),
        ("current_password", wrong),
        ("new_password", chosen),
    ];
    assert_eq!(call.form(&fields).send().await.status, 422);
    let entry = Watch::only(watch.fresh(&app).await, "wrong on the page");
    assert_eq!((short(&entry), &entry.actor), (refused, &owner));
    change(PASSWORD).await.ok(200);
    let entry = Watch::only(watch.fresh(&app).await, "changed");
    assert_eq!(short(&entry), ("user.change_password", "done", ""));

    // Nothing of all that stands in the audit.
    app.try_sign_in("acme.localhost", "ada@acme.example", wrong)
        .await;
    app.service().seal_audit().await.unwrap();
    holds_none_of(
        &app,
        &[
            PASSWORD,
            wrong,
            chosen,
            &token,
            &admin,
            &signed.access,
            &signed.refresh,
            &cookie,
            &csrf,
            form_token,
            "ada@acme.example",
        ],
    )
    .await;
    assert_eq!(app.service().verify_audit().await.unwrap().broken, None);
}

async fn entries_are_listed_the_newest_first(app: TestApp) {
    let admin = app.admin().await.access;
    let acme = app.tenant("acme").await;
    for _ in 0..3 {
        app.clock().advance(std::time::Duration::from_secs(1));
        app.try_sign_in(&acme.host, &acme.owner, "a wrong password")
            .await;
    }
    app.clock().advance(std::time::Duration::from_secs(1));
    let suspend = app.post("/api/v1/tenants/acme/suspend").bearer(&admin);
    suspend.send().await.ok(200);
    app.service().seal_audit().await.unwrap();
    let list = items(&app, &admin, "").await;
    assert_eq!(list.len(), 5, "with the admin's sign-in");
    for entry in &list {
        has_fields(entry, ENTRY);
        is_id(&entry["id"]);
        is_time(&entry["at"]);
        has_fields(&entry["actor"], &["kind", "id", "name"]);
    }
    assert_eq!(list[0]["action"], "tenant.suspend");
    assert_eq!(list[0]["actor"]["name"], "root@platform.example");
    assert_eq!(list[0]["tenant_slug"], "acme");
    assert_eq!(list[0]["ip"], "127.0.0.1");
    assert!(list.iter().all(|entry| entry["seq"].is_i64()), "{list:?}");
    let times: Vec<&str> = list
        .iter()
        .map(|entry| entry["at"].as_str().unwrap())
        .collect();
    assert!(times.is_sorted_by(|a, b| a >= b), "{times:?}");

    // Page by page, each once.
    let mut seen = Vec::new();
    let mut query = "?limit=2".to_owned();
    loop {
        let page = asked(&app, &admin, &query).await.ok(200);
        seen.extend(page["items"].as_array().unwrap().clone());
        let Some(cursor) = page["next_cursor"].as_str() else {
            break;
        };
        query = format!("?limit=2&cursor={cursor}");
    }
    assert_eq!(seen, list);

    let at = times[1];
    for (query, expected) in [
        (format!("?tenant={}", acme.id), 4),
        ("?tenant=acme&action=session.begin".to_owned(), 3),
        (format!("?tenant={}", nobodys_id()), 0),
        ("?action=tenant.suspend".to_owned(), 1),
        ("?action=tenant.sing".to_owned(), 0),
        ("?actor=nobody".to_owned(), 3),
        (
            format!("?actor={}", list[0]["actor"]["id"].as_str().unwrap()),
            2,
        ),
        (format!("?from={at}"), 2),
        (format!("?to={at}"), 3),
        (format!("?from={at}&to={at}"), 0),
    ] {
        let found = items(&app, &admin, &query).await;
        assert_eq!(found.len(), expected, "{query}");
    }
    for (query, field) in [
        ("?action=x", "action:invalid"),
        ("?actor=x", "actor:invalid"),
        ("?from=yesterday", "from:invalid"),
        ("?to=1", "to:invalid"),
        ("?cursor=x", "cursor:invalid"),
        ("?limit=0", "limit:invalid"),
    ] {
        asked(&app, &admin, query).await.invalid(&[field]);
    }
    let twice = asked(&app, &admin, "?action=a.b&action=a.b").await;
    twice.problem(400, "malformed_request");
}

on_both!(
    a_tenants_life_is_told_by_whom_and_to_whom,
    what_has_an_id_of_its_own_is_told_by_it,
    signing_in_and_out_is_told_once_it_ended,
    a_choice_of_tenants_is_told_in_two_parts,
    secrets_that_did_not_fit_are_told_and_none_is_written,
    entries_are_listed_the_newest_first,
);

#[tokio::test]
async fn the_console_shows_what_the_api_does() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme").await;
    app.platform_admin("root@platform.example").await;
    let cookie = app.cookie("localhost", "root@platform.example").await;
    let show = async |query: &str| {
        let call = app.get(&format!("/admin/audit{query}")).cookie(&cookie);
        let answer = call.send().await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.text()
    };
    assert!(!show("").await.contains("<table"));
    for _ in 0..51 {
        app.try_sign_in(&acme.host, "nobody@acme.example", "a wrong password")
            .await;
    }
    let page = show("").await;
    assert_eq!(
        page.matches("<span class=\"row-name\">session.begin</span>")
            .count(),
        50
    );
    assert!(!page.contains("nobody@acme.example"));
    let (_, rest) = page.split_once("href=\"/admin/audit?cursor=").unwrap();
    let next = rest.split('"').next().unwrap();
    let page = show(&format!("?cursor={next}")).await;
    assert_eq!(page.matches("class=\"row-name\"").count(), 1);
    assert_eq!(
        show("?tenant=acme")
            .await
            .matches("class=\"row-name\"")
            .count(),
        50
    );
    for nothing in [
        "?tenant=globex",
        "?tenant=%3Cb%3E",
        "?action=tenant.create",
        "?action=x",
    ] {
        let page = show(nothing).await;
        assert!(
            !page.contains("<table") && !page.contains("<b>"),
            "{nothing}"
        );
    }
    // A form leaves empty what nothing was written in.
    assert!(show("?tenant=&action=").await.contains("<table"));
}
