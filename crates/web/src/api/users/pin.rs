//! PINs of a tenant's people.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{delete, post};
use tenantry_service::Refusal;
use tenantry_service::staff::Acting;

use super::{read_id, staff_route};
use crate::App;
use crate::answer::answer;
use crate::api::wire::{PinRequest, StaffBody};
use crate::context::Ctx;
use crate::extract::Json;
use crate::route::{AuditClass, Doc, Routes, Verb};

pub(super) fn routes() -> Routes {
    let setting = Doc::new(
        "Set somebody's PIN, six digits, good on enrolled devices; ends the sessions begun with the one before",
        200,
    )
    .takes::<PinRequest>()
    .gives::<StaffBody>()
    .refuses(&["validation_failed", "forbidden", "not_found"]);
    let removing = Doc::new("Take somebody's PIN away", 204).refuses(&["forbidden", "not_found"]);
    let path = "/api/v1/users/{id}/pin";
    Routes::default()
        .add(
            staff_route(Verb::Post, path, setting).audited(AuditClass::Person, "user.set_pin"),
            post(set),
        )
        .add(
            staff_route(Verb::Delete, path, removing)
                .audited(AuditClass::Person, "user.remove_pin"),
            delete(remove),
        )
}

async fn set(
    State(app): State<App>,
    ctx: Ctx,
    Path(id): Path<String>,
    Json(request): Json<PinRequest>,
) -> Response {
    let outcome = async {
        let acting = Acting::of(ctx.principal()?)?;
        let id = read_id(&id)?;
        app.service.set_pin(&acting, id, Some(&request.pin)).await?;
        let user = app.service.find_staff(acting.tenant(), id).await?;
        Ok::<_, Refusal>(axum::Json(StaffBody::from(&user)))
    }
    .await;
    answer(&app, &ctx, outcome)
}

async fn remove(State(app): State<App>, ctx: Ctx, Path(id): Path<String>) -> Response {
    let outcome = async {
        let acting = Acting::of(ctx.principal()?)?;
        app.service.set_pin(&acting, read_id(&id)?, None).await?;
        Ok::<_, Refusal>(StatusCode::NO_CONTENT)
    }
    .await;
    answer(&app, &ctx, outcome)
}
