//! What machines ask.

mod dashboard;
mod health;
mod jwks;
mod metrics;
mod openapi;
mod verify;
