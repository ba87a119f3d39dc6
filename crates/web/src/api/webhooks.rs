//! Receivers of signed notices, for platform admins.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{delete, get, post};
use tenantry_core::{NoticeId, WebhookId};
use tenantry_service::Refusal;
use tenantry_service::webhooks::{Delivery, WebhookRecord};

use super::wire::{DeliveryBody, ListBody, ListQuery, TriedBody, WebhookBody, WebhookRequest};
use crate::App;
use crate::answer::answer;
use crate::audit::Audited;
use crate::context::Ctx;
use crate::extract::{Json, Query};
use crate::route::{Audience, AuditClass, Doc, Route, Routes, Verb};

/// This feature's routes.
pub fn routes() -> Routes {
    let admin = |verb, path, doc| Route::api(verb, path, Audience::PlatformAdmin, doc);
    let all = Doc::new("Receivers of signed notices (Standard Webhooks)", 200)
        .asks::<ListQuery>()
        .gives::<ListBody<WebhookBody>>();
    let adding = Doc::new(
        "Add a receiver of signed notices; its secret is told here and never again",
        201,
    )
    .takes::<WebhookRequest>()
    .gives::<WebhookBody>()
    .refuses(&["validation_failed", "conflict"]);
    let one = Doc::new("One receiver", 200)
        .gives::<WebhookBody>()
        .refuses(&["not_found"]);
    let removing = Doc::new(
        "Remove a receiver, with all that it was still to be told",
        204,
    )
    .refuses(&["not_found"]);
    let trying = Doc::new("Send a receiver a `ping`, once and at once", 200)
        .gives::<TriedBody>()
        .refuses(&["not_found"]);
    let deliveries = Doc::new(
        "Notices to a receiver, the newest first, of the last seven days and those that wait",
        200,
    )
    .asks::<ListQuery>()
    .gives::<ListBody<DeliveryBody>>()
    .refuses(&["not_found"]);
    Routes::default()
        .add(admin(Verb::Get, "/api/v1/webhooks", all), get(list))
        .add(
            admin(Verb::Post, "/api/v1/webhooks", adding)
                .audited(AuditClass::Platform, "webhook.add")
                .once_by_key(),
            post(add),
        )
        .add(admin(Verb::Get, "/api/v1/webhooks/{id}", one), get(show))
        .add(
            admin(Verb::Delete, "/api/v1/webhooks/{id}", removing)
                .audited(AuditClass::Platform, "webhook.remove"),
            delete(remove),
        )
        .add(
            admin(Verb::Post, "/api/v1/webhooks/{id}/test", trying)
                .audited(AuditClass::Platform, "webhook.test"),
            post(test),
        )
        .add(
            admin(Verb::Get, "/api/v1/webhooks/{id}/deliveries", deliveries),
            get(list_deliveries),
        )
}

fn read(id: &str) -> Result<WebhookId, Refusal> {
    id.parse().map_err(|_| Refusal::NotFound)
}

async fn list(State(app): State<App>, ctx: Ctx, Query(query): Query<ListQuery>) -> Response {
    let outcome = async {
        let limit = query.limit()?;
        let after: Option<WebhookId> = query.cursor()?;
        let mut records = app.service.list_webhooks().await?;
        records.retain(|record| after.is_none_or(|after| record.id > after));
        let cursor = |record: &WebhookRecord| record.id.to_string();
        let page = ListBody::page(records, limit, cursor, |record| WebhookBody::from(record));
        Ok::<_, Refusal>(axum::Json(page))
    }
    .await;
    answer(&app, &ctx, outcome)
}

async fn add(State(app): State<App>, ctx: Ctx, Json(request): Json<WebhookRequest>) -> Response {
    let added = app.service.add_webhook(&request.into()).await;
    let outcome = added.map(|(record, secret)| {
        let mut body = WebhookBody::from(&record);
        body.secret = Some(secret.expose().clone());
        (
            StatusCode::CREATED,
            Audited::target(record.id),
            axum::Json(body),
        )
    });
    answer(&app, &ctx, outcome)
}

async fn show(State(app): State<App>, ctx: Ctx, Path(id): Path<String>) -> Response {
    let outcome = async {
        let record = app.service.find_webhook(read(&id)?).await?;
        Ok::<_, Refusal>(axum::Json(WebhookBody::from(&record)))
    }
    .await;
    answer(&app, &ctx, outcome)
}

async fn remove(State(app): State<App>, ctx: Ctx, Path(id): Path<String>) -> Response {
    let outcome = async {
        app.service.remove_webhook(read(&id)?).await?;
        Ok::<_, Refusal>(StatusCode::NO_CONTENT)
    }
    .await;
    answer(&app, &ctx, outcome)
}

async fn test(State(app): State<App>, ctx: Ctx, Path(id): Path<String>) -> Response {
    let outcome = async {
        let tried = app.service.try_webhook(read(&id)?).await?;
        Ok::<_, Refusal>(axum::Json(TriedBody::from(tried)))
    }
    .await;
    answer(&app, &ctx, outcome)
}

async fn list_deliveries(
    State(app): State<App>,
    ctx: Ctx,
    Path(id): Path<String>,
    Query(query): Query<ListQuery>,
) -> Response {
    let outcome = async {
        let limit = query.limit()?;
        let before: Option<NoticeId> = query.cursor()?;
        let id = read(&id)?;
        let listed = app.service.list_deliveries(id, before, limit + 1).await?;
        let cursor = |delivery: &Delivery| delivery.id.to_string();
        let page = ListBody::page(listed, limit, cursor, |one| DeliveryBody::from(one));
        Ok::<_, Refusal>(axum::Json(page))
    }
    .await;
    answer(&app, &ctx, outcome)
}
