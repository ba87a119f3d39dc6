//! Keyed hashes for the audit: they chain its entries, and stand for addresses in it.
//!
//! Only who has the master key can make them, so that whoever can write to the database can not
//! also write the audit anew.

use tenantry_core::Secret;

use crate::mac::MacKey;

/// The key of the audit. Comes from the master key, so that it is the same on every node and after
/// every start: see [`crate::sealing::MasterKey::audit_key`].
#[derive(Clone)]
pub struct AuditKey(MacKey);

impl AuditKey {
    pub(crate) fn new(key: &Secret<[u8; 32]>) -> Self {
        Self(MacKey::new(key.expose()))
    }

    /// The hash of a link of the chain; HMAC-SHA256.
    pub fn link(&self, octets: &[u8]) -> [u8; 32] {
        self.0.sign(octets)
    }

    /// Whether `hash` is the hash of these octets, in a time that tells nothing.
    pub fn verify(&self, octets: &[u8], hash: &[u8]) -> bool {
        self.0.verify(octets, hash)
    }

    /// What stands for a name or address that somebody typed: 16 digits, the same for the same
    /// text, which tell nobody without the key what it was. Never the octets of a link, which begin
    /// otherwise.
    pub fn pseudonym(&self, text: &str) -> String {
        let hash = self
            .0
            .sign(&[b"tenantry/audit-name/1".as_slice(), text.as_bytes()].concat());
        hex(&hash[..8])
    }
}

/// Octets in hexadecimal, as a hash is shown.
pub fn hex(octets: &[u8]) -> String {
    use std::fmt::Write as _;

    octets.iter().fold(String::new(), |mut digits, octet| {
        // Writing to a String does not fail.
        let _ = write!(digits, "{octet:02x}");
        digits
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_good_for_its_octets_and_key_alone() {
        let one = AuditKey::new(&Secret::new([1; 32]));
        let two = AuditKey::new(&Secret::new([2; 32]));
        let hash = one.link(b"an entry");
        assert!(one.verify(b"an entry", &hash));
        assert!(!one.verify(b"an entrz", &hash));
        assert!(!two.verify(b"an entry", &hash));
        assert!(!one.verify(b"an entry", &hash[..31]));
    }

    #[test]
    fn a_pseudonym_groups_and_tells_nothing() {
        let one = AuditKey::new(&Secret::new([1; 32]));
        let two = AuditKey::new(&Secret::new([2; 32]));
        let name = one.pseudonym("a@example.org");
        assert_eq!(name.len(), 16);
        assert_eq!(name, one.pseudonym("a@example.org"));
        assert_ne!(name, one.pseudonym("b@example.org"));
        assert_ne!(name, two.pseudonym("a@example.org"));
    }
}
