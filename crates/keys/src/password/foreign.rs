//! Hashes that other systems made: bcrypt, PBKDF2 and scrypt, in the spellings of those who use
//! them. Such a hash is compared, never made: the first sign-in that fits replaces it by one of ours.
//!
//! Owns which forms are known, into which form each is brought for storing ([`stored_form`],
//! [`KeycloakHash`]), and the bounds on what comparing one may cost. A form that isn't known, or
//! that would cost too much, is refused when it is imported, and refused again when it is compared.
//! `docs/decisions/0012-foreign-hashes.md` lists the forms and says what stays visible.

mod bcrypt;
mod django;
mod keycloak;
mod pbkdf2;
mod phc;
mod scrypt;
mod werkzeug;

use subtle::ConstantTimeEq;

use super::StoredHashError;
use super::stored::Stored;

pub use keycloak::{KeycloakArgon2, KeycloakHash};

/// The longest hash that is looked at, in octets. The longest known form takes about 300.
const LONGEST: usize = 512;

/// The fewest octets of a hash: with fewer, another password fits by chance (RFC 8018, section 5.2
/// leaves the number open; 16 octets are what NIST SP 800-132 allows at least, rounded up).
const FEWEST_OUTPUT: usize = 16;

/// The most octets of salt or hash; Keycloak's hashes have 64.
const MOST: usize = 128;

/// A hash that is not Argon2's, taken apart and within the bounds.
pub(super) enum Foreign {
    Bcrypt(bcrypt::Bcrypt),
    Pbkdf2(pbkdf2::Pbkdf2),
    Scrypt(scrypt::Scrypt),
}

impl Foreign {
    /// Takes a stored hash apart; `None` where it has a form that is none of these, and so is
    /// Argon2's or nothing known.
    pub(super) fn parse(stored: &str) -> Result<Option<Self>, StoredHashError> {
        if stored.len() > LONGEST {
            return Err(StoredHashError::Malformed);
        }
        if let Some(rest) = stored.strip_prefix(bcrypt::OF_SHA256) {
            return bcrypt::Bcrypt::of_sha256(rest).map(Self::Bcrypt).map(Some);
        }
        let kind = stored
            .strip_prefix('$')
            .and_then(|rest| rest.split('$').next());
        match kind {
            Some(kind) if bcrypt::is_bcrypt(kind) => {
                bcrypt::Bcrypt::parse(stored).map(Self::Bcrypt).map(Some)
            }
            Some(kind) if pbkdf2::Digest::of_phc(kind).is_some() => {
                pbkdf2::Pbkdf2::parse(stored).map(Self::Pbkdf2).map(Some)
            }
            Some("scrypt") => scrypt::Scrypt::parse(stored).map(Self::Scrypt).map(Some),
            Some(_) | None => Ok(None),
        }
    }

    /// Whether the password is the one that was hashed. Takes up to about a second.
    pub(super) fn fits(&self, password: &[u8]) -> Result<bool, StoredHashError> {
        Ok(match self {
            Self::Bcrypt(hash) => hash.fits(password),
            Self::Pbkdf2(hash) => hash.fits(password),
            Self::Scrypt(hash) => hash.fits(password)?,
        })
    }
}

/// The form in which a hash from elsewhere is stored, or why it can't be compared. PHC strings and
/// bcrypt's own form stay as they are; what Django, Laravel and Werkzeug write becomes one of them.
/// Hashes of ours stay too.
pub fn stored_form(hash: &str) -> Result<String, StoredHashError> {
    let hash = hash.trim();
    if hash.len() > LONGEST {
        return Err(StoredHashError::Malformed);
    }
    let known = match django::stored_form(hash)? {
        Some(known) => Some(known),
        None => werkzeug::stored_form(hash)?,
    };
    let stored = known.unwrap_or_else(|| hash.to_owned());
    super::check(&stored)?;
    Ok(stored)
}

/// Whether [`verify`](super::Hasher::verify) would take this stored hash.
pub(super) fn check(stored: &str) -> Result<(), StoredHashError> {
    match Foreign::parse(stored)? {
        Some(_) => Ok(()),
        None => Stored::parse(stored).map(drop),
    }
}

fn equal(one: &[u8], other: &[u8]) -> bool {
    one.ct_eq(other).into()
}

/// Whether salt and hash have lengths that can be.
fn expect_lengths(salt: &[u8], output: &[u8]) -> Result<(), StoredHashError> {
    let fit =
        !salt.is_empty() && salt.len() <= MOST && (FEWEST_OUTPUT..=MOST).contains(&output.len());
    if fit {
        Ok(())
    } else {
        Err(StoredHashError::Malformed)
    }
}

/// A number in plain decimal digits, as every one of these forms writes it.
fn number(text: &str) -> Result<u32, StoredHashError> {
    let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !plain {
        return Err(StoredHashError::Malformed);
    }
    // Digits alone: what is no `u32` is too large to be paid for.
    text.parse().map_err(|_| StoredHashError::TooCostly)
}

#[cfg(test)]
mod tests;
