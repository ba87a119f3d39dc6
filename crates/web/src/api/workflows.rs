//! Durable workflows, for platform admins.

use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{get, post};
use tenantry_service::Refusal;
use tenantry_service::workflows::Run;

use super::wire::{ListBody, ListQuery, WorkflowBody};
use crate::App;
use crate::answer::answer;
use crate::context::Ctx;
use crate::extract::Query;
use crate::route::{Audience, AuditClass, Doc, Route, Routes, Verb};

/// This feature's routes.
pub fn routes() -> Routes {
    let admin = |verb, path, doc| Route::api(verb, path, Audience::PlatformAdmin, doc);
    Routes::default()
        .add(
            admin(
                Verb::Get,
                "/api/v1/workflows",
                Doc::new("Runs of workflows, the newest first", 200)
                    .asks::<ListQuery>()
                    .gives::<ListBody<WorkflowBody>>(),
            ),
            get(list),
        )
        .add(
            admin(
                Verb::Get,
                "/api/v1/workflows/{id}",
                Doc::new("One run with its log", 200)
                    .gives::<WorkflowBody>()
                    .refuses(&["not_found"]),
            ),
            get(show),
        )
        .add(
            admin(
                Verb::Post,
                "/api/v1/workflows/{id}/retry",
                Doc::new("Take up a stuck run again", 200)
                    .gives::<WorkflowBody>()
                    .refuses(&["not_found", "conflict"]),
            )
            .audited(AuditClass::Tenant, "workflow.retry"),
            post(retry),
        )
}

async fn list(State(app): State<App>, ctx: Ctx, Query(query): Query<ListQuery>) -> Response {
    let outcome = async {
        let limit = query.limit()?;
        let runs = app
            .service
            .list_workflows(query.cursor()?, limit + 1)
            .await?;
        let cursor = |run: &Run| run.id.to_string();
        let page = ListBody::page(runs, limit, cursor, |run| WorkflowBody::of(run, None));
        Ok::<_, Refusal>(axum::Json(page))
    }
    .await;
    answer(&app, &ctx, outcome)
}

async fn show(State(app): State<App>, ctx: Ctx, Path(id): Path<String>) -> Response {
    let outcome = async {
        let id = id.parse().map_err(|_| Refusal::NotFound)?;
        let (run, log) = app.service.find_workflow(id).await?;
        Ok::<_, Refusal>(axum::Json(WorkflowBody::of(&run, Some(&log))))
    }
    .await;
    answer(&app, &ctx, outcome)
}

async fn retry(State(app): State<App>, ctx: Ctx, Path(id): Path<String>) -> Response {
    let outcome = async {
        let id = id.parse().map_err(|_| Refusal::NotFound)?;
        app.service.retry_workflow(id).await?;
        let (run, log) = app.service.find_workflow(id).await?;
        Ok::<_, Refusal>(axum::Json(WorkflowBody::of(&run, Some(&log))))
    }
    .await;
    answer(&app, &ctx, outcome)
}
