//! The list of tenants.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use serde::Deserialize;
use tenantry_service::Refusal;
use tenantry_service::tenants::TenantView;

use super::row;
use crate::App;
use crate::answer::answer;
use crate::api::wire::ListBody;
use crate::context::Ctx;
use crate::pages::admin::AdminTenantsPage;
use crate::pages::paths;
use crate::route::{Audience, Route, Routes};
use crate::site::chrome::chrome_of;
use crate::site::page;

/// Tenants on one page of the list.
const PAGE: i64 = 50;

pub(super) fn routes() -> Routes {
    Routes::default().add(
        Route::page(paths::ADMIN, Audience::PlatformAdmin),
        get(list),
    )
}

#[derive(Default, Deserialize)]
struct Asked {
    #[serde(default)]
    cursor: Option<String>,
}

async fn list(
    State(app): State<App>,
    ctx: Ctx,
    query: Result<Query<Asked>, QueryRejection>,
) -> Response {
    let outcome = async {
        let cursor = query.map(|query| query.0.cursor).unwrap_or_default();
        // A cursor that is none shows the beginning.
        let after = cursor
            .as_deref()
            .and_then(|cursor| cursor.parse().ok())
            .unwrap_or(0);
        let views = app.service.list_tenants(after, PAGE + 1).await?;
        let cursor = |view: &TenantView| view.tenant.number.to_string();
        let shown = ListBody::page(views, PAGE, cursor, row);
        let shown = AdminTenantsPage {
            chrome: chrome_of(&app, &ctx, None),
            is_first: after == 0,
            next: shown.next_cursor,
            rows: shown.items,
        };
        Ok::<_, Refusal>(page(&app, &ctx, StatusCode::OK, &shown))
    }
    .await;
    answer(&app, &ctx, outcome)
}
