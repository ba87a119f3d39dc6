//! Asking for a tenant, and deciding about who asked.

use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use tenantry_core::ApplicationId;
use tenantry_core::application::ApplicationState;
use tenantry_core::tenant::Isolation;
use tenantry_service::Refusal;
use tenantry_service::applications::{ApplicationView, Confirmed, Overrides};

use super::fields::parse_option;
use super::registration::VerificationBody;
use super::tenants::made;
use super::wire::{
    ApplicationBody, ApplicationQuery, ApplicationRequest, ApproveRequest, ConfirmRequest,
    ConfirmedBody, ListBody, ListQuery, RejectRequest, TenantBody,
};
use crate::App;
use crate::answer::answer;
use crate::context::Ctx;
use crate::extract::{Json, JsonOrNothing, Query};
use crate::route::{Audience, AuditClass, Doc, Route, Routes, Verb};

/// How long an answer waits for the tenant.
pub(crate) const WAIT: Duration = Duration::from_secs(30);

const ALL: &str = "/api/v1/tenant-applications";

/// This feature's routes.
pub fn routes() -> Routes {
    let asking = Doc::new(
        "Ask for a tenant, where the setting tenants.signup allows it; the address is proven by mail, whatever is known of it",
        202,
    )
    .takes::<ApplicationRequest>()
    .gives::<VerificationBody>()
    .refuses(&["validation_failed", "forbidden", "slug_taken", "rate_limited"]);
    let confirming = Doc::new("Prove the address with the token from the mail", 200)
        .takes::<ConfirmRequest>()
        .gives::<ConfirmedBody>()
        .refuses(&["token_invalid", "forbidden"]);
    let listing = Doc::new("Applications for a tenant, the newest first", 200)
        .asks::<ApplicationQuery>()
        .gives::<ListBody<ApplicationBody>>()
        .refuses(&["validation_failed"]);
    let approving = Doc::new(
        "Make the tenant that is asked for, with whoever asked as its owner; 202 with its workflow when it takes longer than 30 seconds",
        200,
    )
    .takes::<ApproveRequest>()
    .gives::<TenantBody>()
    .refuses(&["validation_failed", "not_found", "slug_taken", "email_taken", "conflict"]);
    let rejecting = Doc::new("Say no, and mail that to whoever asked", 200)
        .takes::<RejectRequest>()
        .gives::<ApplicationBody>()
        .refuses(&["validation_failed", "not_found", "conflict"]);
    let admin = |verb, path, doc| Route::api(verb, path, Audience::PlatformAdmin, doc);
    Routes::default()
        .add(
            Route::api(Verb::Post, ALL, Audience::Public, asking)
                .takes_secret()
                .audited(AuditClass::Platform, "application.make")
                .once_by_key(),
            post(apply),
        )
        .add(
            Route::api(
                Verb::Post,
                "/api/v1/tenant-applications/confirm",
                Audience::Public,
                confirming,
            )
            .takes_token()
            .audited(AuditClass::Platform, "application.confirm"),
            post(confirm),
        )
        .add(admin(Verb::Get, ALL, listing), get(list))
        .add(
            admin(
                Verb::Post,
                "/api/v1/tenant-applications/{id}/approve",
                approving,
            )
            .audited(AuditClass::Platform, "application.approve")
            .once_by_key(),
            post(approve),
        )
        .add(
            admin(
                Verb::Post,
                "/api/v1/tenant-applications/{id}/reject",
                rejecting,
            )
            .audited(AuditClass::Platform, "application.reject"),
            post(reject),
        )
}

pub(crate) fn read(id: &str) -> Result<ApplicationId, Refusal> {
    id.parse().map_err(|_| Refusal::NotFound)
}

async fn apply(
    State(app): State<App>,
    ctx: Ctx,
    Json(request): Json<ApplicationRequest>,
) -> Response {
    let new = request.into();
    let outcome = app.service.apply(&new, ctx.locale, ctx.client_ip).await;
    let status = "verification_sent";
    let told = outcome.map(|()| {
        (
            StatusCode::ACCEPTED,
            axum::Json(VerificationBody { status }),
        )
    });
    answer(&app, &ctx, told)
}

async fn confirm(
    State(app): State<App>,
    ctx: Ctx,
    Json(request): Json<ConfirmRequest>,
) -> Response {
    let outcome = app.service.confirm_application(&request.token, WAIT).await;
    let told = outcome.map(|confirmed| {
        axum::Json(match confirmed {
            Confirmed::Waiting(view) => ConfirmedBody {
                status: view.state,
                url: None,
            },
            Confirmed::Made(view) => ConfirmedBody {
                status: ApplicationState::Approved,
                url: Some(view.url),
            },
        })
    });
    answer(&app, &ctx, told)
}

async fn list(State(app): State<App>, ctx: Ctx, Query(query): Query<ApplicationQuery>) -> Response {
    let outcome = async {
        let mut errors = Vec::new();
        let state = parse_option(&mut errors, "state", query.state.as_deref());
        if !errors.is_empty() {
            return Err(Refusal::Validation(errors));
        }
        let page = ListQuery {
            limit: query.limit,
            cursor: query.cursor,
            tenant_id: None,
        };
        let (limit, before) = (page.limit()?, page.cursor()?);
        let views = app
            .service
            .list_applications(state, before, limit + 1)
            .await?;
        let cursor = |view: &ApplicationView| view.id.to_string();
        let page = ListBody::page(views, limit, cursor, |view| ApplicationBody::from(view));
        Ok::<_, Refusal>(axum::Json(page))
    }
    .await;
    answer(&app, &ctx, outcome)
}

impl ApproveRequest {
    /// What it decides otherwise, or everything that is wrong with it.
    pub(crate) fn into_overrides(self) -> Result<Overrides, Refusal> {
        let mut errors = Vec::new();
        let slug = parse_option(&mut errors, "slug", self.slug.as_deref());
        let isolation =
            parse_option::<Isolation>(&mut errors, "isolation", self.isolation.as_deref());
        if errors.is_empty() {
            Ok(Overrides {
                slug,
                isolation,
                cluster: self.cluster,
            })
        } else {
            Err(Refusal::Validation(errors))
        }
    }
}

async fn approve(
    State(app): State<App>,
    ctx: Ctx,
    Path(id): Path<String>,
    JsonOrNothing(request): JsonOrNothing<ApproveRequest>,
) -> Response {
    let outcome = async {
        let otherwise = request.into_overrides()?;
        let id = read(&id)?;
        app.service.approve_application(id, otherwise, WAIT).await
    }
    .await;
    let told = outcome.map(|created| {
        let (status, about, body) = made(created);
        // It is an act on the application, however much comes into being by it.
        let status = if status == StatusCode::CREATED {
            StatusCode::OK
        } else {
            status
        };
        (status, about, body)
    });
    answer(&app, &ctx, told)
}

async fn reject(
    State(app): State<App>,
    ctx: Ctx,
    Path(id): Path<String>,
    JsonOrNothing(request): JsonOrNothing<RejectRequest>,
) -> Response {
    let outcome = async {
        let id = read(&id)?;
        let view = app
            .service
            .reject_application(id, request.reason.as_deref())
            .await?;
        Ok::<_, Refusal>(axum::Json(ApplicationBody::from(&view)))
    }
    .await;
    answer(&app, &ctx, outcome)
}
