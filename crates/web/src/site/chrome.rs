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

/// A tenant's host as pages show it: the one that the visitor is at where it is the tenant's, else
/// that of its slug.
pub(super) fn tenant_host(app: &App, ctx: &Ctx, tenant: &Tenant) -> String {
    let settings = app.service.settings();
    let names_it = ctx.tenant.id() == Some(tenant.id);
    let at = ctx.authority.as_deref().filter(|_| names_it);
    let public = settings.public_url.host_str();
    at.filter(|authority| !is_platform_host(&settings.base_domain, public, authority))
        .map_or_else(|| host_of(&settings.tenant_url(tenant, &[])), str::to_owned)
}

/// Whether a host, with or without its port, is the platform's: at or below its base domain, or a
/// plain address. What else names a tenant is a domain of the tenant's own.
fn is_platform_host(base: &str, public: Option<&str>, authority: &str) -> bool {
    let Ok(url) = url::Url::parse(&format!("http://{authority}/")) else {
        return true;
    };
    let Some(url::Host::Domain(host)) = url.host() else {
        return true;
    };
    let below = host.strip_suffix(base);
    host == "localhost"
        || public == Some(host)
        || below.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// A tenant's brand.
pub(super) fn brand_of(app: &App, ctx: &Ctx, tenant: &Tenant) -> Brand {
    let host = tenant_host(app, ctx, tenant);
    Brand::tenant(&tenant.name, &tenant.slug, &host, tenant.colour).with_logo(tenant.logo)
}

/// A tenant's brand, or the platform's.
fn brand(app: &App, ctx: &Ctx, tenant: Option<&Tenant>) -> Brand {
    tenant.map_or_else(
        || Brand::platform(PRODUCT, &host_of(&app.service.settings().public_url)),
        |tenant| brand_of(app, ctx, tenant),
    )
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
        brand: brand(app, ctx, tenant),
        csrf: ctx.csrf_token.clone(),
        person: ctx.principal.as_deref().map(shown),
        product: PRODUCT.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_below_the_base_domain_is_the_platforms() {
        let of =
            |authority: &str| is_platform_host("example.org", Some("www.example.net"), authority);
        for host in [
            "localhost:8000",
            "example.org",
            "acme.example.org:8000",
            "www.example.net",
            "127.0.0.1:8000",
            "[::1]",
            "not a host",
        ] {
            assert!(of(host), "{host}");
        }
        for host in ["acme.example", "shop.acme.example:8000", "notexample.org"] {
            assert!(!of(host), "{host}");
        }
    }
}
