//! Werkzeug's forms, which Flask's applications have: `pbkdf2:sha256:600000$salt$hash` and
//! `scrypt:32768:8:1$salt$hash`. The salt is text, the hash is in hexadecimal digits.

use super::pbkdf2::{Digest, Pbkdf2};
use super::scrypt::Scrypt;
use super::{StoredHashError, number};

/// The stored form of one of Werkzeug's hashes; `None` where it is none.
pub(super) fn stored_form(hash: &str) -> Result<Option<String>, StoredHashError> {
    let Some((method, rest)) = hash.split_once('$') else {
        return Ok(None);
    };
    let method: Vec<_> = method.split(':').collect();
    let parts = || -> Result<(Vec<u8>, Vec<u8>), StoredHashError> {
        let (salt, output) = rest.split_once('$').ok_or(StoredHashError::Malformed)?;
        Ok((salt.as_bytes().to_vec(), octets(output)?))
    };
    Ok(Some(match method.as_slice() {
        ["pbkdf2", digest, iterations] => {
            let digest = match *digest {
                "sha1" => Digest::Sha1,
                "sha256" => Digest::Sha256,
                "sha512" => Digest::Sha512,
                _ => return Err(StoredHashError::Unsupported),
            };
            let (salt, output) = parts()?;
            Pbkdf2::new(digest, number(iterations)?, salt, output)?.phc()
        }
        ["scrypt", cost, r, p] => {
            let cost = number(cost)?;
            if !cost.is_power_of_two() {
                return Err(StoredHashError::Malformed);
            }
            let (salt, output) = parts()?;
            let params = (cost.ilog2(), number(r)?, number(p)?);
            Scrypt::new(params, salt, output)?.phc()
        }
        _ => return Ok(None),
    }))
}

/// Octets from hexadecimal digits.
fn octets(text: &str) -> Result<Vec<u8>, StoredHashError> {
    if !text.len().is_multiple_of(2) || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(StoredHashError::Malformed);
    }
    let value = |at: usize| u8::from_str_radix(&text[at..at + 2], 16);
    let octets = (0..text.len()).step_by(2).map(value);
    octets
        .collect::<Result<_, _>>()
        .map_err(|_| StoredHashError::Malformed)
}
