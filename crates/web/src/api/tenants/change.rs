//! Changing a tenant.

use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::patch;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use tenantry_core::Locale;
use tenantry_service::Refusal;
use tenantry_service::tenants::{MinLength, TenantChange, TenantPatch};

use super::{OwnerRequest, admin, parse_option, shown};
use crate::App;
use crate::answer::on_tenant;
use crate::api::fields::given;
use crate::api::wire::TenantBody;
use crate::audit::Audited;
use crate::context::Ctx;
use crate::extract::{Json, some_object};
use crate::problem::respond;
use crate::route::{AuditClass, Doc, Routes, Verb};

pub(super) fn routes() -> Routes {
    let doc = Doc::new("Change a tenant", 200)
        .takes::<PatchRequest>()
        .gives::<TenantBody>()
        .refuses(&[
            "validation_failed",
            "domain_taken",
            "email_taken",
            "username_taken",
            "conflict",
            "not_found",
        ]);
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
    /// The colour of its pages and mails, as `#1d4ed8`; null for none of its own.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "Option<String>")]
    pub colour: Option<Option<String>>,
    /// Who becomes an owner. Whoever has the address in the tenant gets the role and keeps everything
    /// else, name and password too; where nobody has it, somebody is added, with the password given
    /// or a setup link by mail. Other owners stay owners; whoever is one already stays as before.
    #[serde(default, deserialize_with = "some_object")]
    pub owner: Option<OwnerRequest>,
}

/// A number, or null for none of its own; where the field is left out this isn't asked.
fn min_length<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<MinLength>, D::Error> {
    let characters = Option::<u8>::deserialize(deserializer)?;
    Ok(Some(characters.map_or(MinLength::Platform, MinLength::Own)))
}

impl PatchRequest {
    /// The change it asks for, or everything that is wrong with it.
    fn into_change(self, locale: Locale) -> Result<TenantChange, Refusal> {
        let mut errors = Vec::new();
        let colour = self.colour.map(|colour| {
            let colour = colour.as_deref();
            parse_option(&mut errors, "colour", colour)
        });
        let owner = self.owner.map(|owner| owner.into_owner(&mut errors));
        let registration = parse_option(&mut errors, "registration", self.registration.as_deref());
        if !errors.is_empty() {
            return Err(Refusal::Validation(errors));
        }
        Ok(TenantChange {
            patch: TenantPatch {
                name: self.name,
                registration,
                verify_email: self.verify_email,
                password_min: self.password_min_length,
                colour,
                ..TenantPatch::default()
            },
            hosts: self.domains,
            owner: owner.flatten().map(|owner| (owner, locale)),
        })
    }
}

async fn change(
    State(app): State<App>,
    ctx: Ctx,
    Path(name): Path<String>,
    Json(request): Json<PatchRequest>,
) -> Response {
    match request.into_change(ctx.locale) {
        Ok(change) => {
            on_tenant(&app, &ctx, &name, async |view| {
                let changed = app.service.change_tenant(view.tenant.id, change).await?;
                let owner = changed.owner.map(|owner| owner.to_string());
                let named = Audited::target(owner.unwrap_or_default());
                let (status, body) = shown(&changed.view);
                Ok::<_, Refusal>((status, named, body))
            })
            .await
        }
        Err(refusal) => respond(&app, Some(&ctx), refusal.into()),
    }
}
