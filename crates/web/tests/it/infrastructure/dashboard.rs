//! The dashboard and the alert rules in `docs/grafana` ask for what `/metrics` answers, and for all
//! of it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tenantry_testkit::app::AppOptions;
use tenantry_testkit::service::{Options, SessionDriver};

use super::metrics::samples;

const DASHBOARD: &str = include_str!("../../../../../docs/grafana/tenantry.json");
const ALERTS: &str = include_str!("../../../../../docs/grafana/alerts.yaml");

/// What stands in expressions beside metrics and functions.
const WORDS: [&str; 5] = ["and", "bool", "offset", "or", "unless"];

/// What labels in parentheses follow.
const GROUPING: [&str; 6] = [
    "by",
    "group_left",
    "group_right",
    "ignoring",
    "on",
    "without",
];

/// What Prometheus adds to every series.
const ADDED: [&str; 2] = ["instance", "job"];

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == ':'
}

/// Whether what stands before this is a function: `sum(…)`, `sum by (…) (…)`.
fn is_called(rest: &str) -> bool {
    let groups = ["by", "without"].iter().any(|word| {
        let after = rest.strip_prefix(word).map(str::trim_start);
        after.is_some_and(|after| after.starts_with('('))
    });
    rest.starts_with('(') || groups
}

/// The metrics that an expression asks for, with the labels it selects by, and the labels it groups
/// by.
fn asked(expression: &str) -> (Vec<(String, Vec<String>)>, Vec<String>) {
    let (mut metrics, mut groups) = (Vec::new(), Vec::new());
    let mut rest = expression;
    while let Some(c) = rest.chars().next() {
        let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        if c == '[' {
            rest = rest.split_once(']').unwrap().1;
        } else if length == 0 {
            rest = &rest[c.len_utf8()..];
        } else {
            let (word, after) = rest.split_at(length);
            rest = after.trim_start();
            if GROUPING.contains(&word) {
                let (inside, after) = rest[1..].split_once(')').unwrap();
                groups.extend(inside.split(',').map(|label| label.trim().to_owned()));
                rest = after;
            } else if !is_called(rest)
                && !word.starts_with(|c: char| c.is_ascii_digit())
                && !WORDS.contains(&word)
            {
                let mut labels = Vec::new();
                if let Some(selector) = rest.strip_prefix('{') {
                    let (inside, after) = selector.split_once('}').unwrap();
                    let names = inside.split(',').map(|one| one.split(['=', '!']).next());
                    labels.extend(names.flatten().map(|name| name.trim().to_owned()));
                    rest = after;
                }
                metrics.push((word.to_owned(), labels));
            }
        }
    }
    (metrics, groups)
}

#[test]
fn metrics_and_labels_are_found_in_an_expression() {
    let text = "sum by (le, a) (rate(x_total{b!=\"c_d\", e=~\"$f\"}[$__g])) / y > 0.5 and on (h) z";
    let (metrics, groups) = asked(text);
    let metrics: Vec<&str> = metrics.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(metrics, ["x_total", "y", "z"]);
    assert_eq!(asked(text).0[0].1, ["b", "e"]);
    assert_eq!(groups, ["le", "a", "h"]);
}

fn panels(dashboard: &Value) -> impl Iterator<Item = &Value> {
    let all = dashboard["panels"].as_array().unwrap().iter();
    all.filter(|panel| panel["type"] != "row")
}

fn expressions(panel: &Value) -> impl Iterator<Item = &str> {
    let targets = panel["targets"].as_array().unwrap().iter();
    targets.map(|target| target["expr"].as_str().unwrap())
}

fn alerts() -> Vec<&'static str> {
    let lines = ALERTS.lines().map(str::trim);
    lines
        .filter_map(|line| line.strip_prefix("expr: "))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_panel_and_alert_asks_for_what_there_is_and_nothing_is_left_out() {
    // With every part that has numbers of its own.
    let options = Options::postgres().with_sessions(SessionDriver::Redis);
    let app = AppOptions::over(options).start().await;
    app.get("/readyz").send().await.ok(200);
    let mut offered = BTreeMap::<String, BTreeSet<String>>::new();
    for sample in samples(&app).await {
        let labels = offered.entry(sample.name).or_default();
        labels.extend(sample.labels.into_keys());
    }
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let shown: Vec<&str> = panels(&dashboard).flat_map(expressions).collect();
    let alerts = alerts();
    assert_eq!(alerts.len(), ALERTS.matches("- alert:").count());
    let mut used = BTreeSet::new();
    for expression in shown.iter().chain(&alerts) {
        let (metrics, groups) = asked(expression);
        assert!(!metrics.is_empty(), "{expression}");
        let mut known = BTreeSet::from(ADDED.map(str::to_owned));
        for (name, labels) in metrics {
            let Some(own) = offered.get(&name) else {
                panic!("there is no {name}: {expression}");
            };
            known.extend(own.iter().cloned());
            for label in labels {
                let there = own.contains(&label) || ADDED.contains(&label.as_str());
                assert!(there, "{name} has no {label}: {expression}");
            }
            if shown.contains(expression) {
                used.insert(name);
            }
        }
        for label in groups {
            assert!(known.contains(&label), "there is no {label}: {expression}");
        }
    }
    let missing: Vec<&String> = offered
        .keys()
        .filter(|name| !used.contains(*name))
        .collect();
    assert!(missing.is_empty(), "no panel shows {missing:?}");
    for variable in dashboard["templating"]["list"].as_array().unwrap() {
        if let Some(query) = variable["definition"].as_str() {
            let inside = query.strip_prefix("label_values(").unwrap();
            let (name, labels) = asked(inside).0.remove(0);
            assert!(offered.contains_key(&name), "{query}");
            assert!(labels.iter().all(|it| ADDED.contains(&it.as_str())));
        }
    }
}

#[test]
fn the_dashboard_can_be_read_and_imported() {
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    assert!(
        dashboard["id"].is_null(),
        "an id is the importing Grafana's"
    );
    let mut ids = BTreeSet::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "{panel}");
    }
    let mut taken = BTreeSet::new();
    for panel in panels(&dashboard) {
        let title = panel["title"].as_str().unwrap();
        let about = panel["description"].as_str().unwrap_or_default();
        assert!(about.ends_with('.'), "{title} is not described");
        let unit = &panel["fieldConfig"]["defaults"]["unit"];
        assert!(unit.is_string(), "{title} has no unit");
        assert_eq!(panel["datasource"]["uid"], "${datasource}", "{title}");
        for target in panel["targets"].as_array().unwrap() {
            assert_eq!(target["datasource"]["uid"], "${datasource}", "{title}");
        }
        let place = |name: &str| panel["gridPos"][name].as_u64().unwrap();
        assert!(place("x") + place("w") <= 24, "{title} is off the screen");
        for x in place("x")..place("x") + place("w") {
            for y in place("y")..place("y") + place("h") {
                assert!(taken.insert((x, y)), "{title} lies on another");
            }
        }
    }
}
