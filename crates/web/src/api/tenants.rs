//! Tenants, for platform admins: made, listed, changed, through their lives, checked and mended.

mod change;
mod check;
mod create;
mod credentials;
mod list;
mod lives;
mod owner;
mod sessions;

use axum::http::StatusCode;
use tenantry_service::FieldError;
use tenantry_service::tenants::TenantView;

pub use self::change::PatchRequest;
pub use self::create::CreateRequest;
pub use self::lives::{DeleteQuery, RecreateRequest};
pub use self::owner::OwnerRequest;
use super::wire::TenantBody;
use crate::route::{Audience, Doc, Route, Routes, Verb};

/// This feature's routes.
pub fn routes() -> Routes {
    create::routes()
        .merge(list::routes())
        .merge(change::routes())
        .merge(lives::routes())
        .merge(check::routes())
        .merge(sessions::routes())
        .merge(credentials::routes())
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

/// What a field says, or `None` with the reason among `errors`.
fn collect<T, E: std::fmt::Display>(
    errors: &mut Vec<FieldError>,
    field: &'static str,
    parsed: Result<T, E>,
) -> Option<T> {
    parsed
        .map_err(|error| errors.push(FieldError::new(field, "invalid", error)))
        .ok()
}

/// What a field says that may be left out.
fn parse_option<T: std::str::FromStr>(
    errors: &mut Vec<FieldError>,
    field: &'static str,
    text: Option<&str>,
) -> Option<T>
where
    T::Err: std::fmt::Display,
{
    text.and_then(|text| collect(errors, field, text.parse::<T>()))
}
