//! `POST /api/v1/auth/logout` and `…/logout-all`

use serde_json::json;
use tenantry_testkit::app::{SignIn, TestApp};

const ME: &str = "/api/v1/auth/me";

async fn is_over(app: &TestApp, signed: &SignIn) -> bool {
    let answer = app.get(ME).bearer(&signed.access).send().await;
    if answer.status == 200 {
        return false;
    }
    answer.problem(401, "session_stale");
    let body = json!({ "refresh_token": signed.refresh });
    let answer = app.post("/api/v1/auth/refresh").json(&body).send().await;
    answer.problem(401, "session_stale");
    true
}

async fn ends_the_session_that_asks_and_no_other(app: TestApp) {
    let acme = app.tenant("acme").await;
    let one = app.sign_in(&acme.host, &acme.owner).await;
    let two = app.sign_in(&acme.host, &acme.owner).await;
    let answer = app
        .post("/api/v1/auth/logout")
        .bearer(&one.access)
        .send()
        .await;
    assert_eq!(answer.ok(200), json!({ "sessions_cleared": 1 }));
    assert!(is_over(&app, &one).await);
    assert!(!is_over(&app, &two).await);
    let again = app
        .post("/api/v1/auth/logout")
        .bearer(&one.access)
        .send()
        .await;
    again.problem(401, "session_stale");
}

on_both!(ends_the_session_that_asks_and_no_other);

async fn ends_all_of_the_person_and_nobody_elses(app: TestApp) {
    let acme = app.tenant_owned_by("acme", "sam@example.com").await;
    let globex = app.tenant_owned_by("globex", "sam@example.com").await;
    let one = app.sign_in(&acme.host, "sam@example.com").await;
    let two = app.sign_in(&acme.host, "sam@example.com").await;
    let elsewhere = app.sign_in(&globex.host, "sam@example.com").await;
    let admin = app.admin().await;
    let answer = app
        .post("/api/v1/auth/logout-all")
        .bearer(&one.access)
        .send()
        .await;
    assert_eq!(answer.ok(200), json!({ "sessions_cleared": 2 }));
    for (signed, words) in [(&one, "You have signed out"), (&two, "from another one")] {
        let answer = app.get(ME).bearer(&signed.access).send().await;
        let told = answer.problem(401, "session_stale");
        let detail = told["detail"].as_str().unwrap();
        assert!(detail.contains(words), "{detail}");
    }
    assert!(is_over(&app, &one).await && is_over(&app, &two).await);
    assert!(!is_over(&app, &elsewhere).await && !is_over(&app, &admin).await);
    let answer = app
        .post("/api/v1/auth/logout-all")
        .bearer(&admin.access)
        .send()
        .await;
    assert_eq!(answer.ok(200), json!({ "sessions_cleared": 1 }));
    assert!(is_over(&app, &admin).await && !is_over(&app, &elsewhere).await);
}

on_both!(ends_all_of_the_person_and_nobody_elses);
