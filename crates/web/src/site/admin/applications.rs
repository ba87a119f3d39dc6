//! Applications in the console.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use tenantry_core::ApplicationId;
use tenantry_core::application::{ApplicationState, Signup};
use tenantry_service::Refusal;
use tenantry_service::applications::ApplicationView;

use crate::App;
use crate::answer::answer;
use crate::api::applications::{WAIT, read};
use crate::api::wire::{ApproveRequest, ListBody, RejectRequest};
use crate::audit::Audited;
use crate::context::Ctx;
use crate::extract::Form;
use crate::pages::admin::{AdminApplicationsPage, ApplicationNotice, ApplicationRow};
use crate::pages::paths;
use crate::problem::Failure;
use crate::route::{Audience, AuditClass, Route, Routes};
use crate::site::chrome::chrome_of;
use crate::site::page;

/// Applications on one page of the list.
const PAGE: i64 = 50;

pub(super) fn routes() -> Routes {
    let form = |path, action| {
        Route::form(path, Audience::PlatformAdmin).audited(AuditClass::Platform, action)
    };
    Routes::default()
        .add(
            Route::page(paths::APPLICATIONS, Audience::PlatformAdmin),
            get(show),
        )
        .add(
            form("/admin/applications/{id}/approve", "application.approve"),
            post(approve),
        )
        .add(
            form("/admin/applications/{id}/reject", "application.reject"),
            post(reject),
        )
}

#[derive(Default, Deserialize)]
struct Asked {
    #[serde(default)]
    state: Option<String>,
    #[serde(default)]
    cursor: Option<String>,
}

fn row(view: &ApplicationView) -> ApplicationRow {
    ApplicationRow {
        id: view.id.to_string(),
        state: view.state,
        name: view.name.clone(),
        slug: view.slug.clone(),
        email: view.email.as_ref().map(ToString::to_string),
        full_name: view.full_name.clone(),
        damaged: view.damaged,
        reason: view.reason.clone(),
        has_tenant: view.tenant.is_some(),
        created_at: view.created_at,
    }
}

async fn listed(
    app: &App,
    ctx: &Ctx,
    asked: (Option<ApplicationState>, Option<ApplicationId>),
    notice: Option<ApplicationNotice>,
) -> Result<Response, Refusal> {
    let (state, before) = asked;
    let views = app
        .service
        .list_applications(state, before, PAGE + 1)
        .await?;
    let cursor = |view: &ApplicationView| view.id.to_string();
    let shown = ListBody::page(views, PAGE, cursor, row);
    let status = match notice {
        Some(ApplicationNotice::Refused(_)) => StatusCode::CONFLICT,
        None | Some(ApplicationNotice::Approved | ApplicationNotice::Rejected) => StatusCode::OK,
    };
    let shown = AdminApplicationsPage {
        chrome: chrome_of(app, ctx, None),
        notice,
        closed: app.service.settings().signup == Signup::Closed,
        state,
        is_first: before.is_none(),
        next: shown.next_cursor,
        rows: shown.items,
    };
    Ok(page(app, ctx, status, &shown))
}

async fn show(
    State(app): State<App>,
    ctx: Ctx,
    query: Result<Query<Asked>, QueryRejection>,
) -> Response {
    let asked = query.map(|query| query.0).unwrap_or_default();
    // What waits for somebody is what somebody comes for; a state that is none shows all.
    let state = match asked.state.as_deref() {
        None => Some(ApplicationState::Pending),
        Some(word) => word.parse().ok(),
    };
    let before = asked.cursor.as_deref().and_then(|text| text.parse().ok());
    answer(&app, &ctx, listed(&app, &ctx, (state, before), None).await)
}

/// The list again, with what came of an act; what can't be told there is told as everywhere.
async fn after(
    app: &App,
    ctx: &Ctx,
    outcome: Result<ApplicationNotice, Refusal>,
    wrong: &'static str,
) -> Response {
    let waiting = (Some(ApplicationState::Pending), None);
    let code = match outcome {
        Ok(notice) => return answer(app, ctx, listed(app, ctx, waiting, Some(notice)).await),
        Err(Refusal::Validation(_)) => wrong,
        Err(
            refusal @ (Refusal::SlugTaken
            | Refusal::EmailTaken
            | Refusal::Conflict(_)
            | Refusal::ConflictFor(..)),
        ) => Failure::from(refusal).code(),
        Err(refusal) => return answer::<Response>(app, ctx, Err(refusal)),
    };
    let notice = Some(ApplicationNotice::Refused(code));
    let shown = answer(app, ctx, listed(app, ctx, waiting, notice).await);
    Audited::refused(code).on(shown)
}

async fn approve(
    State(app): State<App>,
    ctx: Ctx,
    Path(id): Path<String>,
    Form(mut sent): Form<ApproveRequest>,
) -> Response {
    // A form sends a field that nothing was written into.
    sent.slug = sent.slug.filter(|slug| !slug.trim().is_empty());
    let outcome = async {
        let id = read(&id)?;
        let otherwise = sent.into_overrides()?;
        app.service.approve_application(id, otherwise, WAIT).await?;
        Ok(ApplicationNotice::Approved)
    }
    .await;
    after(&app, &ctx, outcome, "validation_failed").await
}

async fn reject(
    State(app): State<App>,
    ctx: Ctx,
    Path(id): Path<String>,
    Form(sent): Form<RejectRequest>,
) -> Response {
    let outcome = async {
        let id = read(&id)?;
        app.service
            .reject_application(id, sent.reason.as_deref())
            .await?;
        Ok(ApplicationNotice::Rejected)
    }
    .await;
    after(&app, &ctx, outcome, "reason").await
}
