//! One tenant, and what can be done to it.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use tenantry_core::domain::DomainKind;
use tenantry_service::Refusal;
use tenantry_service::check::Report;
use tenantry_service::tenants::TenantView;

use super::{domains, row};
use crate::App;
use crate::answer::on_tenant;
use crate::context::Ctx;
use crate::pages::admin::{
    AdminTenantPage, CheckResult, TenantDatabase, TenantFacts, TenantNotice,
};
use crate::pages::brand::{BrandForms, BrandTrouble};
use crate::pages::paths;
use crate::route::{Audience, AuditClass, Route, Routes};
use crate::site::chrome::chrome_of;
use crate::site::page;

pub(super) fn routes() -> Routes {
    let form = |path, action| {
        Route::form(path, Audience::PlatformAdmin).audited(AuditClass::Tenant, action)
    };
    Routes::default()
        .add(
            Route::page("/admin/tenants/{slug}", Audience::PlatformAdmin),
            get(show),
        )
        .add(
            // It looks, and changes nothing.
            Route::form("/admin/tenants/{slug}/check", Audience::PlatformAdmin),
            post(check),
        )
        .add(
            form("/admin/tenants/{slug}/repair", "tenant.repair"),
            post(repair),
        )
        .add(
            form("/admin/tenants/{slug}/suspend", "tenant.suspend"),
            post(suspend),
        )
        .add(
            form("/admin/tenants/{slug}/resume", "tenant.resume"),
            post(resume),
        )
}

/// What the page shows beside the tenant itself.
#[derive(Default)]
pub(super) struct Beside {
    /// What happened just before.
    pub(super) notice: Option<TenantNotice>,
    /// What a check found.
    pub(super) check: Option<CheckResult>,
    /// A domain that was typed, what for, and why it was not added.
    pub(super) typed: Option<(String, DomainKind, &'static str)>,
    /// Why the look was not changed, and the colour that was typed.
    pub(super) brand: Option<(BrandTrouble, Option<String>)>,
}

impl Beside {
    /// What happened just before.
    pub(super) fn notice(notice: TenantNotice) -> Self {
        Self {
            notice: Some(notice),
            ..Self::default()
        }
    }
}

/// The tenant's page.
pub(super) async fn shown(
    app: &App,
    ctx: &Ctx,
    view: &TenantView,
    beside: Beside,
) -> Result<Response, Refusal> {
    let claims = app.service.list_domains(view.tenant.id).await?;
    let mut domains = domains::shown(&app.service, &claims);
    let mut status = StatusCode::OK;
    if let Some((typed, kind, error)) = beside.typed {
        domains.typed = typed;
        domains.for_mail = kind == DomainKind::Email;
        domains.error = Some(error);
        status = StatusCode::UNPROCESSABLE_ENTITY;
    }
    let base = format!("{}/{}/brand", paths::ADMIN, view.tenant.slug);
    let mut brand = BrandForms::of(&view.tenant, base);
    if let Some((trouble, typed)) = beside.brand {
        (brand.trouble, brand.typed) = (Some(trouble), typed);
        status = StatusCode::UNPROCESSABLE_ENTITY;
    }
    let page_of = AdminTenantPage {
        chrome: chrome_of(app, ctx, None),
        notice: beside.notice,
        row: row(view),
        facts: TenantFacts {
            id: view.tenant.id.to_string(),
            url: view.url.clone(),
            isolation: view.tenant.isolation,
            cluster: view
                .database
                .as_ref()
                .map(|database| database.cluster.clone()),
        },
        database: view.database.as_ref().map(|database| TenantDatabase {
            driver: database.driver,
            host: view
                .server
                .as_ref()
                .map(|(host, port)| format!("{host}:{port}")),
            name: database.name.clone(),
        }),
        domains,
        brand,
        check: beside.check,
    };
    Ok(page(app, ctx, status, &page_of))
}

fn checked(app: &App, report: Report) -> CheckResult {
    CheckResult {
        at: app.service.clock().now(),
        findings: report.findings,
    }
}

async fn show(State(app): State<App>, ctx: Ctx, Path(slug): Path<String>) -> Response {
    on_tenant(&app, &ctx, &slug, async |view| {
        shown(&app, &ctx, &view, Beside::default()).await
    })
    .await
}

async fn check(State(app): State<App>, ctx: Ctx, Path(slug): Path<String>) -> Response {
    on_tenant(&app, &ctx, &slug, async |view| {
        let report = app.service.check_tenant(view.tenant.clone()).await?;
        let beside = Beside {
            check: Some(checked(&app, report)),
            ..Beside::default()
        };
        shown(&app, &ctx, &view, beside).await
    })
    .await
}

async fn repair(State(app): State<App>, ctx: Ctx, Path(slug): Path<String>) -> Response {
    on_tenant(&app, &ctx, &slug, async |view| {
        let report = app.service.repair_tenant(view.tenant.clone()).await?;
        let beside = Beside {
            check: Some(checked(&app, report)),
            ..Beside::notice(TenantNotice::Repaired)
        };
        shown(&app, &ctx, &view, beside).await
    })
    .await
}

async fn suspend(State(app): State<App>, ctx: Ctx, Path(slug): Path<String>) -> Response {
    on_tenant(&app, &ctx, &slug, async |view| {
        let view = app.service.suspend_tenant(view.tenant.id).await?;
        shown(&app, &ctx, &view, Beside::notice(TenantNotice::Suspended)).await
    })
    .await
}

async fn resume(State(app): State<App>, ctx: Ctx, Path(slug): Path<String>) -> Response {
    on_tenant(&app, &ctx, &slug, async |view| {
        let view = app.service.resume_tenant(view.tenant.id).await?;
        shown(&app, &ctx, &view, Beside::notice(TenantNotice::Resumed)).await
    })
    .await
}
