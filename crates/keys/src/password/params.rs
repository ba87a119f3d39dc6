//! What a hash costs: memory, passes, lanes.

use argon2::{Algorithm, Argon2, Params, Version};

use super::stored::OUTPUT;

/// The most memory a hash may take, in KiB. libsodium's `MODERATE` takes as much.
const MEMORY: u32 = 256 * 1024;

/// The most memory times passes, in KiB: about half a second of one core. A hash that was brought
/// along must not hold a thread of the pool for longer.
const WORK: u64 = 1024 * 1024;

/// The most lanes. More than a machine would use for one password.
const LANES: u32 = 16;

/// Why numbers can't be the parameters of a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParamsError {
    /// Below what Argon2 itself can do (RFC 9106, section 3.1).
    #[error("Argon2 takes at least one pass, one lane, and 8 KiB of memory for each lane")]
    TooLittle,
    /// Above what one sign-in may cost.
    #[error("a hash may take {MEMORY} KiB, {LANES} lanes, and {WORK} KiB times passes at most")]
    TooMuch,
}

/// The parameters of Argon2id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HashParams(Params);

impl HashParams {
    /// Parameters: memory in KiB, passes over it, lanes.
    pub fn new(memory_kib: u32, passes: u32, lanes: u32) -> Result<Self, ParamsError> {
        // The order matters: only lanes in bounds can be multiplied.
        if lanes > LANES {
            return Err(ParamsError::TooMuch);
        }
        let params = Params::new(memory_kib, passes, lanes, Some(OUTPUT))
            .map_err(|_| ParamsError::TooLittle)?;
        affordable(&params)?;
        Ok(Self(params))
    }

    pub(super) fn argon2(&self) -> Argon2<'static> {
        Argon2::new(Algorithm::Argon2id, Version::V0x13, self.0.clone())
    }

    /// Memory, in blocks of 1 KiB.
    pub(super) const fn block_count(&self) -> usize {
        self.0.block_count()
    }

    pub(super) const fn params(&self) -> &Params {
        &self.0
    }
}

/// Whether one sign-in may cost that much.
pub(super) fn affordable(params: &Params) -> Result<(), ParamsError> {
    let work = u64::from(params.m_cost()) * u64::from(params.t_cost());
    if params.m_cost() > MEMORY || params.p_cost() > LANES || work > WORK {
        return Err(ParamsError::TooMuch);
    }
    Ok(())
}

impl Default for HashParams {
    /// 19 MiB, two passes, one lane: OWASP Password Storage Cheat Sheet.
    fn default() -> Self {
        const OWASP: Params = match Params::new(19 * 1024, 2, 1, Some(OUTPUT)) {
            Ok(params) => params,
            Err(_) => panic!("Argon2 takes the default parameters"),
        };
        Self(OWASP)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_what_owasp_says() {
        assert_eq!(Ok(HashParams::default()), HashParams::new(19_456, 2, 1));
    }

    #[test]
    fn too_little_and_too_much_are_refused() {
        assert_eq!(HashParams::new(7, 1, 1), Err(ParamsError::TooLittle));
        assert_eq!(HashParams::new(8, 0, 1), Err(ParamsError::TooLittle));
        assert_eq!(HashParams::new(8, 1, 0), Err(ParamsError::TooLittle));
        assert_eq!(HashParams::new(127, 1, 16), Err(ParamsError::TooLittle));
        assert!(HashParams::new(128, 1, 16).is_ok());
        assert!(HashParams::new(MEMORY, 4, 1).is_ok());
        assert_eq!(HashParams::new(MEMORY, 5, 1), Err(ParamsError::TooMuch));
        assert_eq!(HashParams::new(MEMORY + 1, 1, 1), Err(ParamsError::TooMuch));
        assert_eq!(HashParams::new(8, u32::MAX, 1), Err(ParamsError::TooMuch));
        assert_eq!(HashParams::new(8, 1, u32::MAX), Err(ParamsError::TooMuch));
    }
}
