//! Access tokens: JWTs (RFC 7519, RFC 9068) signed with Ed25519 (RFC 8037).
//!
//! Owns signing keys, the set of keys that verify, and the JWKS document. One algorithm and one
//! type of token are made and taken; a header that names anything else is refused before any key is
//! looked at. Whether the session behind a genuine token is still good is not asked here. Called by
//! the use cases' keyring.

mod jwk;
mod key;
mod provider;
mod verify;

pub use jwk::{Jwk, Jwks};
pub use key::{KeyError, SignError, SigningKey, VerifyingKey};
pub use verify::{ISSUED_AHEAD, VerifyError, VerifyingKeys};

/// The type of an access token, in its header (RFC 9068, section 2.1).
const TYPE: &str = "at+jwt";

#[cfg(test)]
mod tests;
