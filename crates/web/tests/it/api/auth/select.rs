//! `POST /api/v1/auth/login/select`

use std::time::Duration;

use serde_json::{Value, json};
use tenantry_testkit::app::{Answer, TestApp, TestTenant};
use tenantry_testkit::service::PASSWORD;

use super::login::is_login_answer;

const SELECT: &str = "/api/v1/auth/login/select";

async fn two(app: &TestApp) -> [TestTenant; 2] {
    [
        app.tenant_owned_by("acme", "sam@example.com").await,
        app.tenant_owned_by("globex", "sam@example.com").await,
    ]
}

async fn offered(app: &TestApp) -> String {
    let answer = app
        .try_sign_in("localhost", "sam@example.com", PASSWORD)
        .await;
    let body: Value = answer.problem(409, "tenant_selection_required");
    body["selection_token"].as_str().unwrap().to_owned()
}

async fn select(app: &TestApp, token: &str, tenant: &str) -> Answer {
    let body = json!({ "selection_token": token, "tenant_id": tenant });
    app.post(SELECT).json(&body).send().await
}

async fn a_choice_is_made_once(app: TestApp) {
    let [acme, globex] = two(&app).await;
    let token = offered(&app).await;
    let answer = select(&app, &token, &globex.id).await;
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    is_login_answer(&answer.ok(200), Some(&globex));
    select(&app, &token, &globex.id)
        .await
        .problem(400, "token_invalid");
    select(&app, &token, &acme.id)
        .await
        .problem(400, "token_invalid");
    // By its slug as well.
    let token = offered(&app).await;
    is_login_answer(&select(&app, &token, "acme").await.ok(200), Some(&acme));
}

on_both!(a_choice_is_made_once);

#[tokio::test]
async fn only_what_was_offered_can_be_chosen_and_a_slip_costs_nothing() {
    let app = TestApp::start().await;
    let [acme, _] = two(&app).await;
    let other = app.tenant("initech").await;
    let token = offered(&app).await;
    for wrong in [
        other.id.as_str(),
        "initech",
        "",
        "nobody",
        "ACME",
        "acme\u{0}",
        "../acme",
    ] {
        select(&app, &token, wrong)
            .await
            .problem(400, "token_invalid");
    }
    is_login_answer(&select(&app, &token, &acme.id).await.ok(200), Some(&acme));
}

#[tokio::test]
async fn a_choice_ends_with_its_time_or_its_tenant() {
    let app = TestApp::start().await;
    let [acme, globex] = two(&app).await;
    let token = offered(&app).await;
    app.clock().advance(Duration::from_mins(5));
    select(&app, &token, &acme.id)
        .await
        .problem(400, "token_invalid");

    let token = offered(&app).await;
    let id = acme.id.parse().unwrap();
    app.service().suspend_tenant(id).await.unwrap();
    select(&app, &token, &acme.id)
        .await
        .problem(400, "token_invalid");
    app.service().resume_tenant(id).await.unwrap();

    let token = offered(&app).await;
    app.service().delete_tenant(id, false).await.unwrap();
    app.service().restore_tenant(id).await.unwrap();
    select(&app, &token, &acme.id)
        .await
        .problem(400, "token_invalid");
    is_login_answer(
        &select(&app, &token, &globex.id).await.ok(200),
        Some(&globex),
    );

    // A password that was changed meanwhile fits no more.
    let token = offered(&app).await;
    let owner = app.sign_in(&globex.host, "sam@example.com").await;
    let body = json!({ "current_password": PASSWORD, "new_password": "quite another one" });
    let call = app.post("/api/v1/auth/me/password").bearer(&owner.access);
    call.json(&body).send().await.ok(200);
    select(&app, &token, &globex.id)
        .await
        .problem(400, "token_invalid");
}

#[tokio::test]
async fn what_is_no_choice_is_refused() {
    let app = TestApp::start().await;
    let [acme, globex] = two(&app).await;
    let token = offered(&app).await;
    let signed = app.sign_in(&acme.host, "sam@example.com").await;
    let cut = &token[..token.len() - 1];
    let last = if token.ends_with('A') { "B" } else { "A" };
    let changed = format!("{cut}{last}");
    for wrong in [
        "",
        "garbage",
        cut,
        &changed,
        &signed.refresh,
        &signed.access,
        &token.to_lowercase(),
    ] {
        select(&app, wrong, &acme.id)
            .await
            .problem(400, "token_invalid");
    }
    // At another tenant's address the choice is as good as garbage.
    let body = json!({ "selection_token": token, "tenant_id": globex.id });
    let answer = app.post(SELECT).host(&acme.host).json(&body).send().await;
    answer.problem(400, "token_invalid");
    let answer = app.post(SELECT).host(&globex.host).json(&body).send().await;
    is_login_answer(&answer.ok(200), Some(&globex));
}

async fn of_many_choices_at_once_one_counts(app: TestApp) {
    let [acme, _] = two(&app).await;
    let token = offered(&app).await;
    let body = json!({ "selection_token": token, "tenant_id": acme.id });
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..10 {
        calls.spawn(app.post(SELECT).json(&body).send());
    }
    let answers = calls.join_all().await;
    let chosen = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(chosen, 1);
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        answer.problem(400, "token_invalid");
    }
}

on_both!(of_many_choices_at_once_one_counts);
