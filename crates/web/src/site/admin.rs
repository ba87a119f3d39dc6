//! The console of platform admins: all tenants, and one with its health.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use tenantry_service::Refusal;
use tenantry_service::tenants::TenantView;

use super::chrome::chrome_of;
use super::{page, see_other};
use crate::App;
use crate::context::Ctx;
use crate::pages::admin::{
    AdminTenantPage, AdminTenantsPage, CheckResult, TenantDatabase, TenantFacts, TenantNotice,
    TenantRow,
};
use crate::pages::paths;
use crate::problem::respond;
use crate::route::{Audience, AuditClass, Route, Routes};

/// Tenants on one page of the list.
const PAGE: i64 = 50;

pub(super) fn routes() -> Routes {
    let form = |path| Route::form(path, Audience::PlatformAdmin).audited(AuditClass::Tenant);
    Routes::default()
        .add(Route::page("/admin", Audience::PlatformAdmin), get(start))
        .add(
            Route::page(paths::ADMIN, Audience::PlatformAdmin),
            get(list),
        )
        .add(
            Route::page("/admin/tenants/{slug}", Audience::PlatformAdmin),
            get(show),
        )
        .add(form("/admin/tenants/{slug}/check"), post(check))
        .add(form("/admin/tenants/{slug}/repair"), post(repair))
        .add(form("/admin/tenants/{slug}/suspend"), post(suspend))
        .add(form("/admin/tenants/{slug}/resume"), post(resume))
}

async fn start() -> Response {
    see_other(paths::ADMIN)
}

#[derive(Default, Deserialize)]
struct Asked {
    #[serde(default)]
    cursor: Option<String>,
}

fn row(view: &TenantView) -> TenantRow {
    TenantRow {
        name: view.tenant.name.clone(),
        slug: view.tenant.slug.to_string(),
        code: view.code.clone(),
        status: view.tenant.status,
        generation: view.tenant.generation.number(),
        created_at: view.tenant.created_at,
    }
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
        let mut views = app.service.list_tenants(after, PAGE + 1).await?;
        let more = i64::try_from(views.len()).is_ok_and(|count| count > PAGE);
        if more {
            views.pop();
        }
        Ok::<_, Refusal>(AdminTenantsPage {
            chrome: chrome_of(&app, &ctx, None),
            is_first: after == 0,
            next: views
                .last()
                .filter(|_| more)
                .map(|view| view.tenant.number.to_string()),
            rows: views.iter().map(row).collect(),
        })
    }
    .await;
    match outcome {
        Ok(shown) => page(&app, &ctx, StatusCode::OK, &shown),
        Err(refusal) => respond(&app, Some(&ctx), refusal.into()),
    }
}

fn shown(
    app: &App,
    ctx: &Ctx,
    view: &TenantView,
    notice: Option<TenantNotice>,
    check: Option<CheckResult>,
) -> Response {
    let page_of = AdminTenantPage {
        chrome: chrome_of(app, ctx, None),
        notice,
        row: row(view),
        facts: TenantFacts {
            id: view.tenant.id.to_string(),
            url: view.url.clone(),
            isolation: view.tenant.isolation,
            cluster: view
                .database
                .as_ref()
                .map(|database| database.cluster.clone()),
            domains: view.domains.clone(),
        },
        database: view.database.as_ref().map(|database| TenantDatabase {
            driver: database.driver,
            host: None,
            name: database.name.clone(),
        }),
        check,
    };
    page(app, ctx, StatusCode::OK, &page_of)
}

async fn show(State(app): State<App>, ctx: Ctx, Path(slug): Path<String>) -> Response {
    match app.service.find_tenant(&slug).await {
        Ok(view) => shown(&app, &ctx, &view, None, None),
        Err(refusal) => respond(&app, Some(&ctx), refusal.into()),
    }
}

async fn check(State(app): State<App>, ctx: Ctx, Path(slug): Path<String>) -> Response {
    let outcome = async {
        let view = app.service.find_tenant(&slug).await?;
        let report = app.service.check_tenant(view.tenant.clone()).await?;
        Ok::<_, Refusal>((
            view,
            CheckResult {
                at: app.service.clock().now(),
                findings: report.findings,
            },
        ))
    }
    .await;
    match outcome {
        Ok((view, result)) => shown(&app, &ctx, &view, None, Some(result)),
        Err(refusal) => respond(&app, Some(&ctx), refusal.into()),
    }
}

async fn repair(State(app): State<App>, ctx: Ctx, Path(slug): Path<String>) -> Response {
    let outcome = async {
        let view = app.service.find_tenant(&slug).await?;
        let report = app.service.repair_tenant(view.tenant.clone()).await?;
        Ok::<_, Refusal>((
            view,
            CheckResult {
                at: app.service.clock().now(),
                findings: report.findings,
            },
        ))
    }
    .await;
    match outcome {
        Ok((view, result)) => shown(
            &app,
            &ctx,
            &view,
            Some(TenantNotice::Repaired),
            Some(result),
        ),
        Err(refusal) => respond(&app, Some(&ctx), refusal.into()),
    }
}

async fn suspend(State(app): State<App>, ctx: Ctx, Path(slug): Path<String>) -> Response {
    let outcome = async {
        let id = app.service.find_tenant(&slug).await?.tenant.id;
        app.service.suspend_tenant(id).await
    }
    .await;
    match outcome {
        Ok(view) => shown(&app, &ctx, &view, Some(TenantNotice::Suspended), None),
        Err(refusal) => respond(&app, Some(&ctx), refusal.into()),
    }
}

async fn resume(State(app): State<App>, ctx: Ctx, Path(slug): Path<String>) -> Response {
    let outcome = async {
        let id = app.service.find_tenant(&slug).await?.tenant.id;
        app.service.resume_tenant(id).await
    }
    .await;
    match outcome {
        Ok(view) => shown(&app, &ctx, &view, Some(TenantNotice::Resumed), None),
        Err(refusal) => respond(&app, Some(&ctx), refusal.into()),
    }
}
