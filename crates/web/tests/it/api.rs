//! The JSON API, by its paths.

mod auth;
mod tenants;
mod workflows;
