//! A tenant's life after it was made: suspended and resumed, deleted and restored, made anew.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{delete, post};
use schemars::JsonSchema;
use serde::Deserialize;
use tenantry_service::clearing::Cleared;
use tenantry_service::tenants::TenantView;
use tenantry_service::{FieldError, Refusal};

use super::{OwnerRequest, admin, shown, status_of, told_of_silent};
use crate::App;
use crate::answer::on_tenant;
use crate::api::wire::{ClearedBody, RenewedBody, TenantBody};
use crate::context::Ctx;
use crate::extract::{Asked, Json, Query, some_object};
use crate::route::{AuditClass, Doc, Route, Routes, Verb};

fn act(path: &'static str, action: &'static str, summary: &'static str) -> Route {
    let doc = Doc::new(summary, 200)
        .gives::<TenantBody>()
        .refuses(&["not_found", "conflict"]);
    admin(Verb::Post, path, doc).audited(AuditClass::Tenant, action)
}

pub(super) fn routes() -> Routes {
    let deleting = Doc::new(
        "Delete a tenant: with a grace of seven days, or at once with `purge=true`; `confirm` is its slug",
        200,
    )
    .asks::<DeleteQuery>()
    .gives::<ClearedBody>()
    .refuses(&["validation_failed", "not_found", "conflict"]);
    let restoring = Doc::new(
        "Bring a deleted tenant back; the answer also tells what ended, mostly nothing",
        200,
    )
    .gives::<RenewedBody>()
    .refuses(&["not_found", "conflict"]);
    let recreating = Doc::new(
        "Drop a tenant's database and make it anew with a fresh owner; the answer also tells what ended",
        200,
    )
    .takes::<RecreateRequest>()
    .gives::<RenewedBody>()
    .refuses(&["validation_failed", "not_found", "conflict"]);
    Routes::default()
        .add(
            admin(Verb::Delete, "/api/v1/tenants/{tenant}", deleting)
                .audited(AuditClass::Tenant, "tenant.delete"),
            delete(remove),
        )
        .add(
            act(
                "/api/v1/tenants/{tenant}/suspend",
                "tenant.suspend",
                "Keep everybody out of a tenant",
            ),
            post(suspend),
        )
        .add(
            act(
                "/api/v1/tenants/{tenant}/resume",
                "tenant.resume",
                "Let people into a suspended tenant again",
            ),
            post(resume),
        )
        .add(
            admin(Verb::Post, "/api/v1/tenants/{tenant}/restore", restoring)
                .audited(AuditClass::Tenant, "tenant.restore"),
            post(restore),
        )
        .add(
            admin(Verb::Post, "/api/v1/tenants/{tenant}/recreate", recreating)
                .audited(AuditClass::Tenant, "tenant.recreate"),
            post(recreate),
        )
}

/// How a tenant is deleted.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeleteQuery {
    /// The tenant's slug, to show that this tenant is meant.
    #[serde(default)]
    pub confirm: Option<String>,
    /// At once and for good.
    #[serde(default)]
    pub purge: bool,
}

impl Asked for DeleteQuery {
    const IS: &'static str = "the query has confirm and purge, once each";
}

/// The confirmation of making a tenant's database anew.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecreateRequest {
    /// The tenant's slug, to show that this tenant is meant.
    pub confirm: String,
    /// The fresh owner; without one, the first of the owners who can get in now is invited anew.
    #[serde(default, deserialize_with = "some_object")]
    pub owner: Option<OwnerRequest>,
}

async fn remove(
    State(app): State<App>,
    ctx: Ctx,
    Path(name): Path<String>,
    Query(query): Query<DeleteQuery>,
) -> Response {
    on_tenant(&app, &ctx, &name, async |view| {
        let tenant = view.tenant;
        if query.confirm.as_deref() != Some(tenant.slug.as_str()) {
            return Err(Refusal::field(
                "confirm",
                "required",
                "give the tenant's slug as confirm=",
            ));
        }
        let deleted = app.service.delete_tenant(tenant.id, query.purge).await?;
        told_of_silent(&tenant, &deleted.cleared);
        Ok(axum::Json(ClearedBody::from(&deleted.cleared)))
    })
    .await
}

/// A tenant that began another life, with what ended.
fn shown_renewed((view, cleared): &(TenantView, Cleared)) -> (StatusCode, axum::Json<RenewedBody>) {
    told_of_silent(&view.tenant, cleared);
    let status = status_of(view);
    (status, axum::Json(RenewedBody::new(view, cleared)))
}

async fn suspend(State(app): State<App>, ctx: Ctx, Path(name): Path<String>) -> Response {
    on_tenant(&app, &ctx, &name, async |view| {
        let suspended = app.service.suspend_tenant(view.tenant.id).await;
        suspended.map(|view| shown(&view))
    })
    .await
}

async fn resume(State(app): State<App>, ctx: Ctx, Path(name): Path<String>) -> Response {
    on_tenant(&app, &ctx, &name, async |view| {
        let resumed = app.service.resume_tenant(view.tenant.id).await;
        resumed.map(|view| shown(&view))
    })
    .await
}

async fn restore(State(app): State<App>, ctx: Ctx, Path(name): Path<String>) -> Response {
    on_tenant(&app, &ctx, &name, async |view| {
        let restored = app.service.restore_tenant(view.tenant.id).await;
        restored.map(|renewed| shown_renewed(&renewed))
    })
    .await
}

async fn recreate(
    State(app): State<App>,
    ctx: Ctx,
    Path(name): Path<String>,
    Json(request): Json<RecreateRequest>,
) -> Response {
    on_tenant(&app, &ctx, &name, async |view| {
        let mut errors = Vec::new();
        if request.confirm != view.tenant.slug.as_str() {
            errors.push(FieldError::new(
                "confirm",
                "required",
                "give the tenant's slug",
            ));
        }
        let owner = request.owner.map(|owner| owner.into_owner(&mut errors));
        if !errors.is_empty() {
            return Err(Refusal::Validation(errors));
        }
        let owner = owner.flatten();
        let recreated = app
            .service
            .recreate_tenant(view.tenant.id, owner.as_ref())
            .await;
        Ok(shown_renewed(&recreated?))
    })
    .await
}
