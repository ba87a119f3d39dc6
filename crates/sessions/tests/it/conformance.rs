//! What every driver does.

mod clocks;
mod ending;
mod limit;
mod races;
mod scopes;
mod single;
mod tenants;
