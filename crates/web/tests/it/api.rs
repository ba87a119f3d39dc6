//! The JSON API, by its paths.

mod applications;
mod audit;
mod auth;
mod clusters;
mod tenants;
mod users;
mod webhooks;
mod workflows;
