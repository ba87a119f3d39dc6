//! Following a link that proves an address to change to.

use axum::http::{StatusCode, header};
use axum::response::Response;
use tenantry_service::Refusal;
use tenantry_service::profile::NewAddressView;

use super::chrome::chrome_of;
use super::{page, see_other, setup};
use crate::App;
use crate::audit::Audited;
use crate::context::Ctx;
use crate::pages::new_address::NewAddressPage;
use crate::pages::password::LinkKind;

fn shown(app: &App, ctx: &Ctx, view: &NewAddressView, taken: bool) -> Response {
    let status = if taken {
        StatusCode::CONFLICT
    } else {
        StatusCode::OK
    };
    let shown = NewAddressPage {
        chrome: chrome_of(app, ctx, Some(&view.tenant)),
        from: view.from.to_string(),
        to: view.to.to_string(),
        taken,
    };
    page(app, ctx, status, &shown)
}

/// The page behind the link.
pub(super) async fn show_link(app: &App, ctx: &Ctx, token: &str) -> Response {
    let view = app.service.new_address_view(token, ctx.tenant.id()).await;
    match view {
        Ok(view) => shown(app, ctx, &view, false),
        Err(refusal) => setup::refused(app, ctx, LinkKind::NewAddress, refusal),
    }
}

/// Changes the address. A browser that is signed in as the person stays so; any other is sent to
/// sign in.
pub(super) async fn follow_link(app: &App, ctx: &Ctx, token: &str) -> Response {
    let hinted = ctx.tenant.id();
    let signed_in = ctx.principal.as_deref();
    let confirmed = app
        .service
        .confirm_new_address(token, hinted, signed_in, ctx.locale)
        .await;
    match confirmed {
        Ok(confirmed) if confirmed.signed_in => {
            let stay = see_other("/account?done=address");
            Audited::by(&confirmed.subject).on(stay)
        }
        Ok(confirmed) => {
            let mut response = see_other("/login?reason=address_changed");
            if let Some(cookie) = app.cookies().clear(app.cookies().session()) {
                // Somebody else may be signed in on this browser.
                response.headers_mut().append(header::SET_COOKIE, cookie);
            }
            Audited::by(&confirmed.subject).on(response)
        }
        Err(Refusal::EmailTaken) => match app.service.new_address_view(token, hinted).await {
            Ok(view) => shown(app, ctx, &view, true),
            Err(refusal) => setup::refused(app, ctx, LinkKind::NewAddress, refusal),
        },
        Err(refusal) => setup::refused(app, ctx, LinkKind::NewAddress, refusal),
    }
}
