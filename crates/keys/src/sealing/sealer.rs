//! Sealing and opening values.
//!
//! A sealed value is: format (1 octet), the data key's id (16), nonce (12), ciphertext, tag (16).

use std::collections::HashMap;

use tenantry_core::{Entropy, Secret};
use uuid::Uuid;

use super::cipher::Cipher;
use super::{DataKey, SealError};

/// The version of the format.
const FORMAT: u8 = 1;

/// Octets before the nonce: format and key id.
const HEAD: usize = 1 + 16;

/// Seals values with the newest data key and opens those of every one.
pub struct Sealer {
    newest: Uuid,
    ciphers: HashMap<Uuid, Cipher>,
}

impl Sealer {
    /// A sealer over these keys, the newest last.
    pub fn new(keys: &[DataKey]) -> Result<Self, SealError> {
        let newest = keys.last().ok_or(SealError::NoDataKey)?.id();
        let ciphers = keys.iter().map(|key| (key.id(), key.cipher())).collect();
        Ok(Self { newest, ciphers })
    }

    /// Seals a value for one context, such as `workflow:<id>`: it opens in no other.
    pub fn seal(
        &self,
        plain: &[u8],
        context: &[u8],
        entropy: &Entropy,
    ) -> Result<Vec<u8>, SealError> {
        let cipher = self.cipher(self.newest)?;
        let mut sealed = head(self.newest);
        sealed.extend(cipher.seal(plain, &bound(self.newest, context), entropy)?);
        Ok(sealed)
    }

    /// Opens a value that was sealed for this context.
    pub fn open(&self, sealed: &[u8], context: &[u8]) -> Result<Secret<Vec<u8>>, SealError> {
        let (id, rest) = split(sealed)?;
        self.cipher(id)?
            .open(rest, &bound(id, context))
            .ok_or(SealError::Damaged)
    }

    /// Whether a value was sealed with the newest key; one that was not should be sealed anew when
    /// keys are exchanged.
    pub fn is_current(&self, sealed: &[u8]) -> Result<bool, SealError> {
        split(sealed).map(|(id, _)| id == self.newest)
    }

    fn cipher(&self, id: Uuid) -> Result<&Cipher, SealError> {
        self.ciphers.get(&id).ok_or(SealError::UnknownKey(id))
    }
}

fn head(id: Uuid) -> Vec<u8> {
    let mut head = Vec::with_capacity(HEAD);
    head.push(FORMAT);
    head.extend_from_slice(id.as_bytes());
    head
}

/// What a value is bound to: the head, whose length is fixed, and the context.
fn bound(id: Uuid, context: &[u8]) -> Vec<u8> {
    let mut bound = head(id);
    bound.extend_from_slice(context);
    bound
}

/// The key's id, and what follows the head.
fn split(sealed: &[u8]) -> Result<(Uuid, &[u8]), SealError> {
    let (format, rest) = sealed.split_first().ok_or(SealError::Damaged)?;
    if *format != FORMAT {
        return Err(SealError::UnknownFormat(*format));
    }
    let (id, rest) = rest.split_first_chunk().ok_or(SealError::Damaged)?;
    Ok((Uuid::from_bytes(*id), rest))
}

#[cfg(test)]
mod tests {
    use tenantry_core::Clock;

    use super::*;

    const PLAIN: &[u8] = b"postgres://tenant:correct-horse@db/tenant";

    fn key() -> DataKey {
        DataKey::generate(&Clock::system(), &crate::entropy())
    }

    fn error<T>(result: Result<T, SealError>) -> Option<SealError> {
        result.err()
    }

    #[test]
    fn a_value_opens_in_its_context_alone() {
        let sealer = Sealer::new(&[key()]).unwrap();
        let value = sealer
            .seal(PLAIN, b"workflow:1", &crate::entropy())
            .unwrap();
        let opened = sealer.open(&value, b"workflow:1").unwrap();
        assert_eq!(opened.expose(), PLAIN);
        for context in [&b"workflow:2"[..], b"workflow:", b"workflow:11", b""] {
            assert_eq!(
                error(sealer.open(&value, context)),
                Some(SealError::Damaged)
            );
        }
    }

    #[test]
    fn nothing_of_a_value_is_seen_and_no_two_look_alike() {
        let sealer = Sealer::new(&[key()]).unwrap();
        let seal = || sealer.seal(PLAIN, b"c", &crate::entropy()).unwrap();
        let (one, two) = (seal(), seal());
        assert_ne!(one[HEAD..], two[HEAD..]);
        assert!(
            !one.windows(8)
                .any(|part| PLAIN.windows(8).any(|plain| plain == part))
        );
        assert_eq!(one.len(), HEAD + 12 + PLAIN.len() + 16);
        let empty = sealer.seal(b"", b"c", &crate::entropy()).unwrap();
        assert_eq!(sealer.open(&empty, b"c").unwrap().expose(), b"");
    }

    #[test]
    fn every_changed_or_missing_octet_is_seen() {
        let sealer = Sealer::new(&[key()]).unwrap();
        let value = sealer.seal(PLAIN, b"c", &crate::entropy()).unwrap();
        for place in 0..value.len() {
            let mut changed = value.clone();
            changed[place] ^= 1;
            assert!(sealer.open(&changed, b"c").is_err(), "octet {place}");
        }
        for end in 0..value.len() {
            assert!(sealer.open(&value[..end], b"c").is_err(), "cut at {end}");
        }
    }

    #[test]
    fn seals_with_the_newest_key_and_opens_with_each() {
        let entropy = crate::entropy();
        let (old, new) = (key(), key());
        let (old_id, new_id) = (old.id(), new.id());
        let before = Sealer::new(std::slice::from_ref(&old)).unwrap();
        let early = before.seal(PLAIN, b"c", &entropy).unwrap();
        let after = Sealer::new(&[old, new]).unwrap();
        let late = after.seal(PLAIN, b"c", &entropy).unwrap();

        assert_eq!(after.open(&early, b"c").unwrap().expose(), PLAIN);
        assert_eq!(after.open(&late, b"c").unwrap().expose(), PLAIN);
        assert_eq!(after.is_current(&early), Ok(false));
        assert_eq!(after.is_current(&late), Ok(true));
        assert_eq!(early[1..HEAD], *old_id.as_bytes());
        assert_eq!(
            error(before.open(&late, b"c")),
            Some(SealError::UnknownKey(new_id))
        );
    }

    #[test]
    fn tells_what_it_can_not_open() {
        assert_eq!(error(Sealer::new(&[])), Some(SealError::NoDataKey));
        let sealer = Sealer::new(&[key()]).unwrap();
        let mut value = sealer.seal(PLAIN, b"c", &crate::entropy()).unwrap();
        value[0] = 9;
        assert_eq!(
            error(sealer.open(&value, b"c")),
            Some(SealError::UnknownFormat(9))
        );
        assert_eq!(error(sealer.open(b"", b"c")), Some(SealError::Damaged));
    }
}
