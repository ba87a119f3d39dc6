//! PBKDF2 (RFC 8018, section 5.2), stored as PHC strings: `$pbkdf2-sha256$i=600000$<salt>$<hash>`,
//! and in passlib's spelling, `$pbkdf2-sha256$29000$<salt>$<hash>`.

use std::num::NonZeroU32;

use ring::pbkdf2::{self, Algorithm};
use zeroize::Zeroizing;

use super::phc::{Parts, encoded};
use super::{StoredHashError, equal, number};

/// The most iterations, times the blocks of the hash: about a second of one core. Django 6.0 comes
/// with 1,200,000, and OWASP's Password Storage Cheat Sheet asks for 1,300,000 with SHA-1.
const WORK: u64 = 3_000_000;

/// The digest that is iterated.
#[derive(Clone, Copy)]
pub(super) enum Digest {
    Sha1,
    Sha256,
    Sha512,
}

impl Digest {
    /// By the first word of a PHC string; passlib leaves SHA-1's name out.
    pub(super) fn of_phc(word: &str) -> Option<Self> {
        match word {
            "pbkdf2" | "pbkdf2-sha1" => Some(Self::Sha1),
            "pbkdf2-sha256" => Some(Self::Sha256),
            "pbkdf2-sha512" => Some(Self::Sha512),
            _ => None,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Sha1 => "pbkdf2-sha1",
            Self::Sha256 => "pbkdf2-sha256",
            Self::Sha512 => "pbkdf2-sha512",
        }
    }

    fn algorithm(self) -> Algorithm {
        match self {
            Self::Sha1 => pbkdf2::PBKDF2_HMAC_SHA1,
            Self::Sha256 => pbkdf2::PBKDF2_HMAC_SHA256,
            Self::Sha512 => pbkdf2::PBKDF2_HMAC_SHA512,
        }
    }

    /// Octets of one block.
    const fn block(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }
}

/// A hash made by PBKDF2.
pub(in crate::password) struct Pbkdf2 {
    digest: Digest,
    iterations: NonZeroU32,
    salt: Vec<u8>,
    output: Vec<u8>,
}

impl Pbkdf2 {
    pub(super) fn new(
        digest: Digest,
        iterations: u32,
        salt: Vec<u8>,
        output: Vec<u8>,
    ) -> Result<Self, StoredHashError> {
        super::expect_lengths(&salt, &output)?;
        let iterations = NonZeroU32::new(iterations).ok_or(StoredHashError::Malformed)?;
        let blocks = output.len().div_ceil(digest.block());
        let work = u64::from(iterations.get()).saturating_mul(blocks as u64);
        if work > WORK {
            return Err(StoredHashError::TooCostly);
        }
        Ok(Self {
            digest,
            iterations,
            salt,
            output,
        })
    }

    pub(super) fn parse(text: &str) -> Result<Self, StoredHashError> {
        let parts = Parts::split(text)?;
        let digest = Digest::of_phc(parts.kind).ok_or(StoredHashError::Unsupported)?;
        let iterations = if parts.parameters.contains('=') {
            let [iterations, length] = parts.numbers(["i", "l"])?;
            if length.is_some_and(|length| usize::try_from(length) != Ok(parts.output.len())) {
                return Err(StoredHashError::Malformed);
            }
            iterations.ok_or(StoredHashError::Malformed)?
        } else {
            number(parts.parameters)?
        };
        Self::new(digest, iterations, parts.salt, parts.output)
    }

    /// As a PHC string.
    pub(super) fn phc(&self) -> String {
        format!(
            "${}$i={}${}${}",
            self.digest.word(),
            self.iterations,
            encoded(&self.salt),
            encoded(&self.output),
        )
    }

    pub(super) fn fits(&self, password: &[u8]) -> bool {
        let mut output = Zeroizing::new(vec![0; self.output.len()]);
        let algorithm = self.digest.algorithm();
        pbkdf2::derive(
            algorithm,
            self.iterations,
            &self.salt,
            password,
            &mut output,
        );
        equal(&output, &self.output)
    }
}
