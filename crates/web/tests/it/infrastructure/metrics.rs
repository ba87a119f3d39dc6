//! `GET /metrics`

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tenantry_service::facts;
use tenantry_testkit::app::TestApp;
use tenantry_testkit::service::PASSWORD;

pub(super) struct Sample {
    pub(super) name: String,
    pub(super) labels: BTreeMap<String, String>,
    value: f64,
}

/// Takes `OpenMetrics` text apart, and sees to it that it is some.
#[track_caller]
fn parse(text: &str) -> Vec<Sample> {
    assert!(text.ends_with("# EOF\n"), "{text}");
    let mut declared = BTreeSet::new();
    let mut samples = Vec::new();
    for line in text.lines().filter(|line| *line != "# EOF") {
        if let Some(comment) = line.strip_prefix("# ") {
            let mut words = comment.split(' ');
            let kind = words.next().unwrap();
            assert!(matches!(kind, "HELP" | "TYPE" | "UNIT"), "{line}");
            if kind == "TYPE" {
                assert!(
                    declared.insert(words.next().unwrap().to_owned()),
                    "{line} comes twice"
                );
            }
            continue;
        }
        let (series, value) = line.rsplit_once(' ').unwrap();
        let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
        let mut map = BTreeMap::new();
        for pair in labels
            .strip_suffix('}')
            .unwrap()
            .split("\",")
            .filter(|pair| !pair.is_empty())
        {
            let (key, text) = pair.split_once("=\"").unwrap();
            map.insert(key.to_owned(), text.trim_end_matches('"').to_owned());
        }
        assert!(
            declared
                .iter()
                .any(|family| name.starts_with(family.as_str())),
            "{line}"
        );
        samples.push(Sample {
            name: name.to_owned(),
            labels: map,
            value: value.parse().unwrap(),
        });
    }
    samples
}

pub(super) async fn samples(app: &TestApp) -> Vec<Sample> {
    let answer = app.get("/metrics").send().await;
    assert_eq!(answer.status, 200);
    let kind = answer.header("content-type").unwrap();
    assert!(kind.starts_with("application/openmetrics-text"), "{kind}");
    parse(&answer.text())
}

async fn counts_what_happens_and_names_nobody(app: TestApp) {
    let acme = app.tenant("acme").await;
    let signed = app.sign_in(&acme.host, &acme.owner).await;
    app.try_sign_in(&acme.host, &acme.owner, "wrong wrong wrong")
        .await;
    let admin = app.admin().await.access;
    app.get("/api/v1/tenants/acme")
        .bearer(&admin)
        .send()
        .await
        .ok(200);
    for path in ["/no/such/acme", "/assets/no-such"] {
        assert_eq!(app.get(path).send().await.status, 404);
    }
    let samples = samples(&app).await;
    let value = |name: &str, labels: &[(&str, &str)]| {
        let found = samples.iter().find(|sample| {
            sample.name == name
                && labels
                    .iter()
                    .all(|(key, value)| sample.labels.get(*key).is_some_and(|v| v == value))
        });
        found.unwrap_or_else(|| panic!("{name} {labels:?}")).value
    };
    let login = [("route", "/api/v1/auth/login"), ("method", "POST")];
    assert!(
        value(
            "tenantry_http_requests_total",
            &[login[0], login[1], ("status", "200")]
        ) >= 1.0
    );
    assert!(
        value(
            "tenantry_http_requests_total",
            &[login[0], login[1], ("status", "401")]
        ) >= 1.0
    );
    assert!(
        value(
            "tenantry_http_requests_total",
            &[("route", "/api/v1/tenants/{tenant}")]
        ) >= 1.0
    );
    for route in ["unmatched", "/assets/{*path}"] {
        let labels = [("route", route), ("status", "404")];
        assert!(value("tenantry_http_requests_total", &labels) >= 1.0);
    }
    assert!(value("tenantry_http_request_duration_seconds_count", &[]) >= 5.0);
    let all = samples.iter().flat_map(|sample| sample.labels.values());
    for text in all {
        for secret in [
            "acme",
            &*acme.id,
            &*acme.owner,
            "root@",
            PASSWORD,
            &*signed.refresh,
        ] {
            assert!(!text.contains(secret), "a label says {text}");
        }
    }
    let names: BTreeSet<&str> = samples
        .iter()
        .flat_map(|s| s.labels.keys().map(String::as_str))
        .collect();
    assert!(
        !names.contains("tenant") && !names.contains("host"),
        "{names:?}"
    );
}

/// What was found by the last comparison of every tenant is a number for each kind.
async fn tells_what_is_wrong_with_tenants(app: TestApp) {
    let value = async |name: &str, code: Option<&str>| {
        let samples = samples(&app).await;
        let found = samples.iter().find(|sample| {
            sample.name == name && sample.labels.get("code").map(String::as_str) == code
        });
        found.unwrap_or_else(|| panic!("{name} {code:?}")).value
    };
    let missing = Some("directory_missing");
    app.tenant("acme").await;
    assert_eq!(value("tenantry_findings", missing).await.to_string(), "0");
    app.control().damage("DELETE FROM directory").await.unwrap();
    app.service().reconcile().await.unwrap();
    assert_eq!(value("tenantry_findings", missing).await.to_string(), "1");
    assert_eq!(
        value("tenantry_findings", Some("owner_missing"))
            .await
            .to_string(),
        "0"
    );
    assert_eq!(
        value("tenantry_tenants_incomplete", None).await.to_string(),
        "0"
    );
    let making = "UPDATE tenants SET status = 'provisioning'";
    app.control().damage(making).await.unwrap();
    app.service().watch_incomplete().await.unwrap();
    assert_eq!(
        value("tenantry_tenants_incomplete", None).await.to_string(),
        "1"
    );
}

on_both!(
    counts_what_happens_and_names_nobody,
    tells_what_is_wrong_with_tenants,
    counts_facts_and_sessions,
);

/// What memory answers, what sessions come and go, and how the parts are.
async fn counts_facts_and_sessions(app: TestApp) {
    let value = async |name: &str, label: Option<(&str, &str)>| {
        let samples = samples(&app).await;
        let found = samples.iter().find(|sample| {
            let labels = &sample.labels;
            let fits = |(key, value): (&str, &str)| labels.get(key).is_some_and(|v| v == value);
            sample.name == name && label.is_none_or(fits)
        });
        found.map(|sample| sample.value.to_string())
    };
    let ended = async |cause| value("tenantry_sessions_ended_total", Some(("cause", cause))).await;
    let facts = async |what| value("tenantry_facts_lookups_total", Some(("outcome", what))).await;
    let parts = async |part| value("tenantry_part_up", Some(("part", part))).await;
    assert_eq!(ended("reuse").await.as_deref(), Some("0"), "from the start");
    assert_eq!(facts("hit").await.as_deref(), Some("0"));
    assert_eq!(parts("mail").await, None, "nobody has looked");
    app.get("/readyz").send().await.ok(200);
    assert_eq!(parts("mail").await.as_deref(), Some("1"));
    let bound = value("tenantry_facts_staleness_bound_seconds", None).await;
    assert_eq!(
        bound.as_deref(),
        Some(facts::BOUND.as_secs_f64().to_string().as_str())
    );
    let acme = app.tenant("acme").await;
    let signed = app.sign_in(&acme.host, &acme.owner).await;
    let begun = value("tenantry_sessions_begun_total", Some(("kind", "api"))).await;
    assert_eq!(begun.as_deref(), Some("1"));
    for _ in 0..2 {
        let me = app.get("/api/v1/auth/me").bearer(&signed.access);
        me.send().await.ok(200);
    }
    assert_ne!(facts("hit").await.as_deref(), Some("0"));
    assert_ne!(facts("miss").await.as_deref(), Some("0"));
    let told = value("tenantry_changes_total", Some(("origin", "here"))).await;
    assert_ne!(told.as_deref(), Some("0"));
    let body = serde_json::json!({ "refresh_token": signed.refresh });
    for status in [200, 401] {
        let renewed = app.post("/api/v1/auth/refresh").json(&body).send().await;
        assert_eq!(renewed.status, status, "{}", renewed.text());
    }
    assert_eq!(ended("reuse").await.as_deref(), Some("1"));
    assert_eq!(ended("logout").await.as_deref(), Some("0"));
    std::fs::remove_dir_all(app.inner().mail_dir()).unwrap();
    std::fs::write(app.inner().mail_dir(), b"in the way").unwrap();
    // What was seen is told again for a second.
    let seen = async {
        while parts("mail").await.as_deref() != Some("0") {
            app.get("/readyz").send().await.ok(200);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), seen)
        .await
        .expect("the metrics tell of what does not work");
    assert_eq!(parts("control_database").await.as_deref(), Some("1"));
}

#[tokio::test]
async fn what_a_client_invents_makes_no_new_series() {
    let app = TestApp::start().await;
    samples(&app).await;
    let ask = async |number: usize| {
        app.call(&format!("BREW{number}"), &format!("/pot/{number}"))
            .send()
            .await;
        app.call(&format!("BREW{number}"), "/healthz").send().await;
        app.get(&format!("/pot/{number}?x={number}")).send().await;
        app.get(&format!("/assets/{number}.css")).send().await;
        app.get(&format!("/setup/password/{number}")).send().await;
        app.get("/healthz")
            .host(&format!("pot-{number}.localhost"))
            .send()
            .await;
    };
    ask(1).await;
    let before = samples(&app).await.len();
    for number in 2..12 {
        ask(number).await;
    }
    assert_eq!(samples(&app).await.len(), before);
}
