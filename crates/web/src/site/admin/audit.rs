//! The audit in the console.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use serde::Deserialize;
use tenantry_service::Refusal;
use tenantry_service::audit::{AuditQuery, AuditView};

use crate::App;
use crate::answer::answer;
use crate::api::wire::ListBody;
use crate::context::Ctx;
use crate::pages::admin::{AdminAuditPage, AuditRow};
use crate::pages::paths;
use crate::route::{Audience, Route, Routes};
use crate::site::chrome::chrome_of;
use crate::site::page;

/// Entries on one page of the list.
const PAGE: i64 = 50;

pub(super) fn routes() -> Routes {
    let route = Route::page(paths::AUDIT, Audience::PlatformAdmin);
    Routes::default().add(route, get(list))
}

/// What the address may say. A form leaves fields empty that nothing was written in.
#[derive(Default, Deserialize)]
struct Asked {
    #[serde(default)]
    cursor: Option<String>,
    #[serde(default)]
    tenant: Option<String>,
    #[serde(default)]
    action: Option<String>,
}

fn written(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().to_owned())
        .filter(|text| !text.is_empty())
}

async fn list(
    State(app): State<App>,
    ctx: Ctx,
    query: Result<Query<Asked>, QueryRejection>,
) -> Response {
    let outcome = async {
        let asked = query.map(|query| query.0).unwrap_or_default();
        // A cursor that is none shows the beginning.
        let before = asked.cursor.as_deref().and_then(|text| text.parse().ok());
        let query = AuditQuery {
            tenant: written(asked.tenant),
            action: written(asked.action),
            ..AuditQuery::default()
        };
        let views = match app.service.list_audit(&query, before, PAGE + 1).await {
            // What is looked for can't be: there is nothing to show of it.
            Err(Refusal::TenantNotFound | Refusal::Validation(_)) => Vec::new(),
            views => views?,
        };
        let cursor = |view: &AuditView| view.entry.id.to_string();
        let shown = ListBody::page(views, PAGE, cursor, row);
        let shown = AdminAuditPage {
            chrome: chrome_of(&app, &ctx, None),
            tenant: query.tenant.unwrap_or_default(),
            action: query.action.unwrap_or_default(),
            is_first: before.is_none(),
            next: shown.next_cursor,
            rows: shown.items,
        };
        Ok::<_, Refusal>(page(&app, &ctx, StatusCode::OK, &shown))
    }
    .await;
    answer(&app, &ctx, outcome)
}

fn row(view: &AuditView) -> AuditRow {
    let entry = &view.entry;
    AuditRow {
        at: entry.at,
        action: entry.action.to_string(),
        target: entry.target.clone(),
        outcome: entry.outcome,
        code: entry.code.clone(),
        actor: entry.actor.clone(),
        admin: view.admin.clone(),
        tenant: view
            .slug
            .as_ref()
            .map(ToString::to_string)
            .or_else(|| entry.tenant.map(|id| id.to_string())),
        ip: entry.source.ip.map(|ip| ip.to_string()),
    }
}
