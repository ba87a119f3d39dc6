//! Keyed hashes of mail addresses, for the directory and the throttle.
//!
//! The directory says which tenant an address belongs to and holds no address: only who has the
//! master key can tell whether an address is in it.

use tenantry_core::Secret;

use crate::mac::MacKey;

/// The key that addresses are hashed with. Comes from the master key, so that it is the same on
/// every node and after every start: see [`crate::sealing::MasterKey::directory_key`].
#[derive(Clone)]
pub struct DirectoryKey(MacKey);

impl DirectoryKey {
    pub(crate) fn new(key: &Secret<[u8; 32]>) -> Self {
        Self(MacKey::new(key.expose()))
    }

    /// The hash of an address in its normalised form ([`tenantry_core::Email::key`]); HMAC-SHA256.
    pub fn hash(&self, email_key: &str) -> [u8; 32] {
        self.0.sign(email_key.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_hmac_sha256() {
        // RFC 4231, section 4.3 (a key shorter than the block is filled up with zeros).
        let mut key = [0; 32];
        key[..4].copy_from_slice(b"Jefe");
        let hash = DirectoryKey::new(&Secret::new(key)).hash("what do ya want for nothing?");
        assert_eq!(hash[..4], [0x5b, 0xdc, 0xc1, 0x46]);
        assert_eq!(hash[28..], [0x64, 0xec, 0x38, 0x43]);
    }

    #[test]
    fn another_key_gives_another_hash() {
        let one = DirectoryKey::new(&Secret::new([1; 32]));
        let two = DirectoryKey::new(&Secret::new([2; 32]));
        assert_ne!(one.hash("a@example.org"), two.hash("a@example.org"));
        assert_ne!(one.hash("a@example.org"), one.hash("b@example.org"));
    }
}
