//! The PIN of one of a tenant's people.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::post;
use serde::Deserialize;
use tenantry_service::Refusal;
use tenantry_service::staff::Acting;

use super::NoFields;
use super::person::{act, done, filled, read};
use crate::App;
use crate::answer::answer;
use crate::context::Ctx;
use crate::extract::Form;
use crate::pages::staff::PinTrouble;
use crate::route::{Audience, AuditClass, Route, Routes};
use crate::site::page;

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
    let outcome = async {
        let acting = Acting::of(ctx.principal()?)?;
        let id = read(&id)?;
        match app.service.set_pin(&acting, id, Some(&sent.pin)).await {
            Ok(()) => Ok(done(id, "pin")),
            Err(Refusal::Validation(errors)) => {
                let user = app.service.find_staff(acting.tenant(), id).await?;
                let mut shown = filled(&app, &ctx, &acting, &user);
                let code = errors.first().map_or("", |error| error.code);
                shown.pin_trouble = Some(PinTrouble::from_code(code));
                let unfit = StatusCode::UNPROCESSABLE_ENTITY;
                Ok(page(&app, &ctx, unfit, &shown))
            }
            Err(refusal) => Err(refusal),
        }
    }
    .await;
    answer(&app, &ctx, outcome)
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
