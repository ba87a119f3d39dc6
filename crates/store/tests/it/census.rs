//! No statement without a test: each public function of the views must be called in the
//! conformance suite, through its view.

use std::fs;
use std::path::Path;

/// The file of a view and the function that gives it.
const VIEWS: &[(&str, &str)] = &[
    ("control/admins", "admins"),
    ("control/adopted", "adopted"),
    ("control/ahead", "ahead"),
    ("control/audit", "audit"),
    ("control/applications", "applications"),
    ("control/clusters", "clusters"),
    ("control/credentials", "credentials"),
    ("control/databases", "databases"),
    ("control/directory", "directory"),
    ("control/domains", "domains"),
    ("control/idempotency", "idempotency"),
    ("control/instance", "instance"),
    ("control/keys", "keys"),
    ("control/logos", "logos"),
    ("control/nodes", "nodes"),
    ("control/one_time", "one_time"),
    ("control/outbox", "outbox"),
    ("control/reconciler", "reconciler"),
    ("control/sealed", "sealed"),
    ("control/sessions", "sessions"),
    ("control/sessions/ending", "sessions"),
    ("control/sessions/limit", "sessions"),
    ("control/tenants", "tenants"),
    ("control/throttle", "throttle"),
    ("control/webhooks", "webhooks"),
    ("control/workflows", "workflows"),
    ("tenant/codes", "codes"),
    ("tenant/devices", "devices"),
    ("tenant/one_time", "secrets"),
    ("tenant/registrations", "registrations"),
    ("tenant/stamp", "stamps"),
    ("tenant/users", "users"),
    ("tenant/users/changes", "users"),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &Path) -> Vec<(String, String)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            files.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
    files
}

/// The names of the statements a file offers.
fn statements(text: &str) -> Vec<&str> {
    text.split("pub async fn ")
        .skip(1)
        .map(|rest| {
            &rest[..rest
                .find(|c: char| !(c.is_alphanumeric() || c == '_'))
                .unwrap()]
        })
        .collect()
}

/// The suite without any white space, so that a call is found however it is broken into lines.
fn suite() -> String {
    files(&root().join("tests/it/conformance"))
        .into_iter()
        .flat_map(|(_, text)| text.chars().collect::<Vec<_>>())
        .filter(|c| !c.is_whitespace())
        .collect()
}

#[test]
fn every_view_is_known() {
    for folder in ["control", "tenant"] {
        for (name, text) in files(&root().join("src").join(folder)) {
            let view = format!("{folder}/{name}");
            assert!(
                statements(&text).is_empty() || VIEWS.iter().any(|(file, _)| *file == view),
                "src/{view}.rs has statements, but the census does not know through what they are reached",
            );
        }
    }
}

#[test]
fn every_statement_is_called() {
    let suite = suite();
    let mut missing = Vec::new();
    let mut found = 0;
    for (file, view) in VIEWS {
        let text = fs::read_to_string(root().join(format!("src/{file}.rs"))).unwrap();
        for statement in statements(&text) {
            found += 1;
            if !suite.contains(&format!("{view}().{statement}(")) {
                missing.push(format!("{view}().{statement}"));
            }
        }
    }
    assert!(
        found > 80,
        "only {found} statements seen: the census is blind"
    );
    assert_eq!(
        missing,
        Vec::<String>::new(),
        "not called in tests/it/conformance"
    );
}
