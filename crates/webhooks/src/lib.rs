//! Handing a notice to a receiver outside, or asking a service outside for a short text: one request,
//! tried once.
//!
//! Owns which addresses may be written to and how: names are resolved here, each address is looked
//! at, and the connection is made to the very address that was looked at, so that no name leads
//! past the check a moment later. Follows no redirect, reads no more of an answer than it must, and
//! ends each try after a set time. Signing, retries and the database belong to `keys`, `service`
//! and `store`. It refuses to log: a receiver's URL may hold what proves who calls.

mod ask;
mod destination;
mod error;
mod post;

pub use destination::{Rules, Unsuitable, is_public};
pub use error::PostError;
pub use post::{Deliverer, Notice};
