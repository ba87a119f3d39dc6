//! The JSON API: what programs call.

pub mod applications;
pub mod audit;
pub mod auth;
pub mod brand;
pub mod clusters;
pub mod devices;
mod fields;
pub mod me;
pub mod recovery;
pub mod registration;
pub mod tenants;
pub mod users;
pub mod webhooks;
pub mod wire;
pub mod workflows;

use crate::route::Routes;

/// Every route of the API.
pub fn routes() -> Routes {
    auth::routes()
        .merge(me::routes())
        .merge(registration::routes())
        .merge(recovery::routes())
        .merge(tenants::routes())
        .merge(applications::routes())
        .merge(devices::routes())
        .merge(clusters::routes())
        .merge(webhooks::routes())
        .merge(workflows::routes())
        .merge(audit::routes())
        .merge(users::routes())
        .merge(brand::routes())
}
