//! The form in which hashes are stored: PHC strings such as
//! `$argon2id$v=19$m=19456,t=2,p=1$<salt>$<hash>`.

use argon2::password_hash::phc::{Output, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Params, Version};
use base64::prelude::{BASE64_STANDARD_NO_PAD, Engine};

use super::params::affordable;
use super::{Argon2Error, HashParams};

/// Octets of a hash that we make; RFC 9106, section 4 recommends 32.
pub(super) const OUTPUT: usize = 32;

/// Octets of salt; RFC 9106, section 3.1 recommends 16.
pub(super) const SALT: usize = 16;

/// Why a stored hash can't be compared with a password.
#[derive(Debug, thiserror::Error)]
pub enum StoredHashError {
    /// It has no form that is known, or lacks salt, hash or numbers.
    #[error("the hash is cut short or spelt in no form that is known")]
    Malformed,
    /// It was made by something that can't be compared here.
    #[error(
        "the hash is of a kind that can't be compared: it is none of Argon2, bcrypt, PBKDF2 and scrypt"
    )]
    Unsupported,
    /// It was made by a program whose fault lets other passwords fit.
    #[error(
        "the hash was made by the faulty bcrypt of 2011 ($2x$), for which other passwords fit too"
    )]
    Flawed,
    /// Comparing would take more than one sign-in may cost.
    #[error("the hash asks for more memory or passes than one sign-in may cost")]
    TooCostly,
    /// Argon2 itself failed.
    #[error(transparent)]
    Failed(#[from] Argon2Error),
}

/// A stored hash, taken apart.
pub(super) struct Stored {
    algorithm: Algorithm,
    version: Version,
    params: Params,
    salt: Salt,
    output: Output,
}

impl Stored {
    pub(super) fn parse(phc: &str) -> Result<Self, StoredHashError> {
        let hash = PasswordHash::new(phc).map_err(|_| StoredHashError::Malformed)?;
        let algorithm = Algorithm::try_from(hash.algorithm.as_str())
            .map_err(|_| StoredHashError::Unsupported)?;
        // A string without a version is of the first one, 1.0 (the PHC string specification).
        let version = hash.version.unwrap_or(Version::V0x10.into());
        let version = Version::try_from(version).map_err(|_| StoredHashError::Unsupported)?;
        if ["m", "t", "p"]
            .iter()
            .any(|name| hash.params.get(*name).is_none())
        {
            return Err(StoredHashError::Malformed);
        }
        let params = Params::try_from(&hash).map_err(|_| StoredHashError::Malformed)?;
        affordable(&params).map_err(|_| StoredHashError::TooCostly)?;
        let (Some(salt), Some(output)) = (hash.salt, hash.hash) else {
            return Err(StoredHashError::Malformed);
        };
        Ok(Self {
            algorithm,
            version,
            params,
            salt,
            output,
        })
    }

    pub(super) fn argon2(&self) -> Argon2<'static> {
        Argon2::new(self.algorithm, self.version, self.params.clone())
    }

    pub(super) fn salt(&self) -> &[u8] {
        &self.salt
    }

    pub(super) fn output(&self) -> &[u8] {
        self.output.as_bytes()
    }

    /// Whether we would make it like that today.
    pub(super) fn is_of(&self, params: &HashParams) -> bool {
        self.algorithm == Algorithm::Argon2id
            && self.version == Version::V0x13
            && self.params == *params.params()
            && self.salt.len() >= SALT
    }
}

/// The PHC string of a hash that we made.
pub(super) fn phc(params: &HashParams, salt: &[u8; SALT], output: &[u8; OUTPUT]) -> String {
    let params = params.params();
    format!(
        "$argon2id$v=19$m={},t={},p={}${}${}",
        params.m_cost(),
        params.t_cost(),
        params.p_cost(),
        BASE64_STANDARD_NO_PAD.encode(salt),
        BASE64_STANDARD_NO_PAD.encode(output),
    )
}
