//! Passwords before they are hashed.

use unicode_normalization::UnicodeNormalization;

use crate::Secret;

/// Why a text can't become a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Too few characters.
    #[error("a password has at least {0} characters")]
    TooShort(usize),
    /// Too many characters.
    #[error("a password has at most {0} characters")]
    TooLong(usize),
}

/// What a new password must be (NIST SP 800-63B-4, section 3.1.1.2): length, and no rules about
/// which characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasswordPolicy {
    /// Fewest characters.
    pub min: usize,
    /// Most characters.
    pub max: usize,
}

impl Default for PasswordPolicy {
    fn default() -> Self {
        Self { min: 15, max: 256 }
    }
}

/// A password in Unicode's NFC form, so that it is the same from every keyboard.
#[derive(Clone)]
pub struct Password(Secret<String>);

impl Password {
    /// Octets past which a text is refused unread: 256 characters of four octets each.
    pub const MAX_OCTETS: usize = 1024;

    /// A password that somebody offers as proof. Nothing is asked of it but a sane size, since
    /// the rules may have been others when it was set. `None` where it can't be anybody's.
    pub fn offered(text: &str) -> Option<Self> {
        (text.len() <= Self::MAX_OCTETS).then(|| Self(Secret::new(text.nfc().collect())))
    }

    /// A password that somebody wants to have from now on.
    pub fn chosen(text: &str, policy: PasswordPolicy) -> Result<Self, PasswordError> {
        let too_long = PasswordError::TooLong(policy.max);
        let password = Self::offered(text).ok_or(too_long)?;
        let characters = password.0.expose().chars().count();
        if characters < policy.min {
            return Err(PasswordError::TooShort(policy.min));
        }
        if characters > policy.max {
            return Err(too_long);
        }
        Ok(password)
    }

    /// The octets to hash.
    pub fn octets(&self) -> &[u8] {
        self.0.expose().as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_characters_not_octets() {
        let policy = PasswordPolicy::default();
        assert!(Password::chosen(&"ü".repeat(15), policy).is_ok());
        assert_eq!(
            Password::chosen(&"ü".repeat(14), policy).err(),
            Some(PasswordError::TooShort(15))
        );
        assert!(Password::chosen(&"\u{1f511}".repeat(256), policy).is_ok());
        assert_eq!(
            Password::chosen(&"a".repeat(257), policy).err(),
            Some(PasswordError::TooLong(256))
        );
        assert_eq!(
            Password::chosen(&"a".repeat(1 << 20), policy).err(),
            Some(PasswordError::TooLong(256))
        );
    }

    #[test]
    fn the_same_from_every_keyboard() {
        let composed = Password::offered("caf\u{e9}").map(|p| p.octets().to_vec());
        let decomposed = Password::offered("cafe\u{301}").map(|p| p.octets().to_vec());
        assert!(composed.is_some());
        assert_eq!(composed, decomposed);
    }
}
