//! A tenant's people, as its owners and admins run them: one by one, their PINs, and many at once.

mod import;
mod pin;
mod staff;

use tenantry_core::UserId;
use tenantry_service::Refusal;

use crate::route::{Audience, Doc, Route, Routes, Verb};

pub use import::ImportLine;

/// This feature's routes.
pub fn routes() -> Routes {
    staff::routes().merge(pin::routes()).merge(import::routes())
}

/// A route for owners and admins of the tenant.
const fn staff_route(verb: Verb, path: &'static str, doc: Doc) -> Route {
    Route::api(verb, path, Audience::TenantAdmin, doc)
}

/// The id that a path names. What is none names nobody.
fn read_id(text: &str) -> Result<UserId, Refusal> {
    text.parse().map_err(|_| Refusal::NotFound)
}
