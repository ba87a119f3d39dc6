//! Comparing what should be with what is, and mending it.

use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::post;

use super::admin;
use crate::App;
use crate::answer::on_tenant;
use crate::api::wire::CheckBody;
use crate::context::Ctx;
use crate::route::{AuditClass, Doc, Routes, Verb};

pub(super) fn routes() -> Routes {
    let doc = |summary, refusals| {
        Doc::new(summary, 200)
            .gives::<CheckBody>()
            .refuses(refusals)
    };
    let checking = doc("Compare what should be with what is", &["not_found"]);
    let repairing = doc("Mend what can be mended without guessing", &["not_found"]);
    let rebuilding = doc(
        "Make the directory anew from the tenant's own people",
        &["not_found", "tenant_unavailable"],
    );
    Routes::default()
        .add(
            admin(Verb::Post, "/api/v1/tenants/{tenant}/check", checking),
            post(check),
        )
        .add(
            admin(Verb::Post, "/api/v1/tenants/{tenant}/repair", repairing)
                .audited(AuditClass::Tenant, "tenant.repair"),
            post(repair),
        )
        .add(
            admin(
                Verb::Post,
                "/api/v1/tenants/{tenant}/email-directory/rebuild",
                rebuilding,
            )
            .audited(AuditClass::Tenant, "directory.rebuild"),
            post(rebuild_directory),
        )
}

async fn check(State(app): State<App>, ctx: Ctx, Path(name): Path<String>) -> Response {
    on_tenant(&app, &ctx, &name, async |view| {
        let report = app.service.check_tenant(view.tenant).await;
        report.map(|report| axum::Json(CheckBody::from(report)))
    })
    .await
}

async fn repair(State(app): State<App>, ctx: Ctx, Path(name): Path<String>) -> Response {
    on_tenant(&app, &ctx, &name, async |view| {
        let report = app.service.repair_tenant(view.tenant).await;
        report.map(|report| axum::Json(CheckBody::from(report)))
    })
    .await
}

async fn rebuild_directory(State(app): State<App>, ctx: Ctx, Path(name): Path<String>) -> Response {
    on_tenant(&app, &ctx, &name, async |view| {
        app.service.rebuild_directory(&view.tenant).await?;
        let report = app.service.check_tenant(view.tenant).await;
        report.map(|report| axum::Json(CheckBody::from(report)))
    })
    .await
}
