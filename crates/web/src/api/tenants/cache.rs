//! Clearing what every process keeps in memory of a tenant.

use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::delete;
use tenantry_service::Refusal;

use super::{admin, told_of_silent};
use crate::App;
use crate::answer::on_tenant;
use crate::api::wire::CacheClearedBody;
use crate::context::Ctx;
use crate::route::{AuditClass, Doc, Routes, Verb};

pub(super) fn routes() -> Routes {
    let doc = Doc::new(
        "Clear what is kept in memory of a tenant; it changes no answer, and nobody is signed out",
        200,
    )
    .gives::<CacheClearedBody>()
    .refuses(&["not_found"]);
    Routes::default().add(
        admin(Verb::Delete, "/api/v1/tenants/{tenant}/cache", doc)
            .audited(AuditClass::Tenant, "cache.clear"),
        delete(clear),
    )
}

async fn clear(State(app): State<App>, ctx: Ctx, Path(name): Path<String>) -> Response {
    on_tenant(&app, &ctx, &name, async |view| {
        let tenant = view.tenant;
        let cleared = app.service.clear_tenant(tenant.id, false).await?;
        told_of_silent(&tenant, &cleared);
        Ok::<_, Refusal>(axum::Json(CacheClearedBody {
            cache_keys_cleared: cleared.cache_keys(),
        }))
    })
    .await
}
