//! Which crate may depend on which, and which crates alone may name a foreign one.

use anyhow::{Context, Result};
use serde_json::Value;

use crate::tidy::Finding;

/// A crate and the crates of the workspace it may depend on. Dev-dependencies are free, except
/// that nothing depends on `xtask`.
const LAYERS: [(&str, &[&str]); 15] = [
    ("tenantry-claims", &[]),
    ("tenantry-core", &[]),
    ("tenantry-keys", &["core", "claims"]),
    ("tenantry-store", &["core"]),
    ("tenantry-saga", &["core", "store"]),
    ("tenantry-sessions", &["core", "store"]),
    ("tenantry-mail", &["core"]),
    ("tenantry-webhooks", &[]),
    ("tenantry-dns", &[]),
    (
        "tenantry-service",
        &[
            "core", "keys", "store", "saga", "sessions", "mail", "webhooks", "dns", "claims",
        ],
    ),
    ("tenantry-web", &["service", "core", "claims"]),
    ("tenantry-guard", &["claims"]),
    ("tenantry", &["*"]),
    ("tenantry-testkit", &["*"]),
    ("xtask", &[]),
];

/// Crates that only tests may depend on.
const FOR_TESTS: [&str; 2] = ["tenantry-testkit", "xtask"];

/// A foreign crate and the crates that may name it, in any kind of dependency.
const BOUNDARIES: [(&str, &[&str]); 5] = [
    // The store owns SQL; the test kit makes and drops databases around it.
    ("sqlx", &["tenantry-store", "tenantry-testkit"]),
    // The web crate owns HTTP; the guard offers applications an extractor.
    ("axum", &["tenantry-web", "tenantry-guard"]),
    // The sessions crate owns the connection to Redis.
    ("redis", &["tenantry-sessions"]),
    ("lettre", &["tenantry-mail"]),
    ("argon2", &["tenantry-keys"]),
];

/// A crate of the workspace.
pub(super) struct Package {
    name: String,
    manifest: String,
    dependencies: Vec<Dependency>,
}

struct Dependency {
    name: String,
    dev: bool,
}

/// Reads the packages from the output of `cargo metadata`.
pub(super) fn packages(metadata: &Value) -> Result<Vec<Package>> {
    let root = metadata["workspace_root"]
        .as_str()
        .context("metadata without a root")?;
    let packages = metadata["packages"]
        .as_array()
        .context("metadata without packages")?;
    packages
        .iter()
        .map(|package| read(package, root).context("a package can't be read"))
        .collect()
}

fn read(package: &Value, root: &str) -> Option<Package> {
    let manifest = package["manifest_path"].as_str()?;
    let dependencies = package["dependencies"].as_array()?;
    Some(Package {
        name: package["name"].as_str()?.to_owned(),
        manifest: manifest
            .strip_prefix(root)
            .unwrap_or(manifest)
            .trim_matches('/')
            .to_owned(),
        dependencies: dependencies
            .iter()
            .map(|dependency| {
                let name = dependency["name"].as_str()?.to_owned();
                Some(Dependency {
                    name,
                    dev: dependency["kind"] == "dev",
                })
            })
            .collect::<Option<_>>()?,
    })
}

pub(super) fn check(packages: &[Package]) -> Vec<Finding> {
    packages.iter().flat_map(check_package).collect()
}

fn check_package(package: &Package) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut found = |message: String| findings.push(Finding::new(&package.manifest, 0, message));
    let Some((_, allowed)) = LAYERS.iter().find(|(name, _)| *name == package.name) else {
        found(format!(
            "{} has no place among the layers; give it one in xtask",
            package.name
        ));
        return findings;
    };
    for dependency in &package.dependencies {
        let name = dependency.name.as_str();
        for (foreign, users) in BOUNDARIES {
            if name == foreign && !users.contains(&package.name.as_str()) {
                found(format!(
                    "names {name}, which is left to {}",
                    users.join(", ")
                ));
            }
        }
        if !LAYERS.iter().any(|(layer, _)| *layer == name) {
            continue;
        }
        let short = name.strip_prefix("tenantry-").unwrap_or(name);
        let permitted = match dependency.dev {
            true => name != "xtask",
            false if FOR_TESTS.contains(&name) => false,
            false => allowed.contains(&"*") || allowed.contains(&short),
        };
        if !permitted {
            found(format!("{} may not depend on {name}", package.name));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn findings(name: &str, dependencies: &[(&str, Option<&str>)]) -> Vec<String> {
        let dependencies: Vec<Value> = dependencies
            .iter()
            .map(|(name, kind)| json!({ "name": name, "kind": kind }))
            .collect();
        let metadata = json!({
            "workspace_root": "/w",
            "packages": [{
                "name": name,
                "manifest_path": "/w/crates/x/Cargo.toml",
                "dependencies": dependencies,
            }],
        });
        check(&packages(&metadata).unwrap())
            .iter()
            .map(Finding::to_string)
            .collect()
    }

    #[test]
    fn what_the_layers_allow_is_no_finding() {
        let allowed = [
            ("tenantry-core", None),
            ("serde", None),
            ("tenantry-testkit", Some("dev")),
        ];
        assert_eq!(findings("tenantry-store", &allowed), Vec::<String>::new());
        assert!(findings("tenantry", &[("tenantry-web", None)]).is_empty());
    }

    #[test]
    fn a_dependency_upwards_is_found() {
        let found = findings("tenantry-core", &[("tenantry-store", None)]);
        assert_eq!(
            found,
            ["crates/x/Cargo.toml: tenantry-core may not depend on tenantry-store"]
        );
        assert_eq!(
            findings("tenantry-web", &[("tenantry-store", None)]).len(),
            1
        );
        assert_eq!(
            findings("tenantry-web", &[("tenantry-mail", Some("build"))]).len(),
            1
        );
    }

    #[test]
    fn what_is_for_tests_stays_in_tests() {
        assert_eq!(findings("tenantry", &[("tenantry-testkit", None)]).len(), 1);
        assert_eq!(findings("tenantry", &[("xtask", Some("dev"))]).len(), 1);
    }

    #[test]
    fn a_foreign_crate_beyond_its_boundary_is_found() {
        assert_eq!(
            findings("tenantry-service", &[("sqlx", Some("dev"))]).len(),
            1
        );
        assert_eq!(findings("tenantry", &[("axum", None)]).len(), 1);
        assert!(findings("tenantry-testkit", &[("sqlx", None)]).is_empty());
    }

    #[test]
    fn a_crate_without_a_layer_is_found() {
        assert_eq!(findings("tenantry-billing", &[]).len(), 1);
    }
}
