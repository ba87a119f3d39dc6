//! Somebody of a tenant, and what carries the session.

use serde_json::Value;
use tenantry_testkit::app::{Answer, SignIn, TestApp, TestTenant};

/// Somebody who signed in, in a browser and with a program.
#[derive(Clone)]
pub(in super::super) struct Member {
    pub(in super::super) id: String,
    pub(in super::super) cookie: String,
    pub(in super::super) signed: SignIn,
}

impl Member {
    /// Signs somebody in.
    pub(in super::super) async fn signed_in(
        app: &TestApp,
        tenant: &TestTenant,
        email: &str,
    ) -> Self {
        let signed = app.sign_in(&tenant.host, email).await;
        Self {
            id: text(&signed.body["user"]["id"]).to_owned(),
            cookie: app.cookie(&tenant.host, email).await,
            signed,
        }
    }
}

#[track_caller]
pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// An answer for a proxy that lets somebody in names this person and this tenant.
#[track_caller]
pub(super) fn names(answer: &Answer, tenant: &TestTenant, user: &str) {
    assert_eq!(answer.header("x-tenant-id"), Some(&*tenant.id));
    assert_eq!(answer.header("x-tenant-slug"), Some(&*tenant.slug));
    assert_eq!(answer.header("x-tenant-generation"), Some("1"));
    assert_eq!(answer.header("x-user-id"), Some(user));
}
