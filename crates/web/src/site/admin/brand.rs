//! What a tenant's pages and mails look like, in the console: its page again, with what came of each
//! act.

use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::post;
use tenantry_service::Refusal;
use tenantry_service::tenants::TenantView;

use super::tenant::{self, Beside};
use crate::App;
use crate::answer::on_tenant;
use crate::context::Ctx;
use crate::extract::Form;
use crate::pages::admin::TenantNotice;
use crate::pages::brand::BrandNotice;
use crate::route::{Audience, AuditClass, Route, Routes};
use crate::site::forms::NoFields;
use crate::site::settings::{ColourForm, trouble};
use crate::upload::File;

pub(super) fn routes() -> Routes {
    let form = |path, action| {
        Route::form(path, Audience::PlatformAdmin).audited(AuditClass::Tenant, action)
    };
    Routes::default()
        .add(
            form("/admin/tenants/{slug}/brand", "tenant.change"),
            post(change),
        )
        .add(
            form("/admin/tenants/{slug}/brand/logo", "tenant.set_logo").with_file(),
            post(set_logo),
        )
        .add(
            form(
                "/admin/tenants/{slug}/brand/logo/remove",
                "tenant.remove_logo",
            ),
            post(remove_logo),
        )
}

/// Does something about a tenant's look and shows its page again.
async fn act(
    app: &App,
    ctx: &Ctx,
    slug: &str,
    notice: BrandNotice,
    typed: Option<&str>,
    doing: impl AsyncFnOnce(&TenantView) -> Result<TenantView, Refusal>,
) -> Response {
    on_tenant(app, ctx, slug, async |view| match doing(&view).await {
        Ok(changed) => {
            let beside = Beside::notice(TenantNotice::Brand(notice));
            tenant::shown(app, ctx, &changed, beside).await
        }
        Err(Refusal::Validation(errors)) => {
            let beside = Beside {
                brand: Some((trouble(&errors), typed.map(str::to_owned))),
                ..Beside::default()
            };
            tenant::shown(app, ctx, &view, beside).await
        }
        Err(refusal) => Err(refusal),
    })
    .await
}

async fn change(
    State(app): State<App>,
    ctx: Ctx,
    Path(slug): Path<String>,
    Form(sent): Form<ColourForm>,
) -> Response {
    let (notice, typed) = (BrandNotice::Colour, Some(sent.colour.as_str()));
    act(&app, &ctx, &slug, notice, typed, async |view| {
        app.service
            .patch_tenant(view.tenant.id, sent.patch()?)
            .await
    })
    .await
}

async fn set_logo(
    State(app): State<App>,
    ctx: Ctx,
    Path(slug): Path<String>,
    File(file): File,
    Form(NoFields {}): Form<NoFields>,
) -> Response {
    act(&app, &ctx, &slug, BrandNotice::Logo, None, async |view| {
        app.service.set_logo(view.tenant.id, file.into()).await
    })
    .await
}

async fn remove_logo(
    State(app): State<App>,
    ctx: Ctx,
    Path(slug): Path<String>,
    Form(NoFields {}): Form<NoFields>,
) -> Response {
    let gone = BrandNotice::LogoRemoved;
    act(&app, &ctx, &slug, gone, None, async |view| {
        app.service.remove_logo(view.tenant.id).await
    })
    .await
}
