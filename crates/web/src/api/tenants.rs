//! Tenants, for platform admins: made, listed, changed, through their lives, checked and mended.

mod cache;
mod change;
mod check;
mod create;
mod credentials;
mod domains;
mod list;
mod lives;
mod logo;
mod owner;
mod sessions;

use axum::http::StatusCode;
use tenantry_core::tenant::Tenant;
use tenantry_service::clearing::Cleared;
use tenantry_service::tenants::TenantView;

pub use self::change::PatchRequest;
pub use self::create::CreateRequest;
pub(super) use self::create::made;
pub use self::lives::{DeleteQuery, RecreateRequest};
pub use self::owner::OwnerRequest;
use super::fields::{collect, parse_option};
use super::wire::TenantBody;
use crate::route::{Audience, Doc, Route, Routes, Verb};

/// This feature's routes.
pub fn routes() -> Routes {
    create::routes()
        .merge(list::routes())
        .merge(change::routes())
        .merge(logo::routes())
        .merge(lives::routes())
        .merge(check::routes())
        .merge(sessions::routes())
        .merge(cache::routes())
        .merge(credentials::routes())
        .merge(domains::routes())
}

fn admin(verb: Verb, path: &'static str, doc: Doc) -> Route {
    Route::api(verb, path, Audience::PlatformAdmin, doc)
}

/// 202 where work on a tenant goes on after the answer.
fn status_of(view: &TenantView) -> StatusCode {
    if view.workflow.is_some() {
        StatusCode::ACCEPTED
    } else {
        StatusCode::OK
    }
}

/// A tenant as an answer.
fn shown(view: &TenantView) -> (StatusCode, axum::Json<TenantBody>) {
    (status_of(view), axum::Json(TenantBody::from(view)))
}

/// Tells the log that nodes which serve did not answer, where some did not: the numbers in the answer
/// are too low then.
fn told_of_silent(tenant: &Tenant, cleared: &Cleared) {
    if cleared.silent > 0 {
        tracing::warn!(
            tenant.id = %tenant.id, nodes = cleared.silent,
            "nodes that serve did not answer in time; what they kept is not counted"
        );
    }
}
