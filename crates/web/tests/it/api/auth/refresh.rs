//! `POST /api/v1/auth/refresh`

use std::time::Duration;

use serde_json::json;
use tenantry_testkit::app::{AccessToken, Answer, AppOptions, SignIn, TestApp};
use tenantry_testkit::service::{Options, SessionDriver};
use tenantry_testkit::services::RedisServer;

use super::login::is_login_answer;

const REFRESH: &str = "/api/v1/auth/refresh";
const ME: &str = "/api/v1/auth/me";

async fn refresh(app: &TestApp, token: &str) -> Answer {
    let body = json!({ "refresh_token": token });
    app.post(REFRESH).json(&body).send().await
}

async fn a_refresh_token_is_good_once(app: TestApp) {
    let acme = app.tenant("acme").await;
    let first = app.sign_in(&acme.host, &acme.owner).await;
    app.clock().advance(Duration::from_mins(10));
    let answer = refresh(&app, &first.refresh).await;
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let second = SignIn::of(answer.ok(200));
    is_login_answer(&second.body, Some(&acme));
    assert_ne!(second.refresh, first.refresh);
    let (old, new) = (
        AccessToken::parse(&first.access),
        AccessToken::parse(&second.access),
    );
    assert_eq!(
        old.claims["sid"], new.claims["sid"],
        "it is the same session"
    );
    assert_ne!(old.claims["jti"], new.claims["jti"]);
    app.get(ME).bearer(&second.access).send().await.ok(200);

    // Used again, somebody has a copy: nobody goes on.
    refresh(&app, &first.refresh)
        .await
        .problem(401, "session_stale");
    refresh(&app, &second.refresh)
        .await
        .problem(401, "session_stale");
    app.get(ME)
        .bearer(&second.access)
        .send()
        .await
        .problem(401, "session_stale");
    // Other sessions of the person do.
    app.sign_in(&acme.host, &acme.owner).await;
}

on_both!(a_refresh_token_is_good_once);

async fn of_many_renewals_at_once_one_counts_and_the_session_ends(app: TestApp) {
    let acme = app.tenant("acme").await;
    let first = app.sign_in(&acme.host, &acme.owner).await;
    let bystander = app.sign_in(&acme.host, &acme.owner).await;
    let body = json!({ "refresh_token": first.refresh });
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..20 {
        calls.spawn(app.post(REFRESH).json(&body).send());
    }
    let answers = calls.join_all().await;
    let mut renewed = Vec::new();
    for answer in &answers {
        if answer.status == 200 {
            renewed.push(SignIn::of(answer.json()));
        } else {
            answer.problem(401, "session_stale");
        }
    }
    assert_eq!(renewed.len(), 1);
    refresh(&app, &renewed[0].refresh)
        .await
        .problem(401, "session_stale");
    app.get(ME)
        .bearer(&renewed[0].access)
        .send()
        .await
        .problem(401, "session_stale");
    app.get(ME).bearer(&bystander.access).send().await.ok(200);
}

on_both!(of_many_renewals_at_once_one_counts_and_the_session_ends);

#[tokio::test]
async fn what_is_no_refresh_token_is_refused() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme").await;
    let signed = app.sign_in(&acme.host, &acme.owner).await;
    let cookie = app.cookie(&acme.host, &acme.owner).await;
    let cut = &signed.refresh[..signed.refresh.len() - 1];
    let last = if signed.refresh.ends_with('A') {
        "B"
    } else {
        "A"
    };
    let changed = format!("{cut}{last}");
    let first = if signed.refresh.starts_with('A') {
        "B"
    } else {
        "A"
    };
    let other = format!("{first}{}", &signed.refresh[1..]);
    for wrong in [
        "",
        "garbage",
        cut,
        &changed,
        &other,
        &signed.access,
        &cookie,
    ] {
        refresh(&app, wrong)
            .await
            .problem(401, "authentication_required");
    }
    // None of it counted as a second use.
    refresh(&app, &signed.refresh).await.ok(200);
}

#[tokio::test]
async fn at_another_tenants_address_it_is_garbage_and_stays_good() {
    let app = TestApp::start().await;
    let (acme, globex) = (app.tenant("acme").await, app.tenant("globex").await);
    let signed = app.sign_in(&acme.host, &acme.owner).await;
    let admin = app.admin().await;
    for token in [&signed.refresh, &admin.refresh] {
        let body = json!({ "refresh_token": token });
        let answer = app
            .post(REFRESH)
            .host(&globex.host)
            .json(&body)
            .send()
            .await;
        answer.problem(401, "authentication_required");
        let call = app.post(REFRESH).header("x-tenant-id", &globex.slug);
        call.json(&body)
            .send()
            .await
            .problem(401, "authentication_required");
    }
    let body = json!({ "refresh_token": signed.refresh });
    let answer = app.post(REFRESH).host(&acme.host).json(&body).send().await;
    is_login_answer(&answer.ok(200), Some(&acme));
}

#[tokio::test]
async fn a_suspension_interrupts_and_loses_nothing() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme").await;
    let signed = app.sign_in(&acme.host, &acme.owner).await;
    let id = acme.id.parse().unwrap();
    app.service().suspend_tenant(id).await.unwrap();
    refresh(&app, &signed.refresh)
        .await
        .problem(401, "session_stale");
    app.get(ME)
        .bearer(&signed.access)
        .send()
        .await
        .problem(401, "session_stale");
    app.service().resume_tenant(id).await.unwrap();
    app.get(ME).bearer(&signed.access).send().await.ok(200);
    refresh(&app, &signed.refresh).await.ok(200);
}

#[tokio::test]
async fn a_session_ends_unused_after_an_hour_and_in_any_case_after_twelve() {
    let app = TestApp::start().await;
    let acme = app.tenant("acme").await;
    let idle = app.sign_in(&acme.host, &acme.owner).await;
    app.clock().advance(Duration::from_hours(1));
    refresh(&app, &idle.refresh)
        .await
        .problem(401, "session_stale");

    let mut busy = app.sign_in(&acme.host, &acme.owner).await;
    for _ in 0..14 {
        app.clock().advance(Duration::from_mins(50));
        busy = SignIn::of(refresh(&app, &busy.refresh).await.ok(200));
    }
    app.clock().advance(Duration::from_mins(20));
    refresh(&app, &busy.refresh)
        .await
        .problem(401, "session_stale");
}

/// Redis takes the change in too late to answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_may_have_been_done_is_not_to_be_tried_again() {
    let redis = RedisServer::start().unwrap();
    let options = Options::sqlite().with_sessions(SessionDriver::Redis);
    let options = AppOptions::over(options.with_redis(&redis.url()));
    let app: TestApp = options.start().await;
    let acme = app.tenant("acme").await;
    let signed = app.sign_in(&acme.host, &acme.owner).await;
    redis.ask(&["CLIENT", "PAUSE", "60000", "WRITE"]).unwrap();
    let answer = refresh(&app, &signed.refresh).await;
    // Unlike whatever else is busy, it says no moment to try again.
    assert_eq!(answer.header("retry-after"), None);
    let told: serde_json::Value = serde_json::from_str(&answer.text()).unwrap();
    assert_eq!((answer.status, told["code"].as_str()), (503, Some("busy")));
    let detail = told["detail"].as_str().unwrap();
    assert!(detail.contains("sign in again"), "{detail}");
}
