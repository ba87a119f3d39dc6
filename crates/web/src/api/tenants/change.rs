//! Changing a tenant.

use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::patch;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use tenantry_service::Refusal;
use tenantry_service::tenants::{MinLength, TenantPatch};

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
        .refuses(&["validation_failed", "domain_taken", "not_found"]);
    Routes::default().add(
        admin(Verb::Patch, "/api/v1/tenants/{tenant}", doc)
            .audited(AuditClass::Tenant, "tenant.change"),
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
    /// The hosts of its own that it claims from now on: new ones are claimed, others given up.
    #[serde(default)]
    pub domains: Option<Vec<String>>,
    /// The fewest characters of a new password, 8 to 64; null for the platform's number.
    #[serde(default, deserialize_with = "min_length")]
    #[schemars(with = "Option<u8>")]
    pub password_min_length: Option<MinLength>,
}

/// A number, or null for none of its own; where the field is left out this isn't asked.
fn min_length<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<MinLength>, D::Error> {
    let characters = Option::<u8>::deserialize(deserializer)?;
    Ok(Some(characters.map_or(MinLength::Platform, MinLength::Own)))
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
            password_min: self.password_min_length,
        })
    }
}

async fn change(
    State(app): State<App>,
    ctx: Ctx,
    Path(name): Path<String>,
    Json(request): Json<PatchRequest>,
) -> Response {
    let hosts = request.domains.clone();
    match request.into_patch() {
        Ok(patch) => {
            on_tenant(&app, &ctx, &name, async |view| {
                let changed = app
                    .service
                    .change_tenant(view.tenant.id, patch, hosts.as_deref())
                    .await?;
                Ok::<_, Refusal>(shown(&changed))
            })
            .await
        }
        Err(refusal) => respond(&app, Some(&ctx), refusal.into()),
    }
}
