//! What came of a request, as an answer in the shape of the surface it was asked on: for the API
//! and the pages alike.

use axum::response::{IntoResponse, Response};
use tenantry_service::tenants::TenantView;

use crate::App;
use crate::context::Ctx;
use crate::problem::{Failure, respond};

/// Answers with what a handler came to, or with why not.
pub(crate) fn answer<T: IntoResponse>(
    app: &App,
    ctx: &Ctx,
    outcome: Result<T, impl Into<Failure>>,
) -> Response {
    match outcome {
        Ok(answer) => answer.into_response(),
        Err(failure) => respond(app, Some(ctx), failure.into()),
    }
}

/// Finds the tenant that a path names by id or slug, does something with it, and answers with what
/// came of that, or with why not.
pub(crate) async fn on_tenant<T: IntoResponse, E: Into<Failure>>(
    app: &App,
    ctx: &Ctx,
    name: &str,
    act: impl AsyncFnOnce(TenantView) -> Result<T, E>,
) -> Response {
    let outcome: Result<T, Failure> = async {
        let view = app.service.find_tenant(name).await?;
        act(view).await.map_err(Into::into)
    }
    .await;
    answer(app, ctx, outcome)
}
