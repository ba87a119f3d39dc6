//! What machines ask.

mod health;
mod jwks;
mod metrics;
mod openapi;
mod verify;
