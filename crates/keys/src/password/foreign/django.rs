//! Django's forms: a word for the algorithm, then what that algorithm has, between `$`
//! (`django.contrib.auth.hashers`). The salt is text there, and its octets are what is hashed.

use super::pbkdf2::{Digest, Pbkdf2};
use super::phc::octets;
use super::scrypt::Scrypt;
use super::{StoredHashError, bcrypt, number};

/// The stored form of one of Django's hashes; `None` where it is none.
pub(super) fn stored_form(hash: &str) -> Result<Option<String>, StoredHashError> {
    let Some((word, rest)) = hash.split_once('$') else {
        return Ok(None);
    };
    Ok(Some(match word {
        "pbkdf2_sha1" => pbkdf2(Digest::Sha1, rest)?,
        "pbkdf2_sha256" => pbkdf2(Digest::Sha256, rest)?,
        "scrypt" => scrypt(rest)?,
        // What follows has a form of its own, with a `$` in front of it.
        "argon2" => format!("${rest}"),
        "bcrypt" => rest.to_owned(),
        "bcrypt_sha256" => format!("{}{rest}", bcrypt::OF_SHA256),
        _ => return Ok(None),
    }))
}

/// `iterations$salt$hash`.
fn pbkdf2(digest: Digest, rest: &str) -> Result<String, StoredHashError> {
    let [iterations, salt, output] = fields(rest)?;
    let salt = salt.as_bytes().to_vec();
    Ok(Pbkdf2::new(digest, number(iterations)?, salt, octets(output)?)?.phc())
}

/// `cost$salt$block size$lanes$hash`, the cost as it is, not as a power of two.
fn scrypt(rest: &str) -> Result<String, StoredHashError> {
    let [cost, salt, r, p, output] = fields(rest)?;
    let cost = number(cost)?;
    if !cost.is_power_of_two() {
        return Err(StoredHashError::Malformed);
    }
    let params = (cost.ilog2(), number(r)?, number(p)?);
    Ok(Scrypt::new(params, salt.as_bytes().to_vec(), octets(output)?)?.phc())
}

fn fields<const N: usize>(rest: &str) -> Result<[&str; N], StoredHashError> {
    let fields: Vec<_> = rest.split('$').collect();
    fields.try_into().map_err(|_| StoredHashError::Malformed)
}
