//! Many at once: what is bounded stays bounded, and what is not concerned does not feel it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use tenantry_testkit::app::{Answer, AppOptions, TestApp};
use tenantry_testkit::service::{Options, PASSWORD};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// More than the places of one tenant in the queue for hashing, of which there are 128.
const STORM: usize = 220;

struct Storm {
    calls: JoinSet<Answer>,
    ended: Arc<AtomicUsize>,
    busy: watch::Receiver<bool>,
}

/// Wrong passwords for one tenant, all at the same time, and one thread to hash them.
fn storm(app: &TestApp, host: &str, email: &str) -> Storm {
    let ended = Arc::new(AtomicUsize::new(0));
    let (tell, busy) = watch::channel(false);
    let mut calls = JoinSet::new();
    for number in 0..STORM {
        let body = json!({ "email": email, "password": format!("a wrong guess {number}") });
        let call = app.post("/api/v1/auth/login").host(host).json(&body);
        let (ended, tell) = (Arc::clone(&ended), tell.clone());
        calls.spawn(async move {
            let answer = call.send().await;
            if answer.status == 503 {
                tell.send_replace(true);
            }
            ended.fetch_add(1, Ordering::SeqCst);
            answer
        });
    }
    Storm { calls, ended, busy }
}

async fn started(options: Options) -> TestApp {
    let options = AppOptions {
        hash_threads: 1,
        // A storm is of hashes that take their time.
        ..AppOptions::over(options.with_costly_hashes())
    };
    options.start().await
}

/// Passwords that wait to be hashed.
async fn waiting(app: &TestApp) -> f64 {
    let text = app.get("/metrics").send().await.text();
    let line = text
        .lines()
        .find(|line| line.starts_with("tenantry_password_queue "));
    line.unwrap().rsplit(' ').next().unwrap().parse().unwrap()
}

async fn is_not_felt(options: Options) {
    let app = started(options).await;
    let (acme, globex) = (app.tenant("acme").await, app.tenant("globex").await);
    let token = app.sign_in(&acme.host, &acme.owner).await.access;
    let mut storm = storm(&app, &acme.host, &acme.owner);
    // Once somebody was turned away, the tenant's queue is full.
    storm.busy.wait_for(|busy| *busy).await.unwrap();

    app.get("/healthz").send().await.ok(200);
    app.get("/readyz").send().await.ok(200);
    app.get("/api/v1/auth/me")
        .bearer(&token)
        .send()
        .await
        .ok(200);
    let waiting = waiting(&app).await;
    // What no password can be is refused without a hash, so also now.
    let long = "x".repeat(60_000);
    let answer = app.try_sign_in(&acme.host, &acme.owner, &long).await;
    answer.problem(401, "invalid_credentials");
    assert!(
        storm.ended.load(Ordering::SeqCst) < STORM,
        "all of it came in the middle of the storm"
    );
    assert!(waiting > 0.0 && waiting <= 128.0, "{waiting} wait");
    // Another tenant has its own place, and it is its turn before the storm's.
    app.sign_in(&globex.host, &globex.owner).await;
    assert!(
        storm.ended.load(Ordering::SeqCst) < STORM,
        "nor did another tenant wait for its end"
    );

    let answers = storm.calls.join_all().await;
    let (mut wrong, mut busy) = (0, 0);
    for answer in &answers {
        if answer.status == 503 {
            answer.problem(503, "busy");
            busy += 1;
        } else {
            answer.problem(401, "invalid_credentials");
            wrong += 1;
        }
    }
    assert!(
        busy > 0 && wrong >= 128,
        "{busy} turned away, {wrong} compared"
    );
    app.sign_in(&acme.host, &acme.owner).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_of_sign_ins_is_felt_by_nobody_else() {
    Box::pin(is_not_felt(Options::sqlite().without_rate_limits())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_of_sign_ins_is_felt_by_nobody_else_with_postgres() {
    Box::pin(is_not_felt(Options::postgres().without_rate_limits())).await;
}

/// Of many guesses at the same moment no more are compared than are allowed one after another.
async fn guesses_are_counted(options: Options) {
    let app = started(options).await;
    let acme = app.tenant("acme").await;
    let mut calls = JoinSet::new();
    for number in 0..40 {
        let password = format!("a wrong guess {number}");
        let body = json!({ "email": acme.owner, "password": password });
        calls.spawn(
            app.post("/api/v1/auth/login")
                .host(&acme.host)
                .json(&body)
                .send(),
        );
    }
    let answers = calls.join_all().await;
    let compared = answers.iter().filter(|answer| answer.status == 401).count();
    assert_eq!(compared, 5);
    for answer in answers.iter().filter(|answer| answer.status != 401) {
        answer.problem(429, "rate_limited");
    }
    app.try_sign_in(&acme.host, &acme.owner, PASSWORD)
        .await
        .problem(429, "rate_limited");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guesses_at_one_moment_are_counted_one_by_one() {
    Box::pin(guesses_are_counted(Options::sqlite())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guesses_at_one_moment_are_counted_one_by_one_with_postgres() {
    Box::pin(guesses_are_counted(Options::postgres())).await;
}

/// A hash that takes about a second to compare, the most that one brought from elsewhere may take.
const SLOW: &str = "$argon2id$v=19$m=262144,t=4,p=1$AAAAAAAAAAAAAAAAAAAAAA\
                    $AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Whoever is turned away because the queue is full has tried nothing: no account is blocked by it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn being_turned_away_is_no_wrong_try() {
    let options = AppOptions {
        hash_threads: 1,
        trusted_proxies: &["127.0.0.1/32"],
        ..AppOptions::over(Options::sqlite())
    };
    let app = options.start().await;
    let acme = app.tenant("acme").await;
    let slow = "slow@acme.example";
    app.person(&acme, slow, tenantry_core::Role::Member, false)
        .await;
    let view = app.service().find_tenant("acme").await.unwrap();
    let sql = format!("UPDATE tenantry_users SET password_hash = '{SLOW}' WHERE email = '{slow}'");
    assert_eq!(app.inner().damage_tenant(&view, &sql).await.unwrap(), 1);
    // Each from a network of its own, since one network has only so many free tries.
    let sign_in = |email: &str, from: usize| {
        let body = json!({ "email": email, "password": PASSWORD });
        let call = app.post("/api/v1/auth/login").host(&acme.host).json(&body);
        call.header("x-forwarded-for", &format!("203.0.113.{from}"))
            .send()
    };
    let mut calls = JoinSet::new();
    for number in 0..5 {
        calls.spawn(sign_in(slow, number));
    }
    // The thread has seconds of work from here on, so that the queue fills up and stays full.
    while waiting(&app).await < 4.0 {}
    for number in 5..STORM {
        calls.spawn(sign_in(&format!("x{number}@acme.example"), number));
    }
    while waiting(&app).await < 128.0 {}
    for tried in 0..8 {
        let answer = sign_in(&acme.owner, 250).await;
        assert_eq!(
            answer.code().as_deref(),
            Some("busy"),
            "after {tried} that were turned away"
        );
    }
}

/// A platform full of tenants at the same time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tenants_are_made_side_by_side() {
    let app = TestApp::start().await;
    let admin = app.admin().await.access;
    let mut calls = JoinSet::new();
    for number in 0..24 {
        let owner = json!({ "email": format!("owner@tenant-{number}.example") });
        let body = json!({ "name": "x", "slug": format!("tenant-{number}"), "owner": owner });
        calls.spawn(
            app.post("/api/v1/tenants")
                .bearer(&admin)
                .json(&body)
                .send(),
        );
    }
    let mut codes = std::collections::BTreeSet::new();
    for answer in calls.join_all().await {
        let tenant = answer.ok(201);
        assert_eq!(tenant["status"], "active");
        codes.insert(tenant["code"].as_str().unwrap().to_owned());
    }
    assert_eq!(codes.len(), 24);
}
