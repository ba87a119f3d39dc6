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

/// A tenant as an answer: 202 where work on it goes on after the answer.
fn shown(view: &TenantView) -> (StatusCode, axum::Json<TenantBody>) {
    let status = if view.workflow.is_some() {
        StatusCode::ACCEPTED
    } else {
        StatusCode::OK
    };
    (status, axum::Json(TenantBody::from(view)))
}
