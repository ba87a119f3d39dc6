//! Looking at tenants: all of them, page by page, and one.

use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use tenantry_service::Refusal;
use tenantry_service::tenants::TenantView;

use super::{admin, shown};
use crate::App;
use crate::answer::{answer, on_tenant};
use crate::api::wire::{ListBody, ListQuery, TenantBody};
use crate::context::Ctx;
use crate::extract::Query;
use crate::route::{Doc, Routes, Verb};

pub(super) fn routes() -> Routes {
    let all = Doc::new("Every tenant", 200)
        .asks::<ListQuery>()
        .gives::<ListBody<TenantBody>>();
    let one = Doc::new("One tenant, by id or slug", 200)
        .gives::<TenantBody>()
        .refuses(&["not_found"]);
    Routes::default()
        .add(admin(Verb::Get, "/api/v1/tenants", all), get(list))
        .add(admin(Verb::Get, "/api/v1/tenants/{tenant}", one), get(show))
}

async fn list(State(app): State<App>, ctx: Ctx, Query(query): Query<ListQuery>) -> Response {
    let outcome = async {
        let limit = query.limit()?;
        let after = query.cursor()?.unwrap_or(0);
        let views = app.service.list_tenants(after, limit + 1).await?;
        let cursor = |view: &TenantView| view.tenant.number.to_string();
        let page = ListBody::page(views, limit, cursor, |view| TenantBody::from(view));
        Ok::<_, Refusal>(axum::Json(page))
    }
    .await;
    answer(&app, &ctx, outcome)
}

async fn show(State(app): State<App>, ctx: Ctx, Path(name): Path<String>) -> Response {
    on_tenant(&app, &ctx, &name, async |view| {
        Ok::<_, Refusal>(shown(&view))
    })
    .await
}
