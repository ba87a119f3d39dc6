//! What the store promises, on SQLite and on PostgreSQL: each statement by the same code on both,
//! the constraints of the registry, what happens when many do the same at once, the two schemas
//! compared, and the files and pools of the tenants. Needs a real PostgreSQL.

#[macro_use]
mod support;

mod away;
mod cancelled;
mod census;
mod cluster;
mod concurrency;
mod conformance;
mod constraints;
mod errors;
mod files;
mod migrations;
mod parity;
mod pools;
mod sealed;
mod servers;
