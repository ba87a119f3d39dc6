//! The console of platform admins: all tenants, one with its health and domains, who asks for
//! one, the servers they lie on, and who did what.

mod applications;
mod audit;
mod brand;
mod clusters;
mod domains;
mod tenant;
mod tenants;

use axum::response::Response;
use axum::routing::get;
use tenantry_service::tenants::TenantView;

use super::see_other;
use crate::pages::admin::TenantRow;
use crate::pages::paths;
use crate::route::{Audience, Route, Routes};

pub(super) fn routes() -> Routes {
    Routes::default()
        .add(Route::page("/admin", Audience::PlatformAdmin), get(start))
        .merge(tenants::routes())
        .merge(clusters::routes())
        .merge(audit::routes())
        .merge(tenant::routes())
        .merge(domains::routes())
        .merge(brand::routes())
        .merge(applications::routes())
}

async fn start() -> Response {
    see_other(paths::ADMIN)
}

fn row(view: &TenantView) -> TenantRow {
    TenantRow {
        name: view.tenant.name.clone(),
        slug: view.tenant.slug.to_string(),
        code: view.code.clone(),
        status: view.tenant.status,
        generation: view.tenant.generation.number(),
        created_at: view.tenant.created_at,
    }
}
