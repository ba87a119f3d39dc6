//! What every page shows beside its content, from what is known about the request.

use tenantry_core::tenant::Tenant;
use tenantry_service::sessions::Principal;
use tenantry_service::signin::Person;

use crate::App;
use crate::context::Ctx;
use crate::pages::chrome::display_name;
use crate::pages::{Brand, Chrome, Person as Shown};

/// The name of the product where an operator's own has no place yet.
const PRODUCT: &str = "Tenantry";

/// The host of an address, with its port where it is not the usual one.
pub(super) fn host_of(url: &url::Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port()
        .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// A tenant's host as pages show it.
pub(super) fn tenant_host(app: &App, tenant: &Tenant) -> String {
    host_of(&app.service.settings().tenant_url(tenant, &[]))
}

/// A tenant's brand, or the platform's.
fn brand(app: &App, tenant: Option<&Tenant>) -> Brand {
    match tenant {
        Some(tenant) => Brand::tenant(&tenant.name, &tenant.slug, &tenant_host(app, tenant), None),
        None => Brand::platform(PRODUCT, &host_of(&app.service.settings().public_url)),
    }
}

/// Somebody signed in, as pages show them.
pub(super) fn shown(principal: &Principal) -> Shown {
    match &principal.person {
        Person::User { user, .. } => Shown {
            name: display_name(
                user.full_name.as_deref(),
                user.username.as_deref(),
                &user.email,
            ),
            email: user.email.to_string(),
            role: user.role,
        },
        Person::Admin(admin) => Shown {
            name: display_name(admin.full_name.as_deref(), None, &admin.email),
            email: admin.email.to_string(),
            role: principal.role(),
        },
    }
}

/// What every page shows: in the brand of the tenant the request names, else of the tenant
/// somebody is signed in to.
pub(super) fn chrome(app: &App, ctx: &Ctx) -> Chrome {
    let signed_in = ctx
        .principal
        .as_ref()
        .and_then(|principal| principal.person.tenant());
    chrome_of(app, ctx, ctx.tenant.tenant().or(signed_in))
}

/// The same in the brand of one tenant, or of the platform.
pub(super) fn chrome_of(app: &App, ctx: &Ctx, tenant: Option<&Tenant>) -> Chrome {
    Chrome {
        locale: ctx.locale,
        brand: brand(app, tenant),
        csrf: ctx.csrf_token.clone(),
        person: ctx.principal.as_ref().map(shown),
        product: PRODUCT.to_owned(),
    }
}
