//! HMAC-SHA256 (RFC 2104) as the keys of this crate use it.

use ring::hmac;

/// Octets of a whole HMAC-SHA256 value.
pub(crate) const OCTETS: usize = 32;

/// A key for HMAC-SHA256.
#[derive(Clone)]
pub(crate) struct MacKey(hmac::Key);

impl MacKey {
    pub(crate) fn new(key: &[u8; OCTETS]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; OCTETS] {
        let mut value = [0; OCTETS];
        value.copy_from_slice(hmac::sign(&self.0, message).as_ref());
        value
    }

    /// Whether `value` is the whole value for `message`, in a time that tells nothing.
    pub(crate) fn verify(&self, message: &[u8], value: &[u8]) -> bool {
        hmac::verify(&self.0, message, value).is_ok()
    }
}
