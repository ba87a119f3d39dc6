//! Changing a tenant.

use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::patch;
use schemars::JsonSchema;
use serde::Deserialize;
use tenantry_service::Refusal;
use tenantry_service::tenants::TenantPatch;

use super::{admin, parse_option, shown};
use crate::App;
use crate::answer::on_tenant;
use crate::api::wire::TenantBody;
use crate::context::Ctx;
use crate::extract::Json;
use crate::problem::respond;
use crate::route::{AuditClass, Doc, Routes, Verb};

pub(super) fn routes() -> Routes {
    let doc = Doc::new("Change a tenant", 200)
        .takes::<PatchRequest>()
        .gives::<TenantBody>()
        .refuses(&["validation_failed", "not_found"]);
    Routes::default().add(
        admin(Verb::Patch, "/api/v1/tenants/{tenant}", doc).audited(AuditClass::Tenant),
        patch(change),
    )
}

/// What to change about a tenant.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PatchRequest {
    /// The name to show.
    #[serde(default)]
    pub name: Option<String>,
    /// `open`, `closed` or `invite`.
    #[serde(default)]
    pub registration: Option<String>,
    /// Whether a registered address must be proven first.
    #[serde(default)]
    pub verify_email: Option<bool>,
}

impl PatchRequest {
    /// The change it asks for, or everything that is wrong with it.
    fn into_patch(self) -> Result<TenantPatch, Refusal> {
        let mut errors = Vec::new();
        let registration = parse_option(&mut errors, "registration", self.registration.as_deref());
        if !errors.is_empty() {
            return Err(Refusal::Validation(errors));
        }
        Ok(TenantPatch {
            name: self.name,
            registration,
            verify_email: self.verify_email,
        })
    }
}

async fn change(
    State(app): State<App>,
    ctx: Ctx,
    Path(name): Path<String>,
    Json(request): Json<PatchRequest>,
) -> Response {
    match request.into_patch() {
        Ok(patch) => {
            on_tenant(&app, &ctx, &name, async |view| {
                let changed = app.service.patch_tenant(view.tenant.id, patch).await?;
                Ok::<_, Refusal>(shown(&changed))
            })
            .await
        }
        Err(refusal) => respond(&app, Some(&ctx), refusal.into()),
    }
}
