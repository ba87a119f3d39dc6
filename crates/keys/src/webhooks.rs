//! Signatures of notices, so that a receiver knows who sent one and that it is as it was sent.
//!
//! The format is that of the Standard Webhooks specification, version 1.0.0: HMAC-SHA256 over id,
//! time of the try and body, with a secret that is shown once, as `whsec_` and base64.

use base64::prelude::{BASE64_STANDARD, Engine};
use tenantry_core::{Entropy, Secret};

use crate::mac::{MacKey, OCTETS};

/// The secret that one receiver's notices are signed with.
pub struct WebhookSecret(Secret<[u8; OCTETS]>);

impl WebhookSecret {
    /// A fresh one: 256 random bits, of which the specification asks for 192 to 512.
    pub fn generate(entropy: &Entropy) -> Self {
        Self(Secret::new(entropy.bytes()))
    }

    /// The one with these octets; `None` where they are none of ours.
    pub fn from_octets(octets: &[u8]) -> Option<Self> {
        Some(Self(Secret::new(octets.try_into().ok()?)))
    }

    /// Its octets, to be sealed.
    pub const fn octets(&self) -> &[u8; OCTETS] {
        self.0.expose()
    }

    /// As the receiver is given it.
    pub fn shown(&self) -> Secret<String> {
        Secret::new(format!("whsec_{}", BASE64_STANDARD.encode(self.octets())))
    }

    /// The value of `webhook-signature` for a try at `seconds` after 1970 UTC.
    pub fn sign(&self, id: &str, seconds: i64, body: &[u8]) -> String {
        let mut signed = format!("{id}.{seconds}.").into_bytes();
        signed.extend_from_slice(body);
        let value = MacKey::new(self.octets()).sign(&signed);
        format!("v1,{}", BASE64_STANDARD.encode(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed with another implementation: `hmac.new(b'\x07' * 32, message, 'sha256')` of Python.
    #[test]
    fn the_signature_is_the_specified_one() {
        let secret = WebhookSecret::from_octets(&[7; 32]).unwrap();
        assert_eq!(
            secret.shown().expose(),
            "whsec_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc="
        );
        let signature = secret.sign(
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            br#"{"test": 2432232314}"#,
        );
        assert_eq!(signature, "v1,YO/ulmd+VFtlnbodv7yLOOsS6RlBZ48h++gXZrGOpZo=");
    }

    #[test]
    fn each_part_is_signed() {
        let secret = WebhookSecret::from_octets(&[7; 32]).unwrap();
        let good = secret.sign("a", 1, b"body");
        let other = WebhookSecret::from_octets(&[8; 32]).unwrap();
        for changed in [
            secret.sign("b", 1, b"body"),
            secret.sign("a", 2, b"body"),
            secret.sign("a", 1, b"Body"),
            other.sign("a", 1, b"body"),
        ] {
            assert_ne!(changed, good);
        }
        assert!(WebhookSecret::from_octets(&[7; 31]).is_none());
    }
}
