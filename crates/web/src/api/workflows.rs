//! Durable workflows, for platform admins.

use axum::extract::{Path, Query, State};
use axum::response::Response;
use axum::routing::{get, post};
use tenantry_service::Refusal;

use super::answer;
use super::wire::{ListBody, ListQuery, WorkflowBody};
use crate::App;
use crate::context::Ctx;
use crate::problem::Failure;
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
            .audited(AuditClass::Tenant),
            post(retry),
        )
}

async fn list(
    State(app): State<App>,
    ctx: Ctx,
    query: Result<Query<ListQuery>, axum::extract::rejection::QueryRejection>,
) -> Response {
    let outcome = async {
        let Query(query) =
            query.map_err(|_| Failure::Malformed("the query has limit and cursor, once each"))?;
        let limit = query.limit()?;
        let before = query.cursor.as_deref().map(str::parse).transpose();
        let before = before.map_err(|_| {
            Refusal::field("cursor", "invalid", "cursor comes from an earlier answer")
        })?;
        let mut runs = app.service.list_workflows(before, limit + 1).await?;
        let more = i64::try_from(runs.len()).is_ok_and(|count| count > limit);
        if more {
            runs.pop();
        }
        let next_cursor = runs.last().filter(|_| more).map(|run| run.id.to_string());
        let items = runs.iter().map(|run| WorkflowBody::of(run, None)).collect();
        Ok::<_, Failure>(axum::Json(ListBody { items, next_cursor }))
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
