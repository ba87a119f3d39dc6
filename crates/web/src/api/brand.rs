//! What the pages and mails of one's own tenant look like, for its owners and admins. A platform
//! admin does the same to any tenant below `/api/v1/tenants/{tenant}`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{delete, get, patch, put};
use tenantry_service::Refusal;
use tenantry_service::staff::Acting;
use tenantry_service::tenants::{TenantPatch, TenantView};

use super::fields::parse_option;
use super::wire::{OwnTenantBody, OwnTenantPatch};
use crate::App;
use crate::answer::answer;
use crate::context::Ctx;
use crate::extract::{Image, Json};
use crate::route::{Audience, AuditClass, Doc, Route, Routes, Verb};

/// What is said about the body of a logo.
pub(super) const LOGO: &str = "PNG, JPEG or WebP, told by its first octets whatever the media type \
     says; at most 256 KiB, 16 to 2048 pixels wide and high";

/// This feature's routes.
pub fn routes() -> Routes {
    let own = |verb, path, doc| Route::api(verb, path, Audience::TenantAdmin, doc);
    let looking = Doc::new("One's own tenant", 200).gives::<OwnTenantBody>();
    let changing = Doc::new("Change the colour of one's own tenant", 200)
        .takes::<OwnTenantPatch>()
        .gives::<OwnTenantBody>()
        .refuses(&["validation_failed"]);
    let setting = Doc::new("Give one's own tenant a logo", 200)
        .takes_image(LOGO)
        .gives::<OwnTenantBody>()
        .refuses(&["validation_failed", "payload_too_large"]);
    let removing = Doc::new("Take the logo of one's own tenant away", 204).refuses(&["not_found"]);
    let logo = "/api/v1/tenant/logo";
    Routes::default()
        .add(own(Verb::Get, "/api/v1/tenant", looking), get(show))
        .add(
            own(Verb::Patch, "/api/v1/tenant", changing)
                .audited(AuditClass::Tenant, "tenant.change"),
            patch(change),
        )
        .add(
            own(Verb::Put, logo, setting).audited(AuditClass::Tenant, "tenant.set_logo"),
            put(set_logo),
        )
        .add(
            own(Verb::Delete, logo, removing).audited(AuditClass::Tenant, "tenant.remove_logo"),
            delete(remove_logo),
        )
}

fn shown(view: &TenantView) -> axum::Json<OwnTenantBody> {
    axum::Json(OwnTenantBody::from(view))
}

async fn show(State(app): State<App>, ctx: Ctx) -> Response {
    let outcome = async {
        let acting = Acting::of(ctx.principal()?)?;
        let view = app.service.view(acting.tenant().id()).await?;
        Ok::<_, Refusal>(shown(&view))
    }
    .await;
    answer(&app, &ctx, outcome)
}

async fn change(State(app): State<App>, ctx: Ctx, Json(request): Json<OwnTenantPatch>) -> Response {
    let outcome = async {
        let acting = Acting::of(ctx.principal()?)?;
        let mut errors = Vec::new();
        let colour = request
            .colour
            .map(|colour| parse_option(&mut errors, "colour", colour.as_deref()));
        if !errors.is_empty() {
            return Err(Refusal::Validation(errors));
        }
        let patch = TenantPatch {
            colour,
            ..TenantPatch::default()
        };
        let changed = app
            .service
            .patch_tenant(acting.tenant().id(), patch)
            .await?;
        Ok(shown(&changed))
    }
    .await;
    answer(&app, &ctx, outcome)
}

async fn set_logo(State(app): State<App>, ctx: Ctx, Image(body): Image) -> Response {
    let outcome = async {
        let acting = Acting::of(ctx.principal()?)?;
        let view = app.service.set_logo(acting.tenant().id(), body).await?;
        Ok::<_, Refusal>(shown(&view))
    }
    .await;
    answer(&app, &ctx, outcome)
}

async fn remove_logo(State(app): State<App>, ctx: Ctx) -> Response {
    let outcome = async {
        let acting = Acting::of(ctx.principal()?)?;
        app.service.remove_logo(acting.tenant().id()).await?;
        Ok::<_, Refusal>(StatusCode::NO_CONTENT)
    }
    .await;
    answer(&app, &ctx, outcome)
}
