//! The database credentials of a tenant's applications.

use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{get, post};
use schemars::JsonSchema;
use serde::Serialize;
use tenantry_service::credentials::{Reveal, Rotated};

use super::admin;
use crate::App;
use crate::answer::on_tenant;
use crate::api::wire::{CredentialBody, LinkSentBody, RevealedBody, RotateRequest};
use crate::context::Ctx;
use crate::extract::JsonOrNothing;
use crate::route::{AuditClass, Doc, Routes, Verb};

pub(super) fn routes() -> Routes {
    let listing = Doc::new(
        "List the users of a tenant's database with the passwords they had, the newest first; never a password",
        200,
    )
    .gives::<CredentialsBody>()
    .refuses(&["not_found"]);
    let rotating = Doc::new(
        "Change the application's database user: shown at once with `reveal`, else by a link that its owners get by mail. While an earlier change drains, `conflict` with `Retry-After`",
        200,
    )
    .takes::<RotateRequest>()
    .gives::<RotatedBody>()
    .refuses(&["validation_failed", "not_found", "conflict", "tenant_unavailable"]);
    Routes::default()
        .add(
            admin(Verb::Get, "/api/v1/tenants/{tenant}/credentials", listing),
            get(list),
        )
        .add(
            admin(
                Verb::Post,
                "/api/v1/tenants/{tenant}/credentials/rotate",
                rotating,
            )
            .audited(AuditClass::Tenant, "credentials.rotate"),
            post(rotate),
        )
}

/// Users of a tenant's database.
#[derive(Debug, Serialize, JsonSchema)]
struct CredentialsBody {
    /// One for each password, the newest first.
    items: Vec<CredentialBody>,
}

/// New credentials, or that a link to them is on its way.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
enum RotatedBody {
    /// They were to be revealed.
    Revealed(RevealedBody),
    /// They were not.
    Sent(LinkSentBody),
}

async fn list(State(app): State<App>, ctx: Ctx, Path(name): Path<String>) -> Response {
    on_tenant(&app, &ctx, &name, async |view| {
        let listed = app.service.list_credentials(view.tenant.id).await;
        listed.map(|all| {
            let items = all.into_iter().map(CredentialBody::from).collect();
            axum::Json(CredentialsBody { items })
        })
    })
    .await
}

async fn rotate(
    State(app): State<App>,
    ctx: Ctx,
    Path(name): Path<String>,
    JsonOrNothing(request): JsonOrNothing<RotateRequest>,
) -> Response {
    let reveal = if request.reveal {
        Reveal::Now
    } else {
        Reveal::ByMail
    };
    on_tenant(&app, &ctx, &name, async |view| {
        let rotated = app.service.rotate_credentials(view.tenant.id, reveal).await;
        rotated.map(|rotated| {
            axum::Json(match rotated {
                Rotated::Shown(access) => RotatedBody::Revealed(RevealedBody::from(&*access)),
                Rotated::Mailed { .. } => RotatedBody::Sent(LinkSentBody::SENT),
            })
        })
    })
    .await
}
