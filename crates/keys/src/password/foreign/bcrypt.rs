//! bcrypt (Provos and Mazières, 1999), in its modular crypt form `$2b$12$<salt><hash>`, which PHP and
//! Laravel, Rails, Node, Spring and Auth0 write; and Django's bcrypt over a SHA-256.

use ring::digest;
use zeroize::Zeroizing;

use super::phc::bcrypt_octets;
use super::{StoredHashError, equal, number};

/// What Django's bcrypt over SHA-256 is stored under: Django's own word, with bcrypt's form behind.
pub(super) const OF_SHA256: &str = "bcrypt_sha256$";

/// The most rounds, as a power of two: about a second of one core. PHP and Laravel come with 12.
const COST: u32 = 14;

/// The fewest that bcrypt knows.
const LEAST_COST: u32 = 4;

/// Octets of a password that bcrypt reads, with the zero behind it.
const READ: usize = 72;

/// Octets of the hash: of 24 the last is left out by every implementation.
const OUTPUT: usize = 23;

/// A bcrypt hash.
pub(in crate::password) struct Bcrypt {
    cost: u32,
    salt: [u8; 16],
    output: [u8; OUTPUT],
    of_sha256: bool,
}

/// Whether a word between the first two `$` is one of bcrypt's.
pub(super) fn is_bcrypt(kind: &str) -> bool {
    matches!(kind, "2" | "2a" | "2b" | "2x" | "2y")
}

impl Bcrypt {
    pub(super) fn parse(text: &str) -> Result<Self, StoredHashError> {
        let mut parts = text.split('$');
        let (Some(""), Some(kind), Some(cost), Some(rest), None) = (
            parts.next(),
            parts.next(),
            parts.next(),
            parts.next(),
            parts.next(),
        ) else {
            return Err(StoredHashError::Malformed);
        };
        match kind {
            "2a" | "2b" | "2y" => {}
            // A fault of crypt_blowfish before 1.1 (CVE-2011-2483): characters beyond ASCII wiped
            // out others before them, so that passwords that nobody chose fit as well.
            "2x" => return Err(StoredHashError::Flawed),
            _ => return Err(StoredHashError::Unsupported),
        }
        if cost.len() != 2 || rest.len() != 53 || !rest.is_ascii() {
            return Err(StoredHashError::Malformed);
        }
        let cost = number(cost)?;
        if cost > COST {
            return Err(StoredHashError::TooCostly);
        }
        let (salt, output) = rest.split_at(22);
        let malformed = |_| StoredHashError::Malformed;
        Ok(Self {
            cost: if cost < LEAST_COST {
                return Err(StoredHashError::Malformed);
            } else {
                cost
            },
            salt: bcrypt_octets(salt)?.try_into().map_err(malformed)?,
            output: bcrypt_octets(output)?.try_into().map_err(malformed)?,
            of_sha256: false,
        })
    }

    /// Django's `BCryptSHA256PasswordHasher`: what is hashed is the password's SHA-256 in
    /// hexadecimal digits.
    pub(super) fn of_sha256(text: &str) -> Result<Self, StoredHashError> {
        Ok(Self {
            of_sha256: true,
            ..Self::parse(text)?
        })
    }

    pub(super) fn fits(&self, password: &[u8]) -> bool {
        let key = if self.of_sha256 {
            key(&hexadecimal(
                digest::digest(&digest::SHA256, password).as_ref(),
            ))
        } else {
            key(password)
        };
        let output = Zeroizing::new(bcrypt::bcrypt(self.cost, self.salt, &key));
        equal(&output[..OUTPUT], &self.output)
    }
}

/// What of a password bcrypt reads: up to a zero, as C's strings end, and no more than 72 octets
/// with the zero, as the reference does and all that follow it.
fn key(password: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut key = Zeroizing::new(Vec::with_capacity(READ));
    let octets = password.iter().copied().take_while(|octet| *octet != 0);
    key.extend(octets.chain([0]).take(READ));
    key
}

fn hexadecimal(octets: &[u8]) -> Zeroizing<Vec<u8>> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| DIGITS[usize::from(value)];
    let digits = octets
        .iter()
        .flat_map(|octet| [digit(octet >> 4), digit(octet & 15)]);
    Zeroizing::new(digits.collect())
}
