//! PostgreSQL servers that tenants are placed on, for platform admins.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{delete, get, patch, post};
use tenantry_service::Refusal;
use tenantry_service::clusters::ClusterView;

use super::wire::{
    ClusterBody, ClusterCheckBody, ClusterPatch, ClusterRequest, ListBody, ListQuery,
};
use crate::App;
use crate::answer::answer;
use crate::audit::Audited;
use crate::context::Ctx;
use crate::extract::{Json, Query};
use crate::route::{Audience, AuditClass, Doc, Route, Routes, Verb};

/// This feature's routes.
pub fn routes() -> Routes {
    let admin = |verb, path, doc| Route::api(verb, path, Audience::PlatformAdmin, doc);
    let all = Doc::new("PostgreSQL clusters that tenants are placed on", 200)
        .asks::<ListQuery>()
        .gives::<ListBody<ClusterBody>>();
    let adding = Doc::new(
        "Add a cluster, once it was reached and nothing lacks there that tenants need",
        201,
    )
    .takes::<ClusterRequest>()
    .gives::<ClusterBody>()
    .refuses(&["validation_failed", "conflict"]);
    let one = Doc::new("One cluster and how it is", 200)
        .gives::<ClusterBody>()
        .refuses(&["not_found"]);
    let changing = Doc::new("Open a cluster to new tenants, or close it to them", 200)
        .takes::<ClusterPatch>()
        .gives::<ClusterBody>()
        .refuses(&["validation_failed", "not_found"]);
    let removing = Doc::new("Forget a cluster that no tenant lies on", 204)
        .refuses(&["not_found", "conflict"]);
    let checking = Doc::new("Look at a cluster for what tenants need there", 200)
        .gives::<ClusterCheckBody>()
        .refuses(&["not_found"]);
    Routes::default()
        .add(admin(Verb::Get, "/api/v1/clusters", all), get(list))
        .add(
            admin(Verb::Post, "/api/v1/clusters", adding)
                .audited(AuditClass::Platform, "cluster.add")
                .once_by_key(),
            post(add),
        )
        .add(admin(Verb::Get, "/api/v1/clusters/{name}", one), get(show))
        .add(
            admin(Verb::Patch, "/api/v1/clusters/{name}", changing)
                .audited(AuditClass::Platform, "cluster.change"),
            patch(change),
        )
        .add(
            admin(Verb::Delete, "/api/v1/clusters/{name}", removing)
                .audited(AuditClass::Platform, "cluster.remove"),
            delete(remove),
        )
        .add(
            admin(Verb::Post, "/api/v1/clusters/{name}/check", checking),
            post(check),
        )
}

async fn list(State(app): State<App>, ctx: Ctx, Query(query): Query<ListQuery>) -> Response {
    let outcome = async {
        let limit = query.limit()?;
        let after: Option<String> = query.cursor()?;
        let mut views = app.service.list_clusters().await?;
        views.retain(|view| after.as_ref().is_none_or(|after| view.name > *after));
        let cursor = |view: &ClusterView| view.name.clone();
        let page = ListBody::page(views, limit, cursor, |view| ClusterBody::from(view));
        Ok::<_, Refusal>(axum::Json(page))
    }
    .await;
    answer(&app, &ctx, outcome)
}

async fn add(State(app): State<App>, ctx: Ctx, Json(request): Json<ClusterRequest>) -> Response {
    let added = app.service.add_cluster(request.into()).await;
    let outcome = added.map(|view| {
        let body = axum::Json(ClusterBody::from(&view));
        (StatusCode::CREATED, Audited::target(&view.name), body)
    });
    answer(&app, &ctx, outcome)
}

async fn show(State(app): State<App>, ctx: Ctx, Path(name): Path<String>) -> Response {
    let found = app.service.find_cluster(&name).await;
    let outcome = found.map(|view| axum::Json(ClusterBody::from(&view)));
    answer(&app, &ctx, outcome)
}

async fn change(
    State(app): State<App>,
    ctx: Ctx,
    Path(name): Path<String>,
    Json(request): Json<ClusterPatch>,
) -> Response {
    let changed = app.service.change_cluster(&name, request.open).await;
    let outcome = changed.map(|view| axum::Json(ClusterBody::from(&view)));
    answer(&app, &ctx, outcome)
}

async fn remove(State(app): State<App>, ctx: Ctx, Path(name): Path<String>) -> Response {
    let removed = app.service.remove_cluster(&name).await;
    answer(&app, &ctx, removed.map(|()| StatusCode::NO_CONTENT))
}

async fn check(State(app): State<App>, ctx: Ctx, Path(name): Path<String>) -> Response {
    let outcome = async {
        let reports = app.service.check_clusters(Some(&name)).await?;
        let report = reports.first().ok_or(Refusal::NotFound)?;
        Ok::<_, Refusal>(axum::Json(ClusterCheckBody::from(report)))
    }
    .await;
    answer(&app, &ctx, outcome)
}
