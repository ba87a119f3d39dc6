//! Cryptography: password hashing, one-time secrets and session tokens, sealing, signing keys.
//!
//! Owns every algorithm and every secret format, and is the only crate that names a cryptographic
//! library. Reads and writes no file, socket or database, and asks no clock: what has to be stored
//! is handed back to the caller, and time and randomness are passed in. The one exception is
//! [`entropy`], where the randomness comes from. Called by the use cases and by the binary that
//! wires them.
//!
//! A secret comes out as a [`tenantry_core::Secret`] and its key types have no `Debug`. What can't
//! be opened or verified is told apart only as far as its caller may say more than "no".

pub mod audit;
pub mod code;
pub mod csrf;
pub mod digest;
pub mod directory;
pub mod generated;
pub mod hasher;
pub mod password;
pub mod sealing;
pub mod signing;
pub mod token;
pub mod webhooks;

mod mac;
mod random;

pub use random::entropy;
