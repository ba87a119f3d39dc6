//! scrypt (RFC 7914), stored as PHC strings: `$scrypt$ln=14,r=8,p=1$<salt>$<hash>`, as passlib has
//! them too.

use scrypt::Params;
use zeroize::Zeroizing;

use super::phc::{Parts, encoded};
use super::{StoredHashError, equal};

/// The most memory, in octets: as much as a hash of Argon2 may take.
const MEMORY: u64 = 256 << 20;

/// The most memory times lanes, which is the work: about a second of one core.
const WORK: u64 = 512 << 20;

/// A hash made by scrypt.
pub(in crate::password) struct Scrypt {
    params: Params,
    salt: Vec<u8>,
    output: Vec<u8>,
}

impl Scrypt {
    /// With a cost of two to the power of `log_n`.
    pub(super) fn new(
        (log_n, r, p): (u32, u32, u32),
        salt: Vec<u8>,
        output: Vec<u8>,
    ) -> Result<Self, StoredHashError> {
        super::expect_lengths(&salt, &output)?;
        if log_n == 0 || r == 0 || p == 0 {
            return Err(StoredHashError::Malformed);
        }
        let memory = 1_u64
            .checked_shl(log_n)
            .and_then(|n| n.checked_mul(128))
            .and_then(|n| n.checked_mul(u64::from(r)))
            .filter(|memory| *memory <= MEMORY)
            .ok_or(StoredHashError::TooCostly)?;
        if memory.saturating_mul(u64::from(p)) > WORK {
            return Err(StoredHashError::TooCostly);
        }
        let log_n = u8::try_from(log_n).map_err(|_| StoredHashError::TooCostly)?;
        let params = Params::new(log_n, r, p).map_err(|_| StoredHashError::Malformed)?;
        Ok(Self {
            params,
            salt,
            output,
        })
    }

    pub(super) fn parse(text: &str) -> Result<Self, StoredHashError> {
        let parts = Parts::split(text)?;
        let [Some(log_n), Some(r), Some(p)] = parts.numbers(["ln", "r", "p"])? else {
            return Err(StoredHashError::Malformed);
        };
        Self::new((log_n, r, p), parts.salt, parts.output)
    }

    /// As a PHC string.
    pub(super) fn phc(&self) -> String {
        format!(
            "$scrypt$ln={},r={},p={}${}${}",
            self.params.log_n(),
            self.params.r(),
            self.params.p(),
            encoded(&self.salt),
            encoded(&self.output),
        )
    }

    pub(super) fn fits(&self, password: &[u8]) -> Result<bool, StoredHashError> {
        let mut output = Zeroizing::new(vec![0; self.output.len()]);
        // Only a length of nothing is refused there, and that is none that was parsed.
        scrypt::scrypt(password, &self.salt, &self.params, &mut output)
            .map_err(|_| StoredHashError::Malformed)?;
        Ok(equal(&output, &self.output))
    }
}
