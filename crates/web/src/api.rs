//! The JSON API: what programs call.

pub mod auth;
pub mod clusters;
pub mod me;
pub mod tenants;
pub mod webhooks;
pub mod wire;
pub mod workflows;

use crate::route::Routes;

/// Every route of the API.
pub fn routes() -> Routes {
    auth::routes()
        .merge(me::routes())
        .merge(tenants::routes())
        .merge(clusters::routes())
        .merge(webhooks::routes())
        .merge(workflows::routes())
}
