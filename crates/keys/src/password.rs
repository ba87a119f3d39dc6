//! Password hashes: Argon2id (RFC 9106), stored as PHC strings; and hashes that other systems made,
//! which are compared until a sign-in replaces them.
//!
//! Owns the parameters, the storage form and the limits on what a stored hash may cost. Hashes in
//! the thread that calls it, which takes tens of milliseconds and must never be a thread that serves
//! requests: callers go through [`crate::hasher::HashPool`].

mod breach;
mod foreign;
mod params;
mod stored;

use argon2::{Argon2, Block};
use subtle::ConstantTimeEq;
use tenantry_core::Entropy;
use tenantry_core::password::Password;
use zeroize::Zeroizing;

pub use breach::BreachRange;
use foreign::Foreign;
pub use foreign::{KeycloakArgon2, KeycloakHash, stored_form};
pub use params::{HashParams, ParamsError};
pub use stored::StoredHashError;
use stored::{OUTPUT, SALT, Stored};

/// What came of comparing a password with a stored hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is the password.
    Match {
        /// The hash was made with other parameters than today's: hash the password anew.
        outdated: bool,
    },
    /// It is not.
    Mismatch,
}

/// Argon2 itself failed. With parameters that were checked it has no reason to.
#[derive(Debug, thiserror::Error)]
#[error("Argon2 failed")]
pub struct Argon2Error(#[from] argon2::Error);

/// Hashes passwords, one after another, in memory that it keeps, because fresh memory costs page
/// faults for every hash.
///
/// The memory is not wiped in between. What remains of one hash there is written over by the next;
/// and with two passes or more the blocks that would make guessing cheap are gone by the end.
pub struct Hasher {
    params: HashParams,
    memory: Vec<Block>,
}

impl Hasher {
    /// A hasher that makes hashes with these parameters. Takes its memory with the first hash.
    pub const fn new(params: HashParams) -> Self {
        Self {
            params,
            memory: Vec::new(),
        }
    }

    /// A new hash of the password with a salt of its own, as a PHC string.
    pub fn hash(&mut self, password: &Password, entropy: &Entropy) -> Result<String, Argon2Error> {
        let salt: [u8; SALT] = entropy.bytes();
        let mut output = Zeroizing::new([0; OUTPUT]);
        let argon2 = self.params.argon2();
        self.fill(&argon2, password, &salt, output.as_mut_slice())?;
        Ok(stored::phc(&self.params, &salt, &output))
    }

    /// Compares the password with a stored hash, in a time that depends on the stored parameters
    /// alone. Takes every form that [`stored_form`] gives, so that hashes made elsewhere can be
    /// brought along; all but today's own are outdated.
    pub fn verify(
        &mut self,
        password: &Password,
        stored: &str,
    ) -> Result<Verdict, StoredHashError> {
        if let Some(foreign) = Foreign::parse(stored)? {
            return Ok(if foreign.fits(password.octets())? {
                Verdict::Match { outdated: true }
            } else {
                Verdict::Mismatch
            });
        }
        let stored = Stored::parse(stored)?;
        let mut output = Zeroizing::new(vec![0; stored.output().len()]);
        self.fill(&stored.argon2(), password, stored.salt(), &mut output)?;
        Ok(if bool::from(output.ct_eq(stored.output())) {
            Verdict::Match {
                outdated: !stored.is_of(&self.params),
            }
        } else {
            Verdict::Mismatch
        })
    }

    fn fill(
        &mut self,
        argon2: &Argon2<'_>,
        password: &Password,
        salt: &[u8],
        output: &mut [u8],
    ) -> Result<(), Argon2Error> {
        let needed = argon2.params().block_count();
        if self.memory.len() < needed {
            self.memory.resize(needed, Block::new());
        }
        let memory = &mut self.memory[..needed];
        argon2.hash_password_into_with_memory(password.octets(), salt, output, memory)?;
        // A hash from elsewhere may take more than ours; that is not kept.
        let own = self.params.block_count();
        if self.memory.len() > own {
            self.memory.truncate(own);
            self.memory.shrink_to_fit();
        }
        Ok(())
    }
}

/// Whether [`verify`](Hasher::verify) would take this stored hash. Whatever comes from elsewhere goes
/// through [`stored_form`], which asks this: a hash that can't be compared is refused when it comes,
/// not when its owner signs in.
pub fn check(stored: &str) -> Result<(), StoredHashError> {
    foreign::check(stored)
}

/// A stored hash that is nobody's, to compare the passwords of unknown accounts with: parameters,
/// salt and length are those of a real hash, so the cost is too. What stands for the hash is random,
/// so that no password is known, or can be found, that fits.
pub fn dummy(params: &HashParams, entropy: &Entropy) -> String {
    stored::phc(params, &entropy.bytes(), &entropy.bytes())
}

#[cfg(test)]
mod tests;
