//! The cipher that everything is sealed with: ChaCha20-Poly1305 (RFC 8439) with random nonces.
//!
//! It is as fast without hardware support as with it and needs no tables whose use could be timed.
//! With random nonces of 96 bits one key may seal 2^32 values before a repeated one is likelier than
//! one in 2^32 (NIST SP 800-38D, section 8.3, the same reckoning); data keys are exchanged long
//! before that.

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use tenantry_core::{Entropy, Secret};

use super::SealError;

/// Octets of the tag at the end.
const TAG: usize = 16;

/// A key of the cipher.
pub(super) struct Cipher(LessSafeKey);

impl Cipher {
    pub(super) fn new(key: &Secret<[u8; 32]>) -> Self {
        let key = UnboundKey::new(&CHACHA20_POLY1305, key.expose());
        Self(LessSafeKey::new(
            key.expect("ChaCha20-Poly1305 takes every key of 32 octets"),
        ))
    }

    /// Nonce, ciphertext and tag. `bound` is not in it and must be the same when it is opened.
    pub(super) fn seal(
        &self,
        plain: &[u8],
        bound: &[u8],
        entropy: &Entropy,
    ) -> Result<Vec<u8>, SealError> {
        let nonce: [u8; NONCE_LEN] = entropy.bytes();
        // All of it is reserved at once: a buffer that grew would leave pieces of the value behind.
        let mut sealed = Vec::with_capacity(NONCE_LEN + plain.len() + TAG);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plain);
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = self
            .0
            .seal_in_place_separate_tag(nonce, Aad::from(bound), &mut sealed[NONCE_LEN..])
            .map_err(|_| SealError::TooLarge)?;
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
    }

    /// What was sealed; `None` where key, octets or `bound` are others.
    pub(super) fn open(&self, sealed: &[u8], bound: &[u8]) -> Option<Secret<Vec<u8>>> {
        let (nonce, rest) = sealed.split_first_chunk()?;
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let mut rest = rest.to_vec();
        let length = self
            .0
            .open_in_place(nonce, Aad::from(bound), &mut rest)
            .ok()?
            .len();
        rest.truncate(length);
        Some(Secret::new(rest))
    }
}
