//! `/api/v1/tenants`

mod brand;
mod change;
mod create;
mod credentials;
mod domains;
mod list;
mod lives;

use std::path::Path;

use serde_json::Value;
use tenantry_testkit::app::TestApp;

use crate::shape::{has_fields, is_id, is_time};

const TENANTS: &str = "/api/v1/tenants";

/// Expects a tenant as the contract shows one.
#[track_caller]
fn is_tenant(body: &Value) {
    has_fields(
        body,
        &[
            "id",
            "slug",
            "code",
            "name",
            "status",
            "generation",
            "isolation",
            "cluster",
            "database",
            "domains",
            "unproven_domains",
            "url",
            "registration",
            "verify_email",
            "password_min_length",
            "colour",
            "logo_url",
            "created_at",
            "deleted_at",
            "purge_at",
        ],
    );
    is_id(&body["id"]);
    is_time(&body["created_at"]);
    if body["database"] != Value::Null {
        has_fields(&body["database"], &["driver", "host", "port", "name"]);
    }
    // The rule for passwords is none.
    let text = body.to_string().replace("password_min_length", "");
    for secret in ["password", "/tmp", ".db", "argon2", "sealed"] {
        assert!(!text.contains(secret), "{text}");
    }
}

/// The tenant with this slug, as the API shows it.
async fn show(app: &TestApp, token: &str, slug: &str) -> Value {
    let path = format!("{TENANTS}/{slug}");
    app.get(&path).bearer(token).send().await.ok(200)
}

/// How many tenant databases lie in the folder.
fn databases(app: &TestApp) -> usize {
    let names = app.inner().tenant_files().unwrap();
    let is_database = |name: &&String| Path::new(name).extension().is_some_and(|end| end == "db");
    names.iter().filter(is_database).count()
}
