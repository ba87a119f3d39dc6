//! Tokens that show that a form was made for the session that sends it.
//!
//! Nothing is stored: the token is a keyed hash of what it is bound to (OWASP's "signed
//! double-submit cookie", here without a cookie of its own, because the session is the binding).

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use tenantry_core::Secret;

use crate::mac::MacKey;

/// The key of form tokens: see [`crate::sealing::MasterKey::csrf_key`].
#[derive(Clone)]
pub struct CsrfKey(MacKey);

impl CsrfKey {
    pub(crate) fn new(key: &Secret<[u8; 32]>) -> Self {
        Self(MacKey::new(key.expose()))
    }

    /// The token for forms of whoever `binding` stands for: a session's id, or for people not
    /// signed in the random value of a cookie of theirs. 43 characters of base64url.
    pub fn token(&self, binding: &[u8]) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.0.sign(binding))
    }

    /// Whether `token` was made for `binding`, in a time that tells nothing about the right one.
    pub fn verify(&self, binding: &[u8], token: &str) -> bool {
        // Anything else than 43 characters isn't ours; what is larger need not be decoded.
        token.len() == 43
            && BASE64_URL_SAFE_NO_PAD
                .decode(token)
                .is_ok_and(|value| self.0.verify(binding, &value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_good_for_its_binding_and_key_alone() {
        let key = CsrfKey::new(&Secret::new([1; 32]));
        let other = CsrfKey::new(&Secret::new([2; 32]));
        let token = key.token(b"session one");
        assert!(key.verify(b"session one", &token));
        assert!(!key.verify(b"session two", &token));
        assert!(!other.verify(b"session one", &token));
    }

    #[test]
    fn what_is_no_token_is_refused() {
        let key = CsrfKey::new(&Secret::new([1; 32]));
        let token = key.token(b"");
        assert!(!key.verify(b"", ""));
        assert!(!key.verify(b"", &token[..42]));
        assert!(!key.verify(b"", &format!("{token}=")));
        for place in 0..token.len() {
            let mut changed = token.clone().into_bytes();
            changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
            assert!(!key.verify(b"", std::str::from_utf8(&changed).unwrap()));
        }
    }
}
