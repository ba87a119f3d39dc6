//! Tokens that mean nothing to whoever holds them: 256 random bits, of which we store a hash.
//!
//! Two kinds. An opaque secret is the bits alone. A [`BoundToken`] says besides whose it is, under a
//! tag that only we can make, so that a token that was good once and whose row is gone is told from
//! one that was never good, and a wrong tenant is seen before a database is asked. Neither is a
//! password: with 256 random bits one round of SHA-256 is enough, and salt would only prevent
//! looking it up. Called by everything that issues sessions, links and device tokens.

mod bound;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use ring::digest::{Context, SHA256, digest};
use subtle::ConstantTimeEq;
use tenantry_core::{Entropy, Secret};
use zeroize::Zeroizing;

pub use bound::{BoundToken, TokenKey, TokenKind};

/// Octets of a secret: 256 bits.
const SECRET: usize = 32;

/// The SHA-256 of a token's secret: what is stored and compared. Whoever reads it can't make the
/// token of it. Comparing takes a time that tells nothing.
#[derive(Debug, Clone, Copy)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    fn of(secret: &[u8; SECRET]) -> Self {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, secret).as_ref());
        Self(hash)
    }

    /// The hash of an opaque secret that somebody shows; `None` where it can't be one of ours.
    pub fn of_opaque(text: &str) -> Option<Self> {
        // 43 characters of base64 hold 32 octets; what is longer need not be decoded.
        if text.len() != 43 {
            return None;
        }
        let secret = Zeroizing::new(BASE64_URL_SAFE_NO_PAD.decode(text).ok()?);
        secret.as_slice().try_into().ok().map(Self::of)
    }

    /// A hash as it was stored.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The hash, to store or to look up.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The hash, to store.
    pub const fn into_bytes(self) -> [u8; 32] {
        self.0
    }

    /// Whether it is the stored one.
    pub fn matches(&self, stored: &[u8; 32]) -> bool {
        self.0.ct_eq(stored).into()
    }
}

impl PartialEq for TokenHash {
    fn eq(&self, other: &Self) -> bool {
        self.matches(&other.0)
    }
}

impl Eq for TokenHash {}

/// What a text that carries a secret is known by in memory: its SHA-256, together with what it is
/// used as, so that one thing can't pass for another. Nobody can make the text of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The fingerprint of a text used as `kind`.
    pub fn of(kind: &str, text: &str) -> Self {
        let mut context = Context::new(&SHA256);
        context.update(kind.as_bytes());
        context.update(&[0]);
        context.update(text.as_bytes());
        let mut hash = [0; 32];
        hash.copy_from_slice(context.finish().as_ref());
        Self(hash)
    }
}

/// A new opaque secret, in base64url without padding, and its hash.
pub fn opaque(entropy: &Entropy) -> (Secret<String>, TokenHash) {
    let secret: Zeroizing<[u8; SECRET]> = Zeroizing::new(entropy.bytes());
    let text = BASE64_URL_SAFE_NO_PAD.encode(secret.as_slice());
    (Secret::new(text), TokenHash::of(&secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_opaque_secret_is_known_by_its_hash_alone() {
        let (text, hash) = opaque(&crate::entropy());
        assert_eq!(text.expose().len(), 43);
        assert_eq!(TokenHash::of_opaque(text.expose()), Some(hash));
        let (other, _) = opaque(&crate::entropy());
        assert_ne!(TokenHash::of_opaque(other.expose()), Some(hash));
        assert!(TokenHash::from_bytes(*hash.as_bytes()).matches(&hash.into_bytes()));
        assert!(!hash.matches(&[0; 32]));
    }

    #[test]
    fn the_hash_is_sha256_of_the_octets() {
        // FIPS 180-4 over 32 zero octets.
        let (text, hash) = opaque(&Entropy::new(|buffer| buffer.fill(0)));
        assert_eq!(text.expose(), &"A".repeat(43));
        assert_eq!(hash.as_bytes()[..4], [0x66, 0x68, 0x7a, 0xad]);
    }

    #[test]
    fn what_a_text_is_used_as_is_part_of_its_fingerprint() {
        let cookie = Fingerprint::of("cookie", "secret");
        assert_eq!(cookie, Fingerprint::of("cookie", "secret"));
        assert_ne!(cookie, Fingerprint::of("bearer", "secret"));
        assert_ne!(cookie, Fingerprint::of("cookie", "secret "));
        assert_ne!(Fingerprint::of("a", "bc"), Fingerprint::of("ab", "c"));
    }

    #[test]
    fn there_is_one_way_to_write_a_secret() {
        let (text, _) = opaque(&Entropy::new(|buffer| buffer.fill(0)));
        let text = text.expose();
        // The last character holds two bits that stand for nothing.
        assert_eq!(TokenHash::of_opaque(&format!("{}B", &text[..42])), None);
        assert_eq!(TokenHash::of_opaque(&format!("{text}=")), None);
        assert_eq!(TokenHash::of_opaque(&format!(" {}", &text[..42])), None);
        assert_eq!(TokenHash::of_opaque(&"+".repeat(43)), None);
        assert_eq!(TokenHash::of_opaque(""), None);
    }
}
