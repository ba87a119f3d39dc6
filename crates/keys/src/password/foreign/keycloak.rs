//! Keycloak's forms: a realm's export has, for each credential, the algorithm with its numbers apart
//! from hash and salt.

use super::pbkdf2::{Digest, Pbkdf2};
use super::phc::{encoded, octets};
use super::{StoredHashError, expect_lengths};

/// A password's hash as Keycloak exports it. Its two parts, `credentialData` and `secretData`, are
/// JSON, which whoever calls has read.
pub struct KeycloakHash<'a> {
    /// `pbkdf2`, `pbkdf2-sha256`, `pbkdf2-sha512` or `argon2`.
    pub algorithm: &'a str,
    /// Iterations of PBKDF2, passes of Argon2.
    pub iterations: u32,
    /// The salt, in base64.
    pub salt: &'a str,
    /// The hash, in base64.
    pub value: &'a str,
    /// What Argon2 has beside it.
    pub argon2: Option<KeycloakArgon2<'a>>,
}

/// What Keycloak notes about Argon2 (`additionalParameters`).
pub struct KeycloakArgon2<'a> {
    /// `d`, `i` or `id`.
    pub kind: &'a str,
    /// `1.0` or `1.3`.
    pub version: &'a str,
    /// Memory in KiB.
    pub memory: u32,
    /// Lanes.
    pub lanes: u32,
}

impl KeycloakHash<'_> {
    /// The form in which it is stored, or why it can't be compared.
    pub fn stored_form(&self) -> Result<String, StoredHashError> {
        let (salt, output) = (octets(self.salt)?, octets(self.value)?);
        expect_lengths(&salt, &output)?;
        let stored = if self.algorithm == "argon2" {
            let argon2 = self.argon2.as_ref().ok_or(StoredHashError::Malformed)?;
            let version = match argon2.version {
                "1.0" => 16,
                "1.3" => 19,
                _ => return Err(StoredHashError::Unsupported),
            };
            format!(
                "$argon2{}$v={version}$m={},t={},p={}${}${}",
                argon2.kind,
                argon2.memory,
                self.iterations,
                argon2.lanes,
                encoded(&salt),
                encoded(&output),
            )
        } else {
            let digest = Digest::of_phc(self.algorithm).ok_or(StoredHashError::Unsupported)?;
            Pbkdf2::new(digest, self.iterations, salt, output)?.phc()
        };
        super::check(&stored)?;
        Ok(stored)
    }
}
