//! One tenant, and what can be done to it.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use tenantry_service::Refusal;
use tenantry_service::check::Report;
use tenantry_service::tenants::TenantView;

use super::row;
use crate::App;
use crate::answer::on_tenant;
use crate::context::Ctx;
use crate::pages::admin::{
    AdminTenantPage, CheckResult, TenantDatabase, TenantFacts, TenantNotice,
};
use crate::route::{Audience, AuditClass, Route, Routes};
use crate::site::chrome::chrome_of;
use crate::site::page;

pub(super) fn routes() -> Routes {
    let form = |path| Route::form(path, Audience::PlatformAdmin).audited(AuditClass::Tenant);
    Routes::default()
        .add(
            Route::page("/admin/tenants/{slug}", Audience::PlatformAdmin),
            get(show),
        )
        .add(form("/admin/tenants/{slug}/check"), post(check))
        .add(form("/admin/tenants/{slug}/repair"), post(repair))
        .add(form("/admin/tenants/{slug}/suspend"), post(suspend))
        .add(form("/admin/tenants/{slug}/resume"), post(resume))
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
            host: view
                .server
                .as_ref()
                .map(|(host, port)| format!("{host}:{port}")),
            name: database.name.clone(),
        }),
        check,
    };
    page(app, ctx, StatusCode::OK, &page_of)
}

fn checked(app: &App, report: Report) -> CheckResult {
    CheckResult {
        at: app.service.clock().now(),
        findings: report.findings,
    }
}

async fn show(State(app): State<App>, ctx: Ctx, Path(slug): Path<String>) -> Response {
    on_tenant(&app, &ctx, &slug, async |view| {
        Ok::<_, Refusal>(shown(&app, &ctx, &view, None, None))
    })
    .await
}

async fn check(State(app): State<App>, ctx: Ctx, Path(slug): Path<String>) -> Response {
    on_tenant(&app, &ctx, &slug, async |view| {
        let report = app.service.check_tenant(view.tenant.clone()).await?;
        let found = Some(checked(&app, report));
        Ok::<_, Refusal>(shown(&app, &ctx, &view, None, found))
    })
    .await
}

async fn repair(State(app): State<App>, ctx: Ctx, Path(slug): Path<String>) -> Response {
    on_tenant(&app, &ctx, &slug, async |view| {
        let report = app.service.repair_tenant(view.tenant.clone()).await?;
        let done = Some(TenantNotice::Repaired);
        let found = Some(checked(&app, report));
        Ok::<_, Refusal>(shown(&app, &ctx, &view, done, found))
    })
    .await
}

async fn suspend(State(app): State<App>, ctx: Ctx, Path(slug): Path<String>) -> Response {
    on_tenant(&app, &ctx, &slug, async |view| {
        let view = app.service.suspend_tenant(view.tenant.id).await?;
        let done = Some(TenantNotice::Suspended);
        Ok::<_, Refusal>(shown(&app, &ctx, &view, done, None))
    })
    .await
}

async fn resume(State(app): State<App>, ctx: Ctx, Path(slug): Path<String>) -> Response {
    on_tenant(&app, &ctx, &slug, async |view| {
        let view = app.service.resume_tenant(view.tenant.id).await?;
        let done = Some(TenantNotice::Resumed);
        Ok::<_, Refusal>(shown(&app, &ctx, &view, done, None))
    })
    .await
}
