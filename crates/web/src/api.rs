//! The JSON API: what programs call.

pub mod auth;
pub mod me;
pub mod tenants;
pub mod wire;
pub mod workflows;

use axum::response::Response;

use crate::App;
use crate::context::Ctx;
use crate::problem::{Failure, respond};
use crate::route::Routes;

/// Every route of the API.
pub fn routes() -> Routes {
    auth::routes()
        .merge(me::routes())
        .merge(tenants::routes())
        .merge(workflows::routes())
}

/// Answers with what a handler came to, or with why not.
pub(crate) fn answer<T: axum::response::IntoResponse>(
    app: &App,
    ctx: &Ctx,
    outcome: Result<T, impl Into<Failure>>,
) -> Response {
    match outcome {
        Ok(answer) => answer.into_response(),
        Err(failure) => respond(app, Some(ctx), failure.into()),
    }
}
