//! Choosing one of several tenants after the password was right.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use tenantry_core::session::SessionKind;
use tenantry_core::tenant::Tenant;
use tenantry_service::Refusal;

use super::chrome::{brand_of, chrome};
use super::{login, page, see_other};
use crate::App;
use crate::context::Ctx;
use crate::extract::Form;
use crate::pages::choose_tenant::{ChooseTenantPage, TenantChoice};
use crate::pages::password::{LinkGonePage, LinkKind};
use crate::pages::paths;
use crate::problem::respond;
use crate::route::{Audience, AuditClass, Route, Routes};

pub(super) fn routes() -> Routes {
    Routes::default()
        .add(
            Route::page(paths::CHOOSE_TENANT, Audience::Public),
            get(without_token),
        )
        .add(
            Route::form(paths::CHOOSE_TENANT, Audience::Public)
                .takes_token()
                .audited(AuditClass::Session, "session.choose"),
            post(choose),
        )
}

/// The form, field for field as the API's.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChooseForm {
    selection_token: String,
    tenant_id: String,
}

/// Offers the tenants a password fits in.
pub(super) fn offer(app: &App, ctx: &Ctx, selection_token: String, tenants: &[Tenant]) -> Response {
    let tenants = tenants
        .iter()
        .map(|tenant| TenantChoice::new(tenant.id, brand_of(app, ctx, tenant)))
        .collect();
    page(
        app,
        ctx,
        StatusCode::OK,
        &ChooseTenantPage {
            chrome: chrome(app, ctx),
            selection_token,
            tenants,
        },
    )
}

/// Reloaded or come back to, the page has no token any more; the way begins at the sign-in.
async fn without_token() -> Response {
    see_other(paths::LOGIN)
}

async fn choose(State(app): State<App>, ctx: Ctx, Form(sent): Form<ChooseForm>) -> Response {
    let client = ctx.client(SessionKind::Browser);
    match app
        .service
        .select(
            &sent.selection_token,
            &sent.tenant_id,
            ctx.tenant.id(),
            &client,
        )
        .await
    {
        Ok((person, issued)) => login::welcome(&app, &person, &issued, None),
        Err(Refusal::TokenInvalid) => page(
            &app,
            &ctx,
            StatusCode::BAD_REQUEST,
            &LinkGonePage {
                chrome: chrome(&app, &ctx),
                kind: LinkKind::Setup,
            },
        ),
        Err(refusal) => respond(&app, Some(&ctx), refusal.into()),
    }
}
