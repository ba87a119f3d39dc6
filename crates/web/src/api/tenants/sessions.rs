//! Ending every session of a tenant.

use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::delete;
use tenantry_service::Refusal;

use super::admin;
use crate::App;
use crate::answer::on_tenant;
use crate::api::wire::SignedOutBody;
use crate::context::Ctx;
use crate::route::{AuditClass, Doc, Routes, Verb};

pub(super) fn routes() -> Routes {
    let doc = Doc::new("End every session of a tenant", 200)
        .gives::<SignedOutBody>()
        .refuses(&["not_found"]);
    Routes::default().add(
        admin(Verb::Delete, "/api/v1/tenants/{tenant}/sessions", doc)
            .audited(AuditClass::Tenant, "tenant.end_sessions"),
        delete(end),
    )
}

async fn end(State(app): State<App>, ctx: Ctx, Path(name): Path<String>) -> Response {
    on_tenant(&app, &ctx, &name, async |view| {
        let ended = app.service.end_tenant_sessions(view.tenant.id).await?;
        Ok::<_, Refusal>(axum::Json(SignedOutBody {
            sessions_cleared: ended,
        }))
    })
    .await
}
