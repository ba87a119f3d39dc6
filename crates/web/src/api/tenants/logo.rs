//! A tenant's logo, for platform admins.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{delete, put};
use tenantry_service::Refusal;

use super::{admin, shown};
use crate::App;
use crate::answer::on_tenant;
use crate::api::brand::LOGO;
use crate::api::wire::TenantBody;
use crate::context::Ctx;
use crate::extract::Image;
use crate::route::{AuditClass, Doc, Routes, Verb};

pub(super) fn routes() -> Routes {
    let setting = Doc::new("Give a tenant a logo", 200)
        .takes_image(LOGO)
        .gives::<TenantBody>()
        .refuses(&["validation_failed", "payload_too_large", "not_found"]);
    let removing = Doc::new("Take a tenant's logo away", 204).refuses(&["not_found"]);
    let path = "/api/v1/tenants/{tenant}/logo";
    Routes::default()
        .add(
            admin(Verb::Put, path, setting).audited(AuditClass::Tenant, "tenant.set_logo"),
            put(set),
        )
        .add(
            admin(Verb::Delete, path, removing).audited(AuditClass::Tenant, "tenant.remove_logo"),
            delete(remove),
        )
}

async fn set(
    State(app): State<App>,
    ctx: Ctx,
    Path(name): Path<String>,
    Image(body): Image,
) -> Response {
    on_tenant(&app, &ctx, &name, async |view| {
        let changed = app.service.set_logo(view.tenant.id, body).await?;
        Ok::<_, Refusal>(shown(&changed))
    })
    .await
}

async fn remove(State(app): State<App>, ctx: Ctx, Path(name): Path<String>) -> Response {
    on_tenant(&app, &ctx, &name, async |view| {
        app.service.remove_logo(view.tenant.id).await?;
        Ok::<_, Refusal>(StatusCode::NO_CONTENT)
    })
    .await
}
