//! Wire types that applications share with Tenantry: what an access token says, how a tenant is
//! named, how an error looks.
//!
//! Knows nothing but serde, so that an application in any framework can depend on it. Checks
//! nothing: whether a token is genuine is said by `tenantry-keys` on our side and by
//! `tenantry-guard` on the application's. Ids are strings here, because an application compares and
//! stores them and never takes them apart.

mod problem;
mod tenant;
mod token;

pub use problem::{FieldProblem, Problem};
pub use tenant::TenantRef;
pub use token::Claims;
