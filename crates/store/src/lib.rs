//! The control database, the tenant databases, and every statement that runs on them.
//!
//! The only crate that knows SQL. One text of each statement serves SQLite and PostgreSQL. User
//! data is reached through a [`TenantCtx`], which only a look into the registry makes, and which
//! alone opens a tenant's transaction: there is no function here that finds a user by address
//! without a tenant. Decides nothing about policy; the use cases call it.

#[macro_use]
mod macros;

mod changes;
pub mod cluster;
pub mod clusters;
pub mod control;
mod db;
mod error;
pub mod files;
pub mod homes;
mod migrate;
mod notify;
pub mod pools;
mod scope;
pub mod tenant;

pub use changes::Changes;
pub use clusters::Clusters;
pub use control::{Control, ControlTx};
pub use db::{Conn, Db, Tx};
pub use error::{ErrorKind, StoreError};
pub use notify::Listener;
pub use pools::{PoolBounds, TenantPools};
pub use scope::{Hint, Origin, TenantCtx};
pub use tenant::TenantTx;
