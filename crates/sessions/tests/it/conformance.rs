//! What every driver does.

mod ending;
mod limit;
mod races;
mod scopes;
mod single;
mod tenants;
