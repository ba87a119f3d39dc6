//! The PIN of one of a tenant's people.

use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::post;
use serde::Deserialize;

use super::person::act;
use crate::App;
use crate::context::Ctx;
use crate::extract::Form;
use crate::route::{Audience, AuditClass, Route, Routes};
use crate::site::forms::NoFields;

pub(super) fn routes() -> Routes {
    let form =
        |path, action| Route::form(path, Audience::TenantAdmin).audited(AuditClass::Person, action);
    Routes::default()
        .add(form("/staff/{id}/pin", "user.set_pin"), post(set))
        .add(
            form("/staff/{id}/pin/remove", "user.remove_pin"),
            post(remove),
        )
}

/// The form, as the API's.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PinForm {
    pin: String,
}

async fn set(
    State(app): State<App>,
    ctx: Ctx,
    Path(id): Path<String>,
    Form(sent): Form<PinForm>,
) -> Response {
    act(&app, &ctx, &id, "pin", async |acting, id| {
        app.service.set_pin(acting, id, Some(&sent.pin)).await
    })
    .await
}

async fn remove(
    State(app): State<App>,
    ctx: Ctx,
    Path(id): Path<String>,
    Form(NoFields {}): Form<NoFields>,
) -> Response {
    act(&app, &ctx, &id, "pin_removed", async |acting, id| {
        app.service.set_pin(acting, id, None).await
    })
    .await
}
