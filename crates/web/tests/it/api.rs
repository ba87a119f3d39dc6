//! The JSON API, by its paths.

mod applications;
mod audit;
mod auth;
mod clusters;
mod idempotency;
pub(crate) mod tenant;
mod tenants;
mod users;
mod webhooks;
mod workflows;
