//! The audit, for platform admins.

use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use tenantry_service::Refusal;
use tenantry_service::audit::AuditView;

use super::wire::{AuditBody, AuditListQuery, ListBody};
use crate::App;
use crate::answer::answer;
use crate::context::Ctx;
use crate::extract::Query;
use crate::route::{Audience, Doc, Route, Routes, Verb};

/// This feature's routes.
pub fn routes() -> Routes {
    let doc = Doc::new(
        "Who did what, when, to which tenant, from where; the newest first",
        200,
    )
    .asks::<AuditListQuery>()
    .gives::<ListBody<AuditBody>>()
    .refuses(&["validation_failed", "tenant_not_found"]);
    Routes::default().add(
        Route::api(Verb::Get, "/api/v1/audit", Audience::PlatformAdmin, doc),
        get(list),
    )
}

async fn list(State(app): State<App>, ctx: Ctx, Query(query): Query<AuditListQuery>) -> Response {
    let outcome = async {
        let page = query.page();
        let limit = page.limit()?;
        let listed = app
            .service
            .list_audit(&query.query()?, page.cursor()?, limit + 1)
            .await?;
        let cursor = |view: &AuditView| view.entry.id.to_string();
        let page = ListBody::page(listed, limit, cursor, |view| AuditBody::from(view));
        Ok::<_, Refusal>(axum::Json(page))
    }
    .await;
    answer(&app, &ctx, outcome)
}
