//! The JSON API, by its paths.

mod auth;
mod clusters;
mod tenants;
mod webhooks;
mod workflows;
