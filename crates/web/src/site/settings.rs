//! The settings of a tenant, for its owners and admins: what its pages and mails look like.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use tenantry_core::Colour;
use tenantry_service::staff::Acting;
use tenantry_service::tenants::{TenantPatch, TenantView};
use tenantry_service::{FieldError, Refusal};

use super::chrome::chrome_of;
use super::forms::{Done, NoFields};
use super::{Asked, asked, page, see_other};
use crate::App;
use crate::answer::answer;
use crate::context::Ctx;
use crate::extract::Form;
use crate::pages::brand::{BrandForms, BrandNotice, BrandTrouble, SettingsPage};
use crate::pages::paths;
use crate::route::{Audience, AuditClass, Route, Routes};
use crate::upload::File;

pub(super) fn routes() -> Routes {
    let form =
        |path, action| Route::form(path, Audience::TenantAdmin).audited(AuditClass::Tenant, action);
    Routes::default()
        .add(
            Route::page(paths::SETTINGS, Audience::TenantAdmin),
            get(show),
        )
        .add(form(paths::SETTINGS, "tenant.change"), post(change))
        .add(
            form("/settings/logo", "tenant.set_logo").with_file(),
            post(set_logo),
        )
        .add(
            form("/settings/logo/remove", "tenant.remove_logo"),
            post(remove_logo),
        )
}

/// The form for the colour, as the API's; none of its own where it is empty.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ColourForm {
    pub(super) colour: String,
}

impl ColourForm {
    /// The change it asks for.
    pub(super) fn patch(&self) -> Result<TenantPatch, Refusal> {
        let typed = self.colour.trim();
        let parsed = (!typed.is_empty()).then(|| typed.parse::<Colour>());
        let colour = parsed
            .transpose()
            .map_err(|error| Refusal::field("colour", "invalid", error))?;
        Ok(TenantPatch {
            colour: Some(colour),
            ..TenantPatch::default()
        })
    }
}

/// The first of what is wrong with a form, in the words of the page.
pub(super) fn trouble(errors: &[FieldError]) -> BrandTrouble {
    errors.first().map_or(BrandTrouble::NoImage, |error| {
        BrandTrouble::from_error(&error.field, error.code)
    })
}

/// The page of a tenant as it is by now.
fn shown(app: &App, ctx: &Ctx, view: &TenantView) -> SettingsPage {
    SettingsPage {
        chrome: chrome_of(app, ctx, Some(&view.tenant)),
        notice: None,
        brand: BrandForms::of(&view.tenant, paths::SETTINGS.to_owned()),
    }
}

async fn show(State(app): State<App>, ctx: Ctx, query: Asked<Done>) -> Response {
    let outcome = async {
        let acting = Acting::of(ctx.principal()?)?;
        let view = app.service.view(acting.tenant().id()).await?;
        let done = asked(query).done;
        let shown = SettingsPage {
            notice: done.as_deref().and_then(BrandNotice::from_done),
            ..shown(&app, &ctx, &view)
        };
        Ok::<_, Refusal>(page(&app, &ctx, StatusCode::OK, &shown))
    }
    .await;
    answer(&app, &ctx, outcome)
}

/// Does something about the look and leads back to the page, or shows there why not.
async fn act(
    app: &App,
    ctx: &Ctx,
    notice: BrandNotice,
    typed: Option<&str>,
    doing: impl AsyncFnOnce(&Acting<'_>) -> Result<TenantView, Refusal>,
) -> Response {
    let outcome = async {
        let acting = Acting::of(ctx.principal()?)?;
        match doing(&acting).await {
            Ok(_) => Ok(see_other(&format!(
                "{}?done={}",
                paths::SETTINGS,
                notice.done()
            ))),
            Err(Refusal::Validation(errors)) => {
                let view = app.service.view(acting.tenant().id()).await?;
                let mut shown = shown(app, ctx, &view);
                shown.brand.trouble = Some(trouble(&errors));
                shown.brand.typed = typed.map(str::to_owned);
                Ok(page(app, ctx, StatusCode::UNPROCESSABLE_ENTITY, &shown))
            }
            Err(refusal) => Err(refusal),
        }
    }
    .await;
    answer(app, ctx, outcome)
}

async fn change(State(app): State<App>, ctx: Ctx, Form(sent): Form<ColourForm>) -> Response {
    let typed = Some(sent.colour.as_str());
    act(&app, &ctx, BrandNotice::Colour, typed, async |acting| {
        let tenant = acting.tenant().id();
        app.service.patch_tenant(tenant, sent.patch()?).await
    })
    .await
}

async fn set_logo(
    State(app): State<App>,
    ctx: Ctx,
    File(file): File,
    Form(NoFields {}): Form<NoFields>,
) -> Response {
    act(&app, &ctx, BrandNotice::Logo, None, async |acting| {
        let tenant = acting.tenant().id();
        app.service.set_logo(tenant, file.into()).await
    })
    .await
}

async fn remove_logo(
    State(app): State<App>,
    ctx: Ctx,
    Form(NoFields {}): Form<NoFields>,
) -> Response {
    let gone = BrandNotice::LogoRemoved;
    act(&app, &ctx, gone, None, async |acting| {
        app.service.remove_logo(acting.tenant().id()).await
    })
    .await
}
