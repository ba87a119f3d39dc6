//! Passwords before they are hashed: what a new one must be, and what it must not.
//!
//! Owns the rules of NIST SP 800-63B-4: length, a list of passwords too many people choose, and the
//! names around a password. Asks nobody; whether a password is known from a breach is the service's
//! to find out. Called wherever somebody chooses a password, by one function of the service.

mod blocklist;
mod context;

use std::ops::RangeInclusive;

use unicode_normalization::UnicodeNormalization;

use crate::Secret;

pub use context::Context;

/// Why a text can't become a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Too few characters.
    #[error("a password has at least {0} characters")]
    TooShort(usize),
    /// Too many characters.
    #[error("a password has at most {0} characters")]
    TooLong(usize),
    /// Too many people have chosen it before.
    #[error("this is one of the 100,000 passwords that are tried first; choose another one")]
    TooCommon,
    /// It is made of the names around it.
    #[error("this is made of your name, your address or the organisation's; add words of your own")]
    TooClose,
}

impl PasswordError {
    /// A fixed word for programs.
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooShort(_) => "too_short",
            Self::TooLong(_) => "too_long",
            Self::TooCommon => "too_common",
            Self::TooClose => "too_close",
        }
    }
}

/// How long a new password must be (NIST SP 800-63B-4, section 3.1.1.2). There are no rules about
/// which characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasswordPolicy {
    /// Fewest characters.
    pub min: usize,
    /// Most characters.
    pub max: usize,
}

impl PasswordPolicy {
    /// What a tenant may set as the fewest characters: 8 is the least that NIST allows, beside a
    /// second factor; 64 is what everybody must be able to have.
    pub const TENANT_MIN: RangeInclusive<usize> = 8..=64;

    /// With a tenant's own number of fewest characters, where it has one. Never more than may be.
    #[must_use]
    pub fn with_min(self, min: Option<usize>) -> Self {
        Self {
            min: min.unwrap_or(self.min).min(self.max),
            max: self.max,
        }
    }
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

    /// A password that somebody wants to have from now on, among these names.
    pub fn chosen(
        text: &str,
        policy: PasswordPolicy,
        context: &Context,
    ) -> Result<Self, PasswordError> {
        let too_long = PasswordError::TooLong(policy.max);
        let password = Self::offered(text).ok_or(too_long)?;
        let characters = password.0.expose().chars().count();
        if characters < policy.min {
            return Err(PasswordError::TooShort(policy.min));
        }
        if characters > policy.max {
            return Err(too_long);
        }
        if blocklist::is_common(password.0.expose()) {
            return Err(PasswordError::TooCommon);
        }
        if context.covers(password.0.expose()) {
            return Err(PasswordError::TooClose);
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
        let chosen =
            |text: &str| Password::chosen(text, PasswordPolicy::default(), &Context::new());
        assert!(chosen(&"ü".repeat(15)).is_ok());
        assert_eq!(
            chosen(&"ü".repeat(14)).err(),
            Some(PasswordError::TooShort(15))
        );
        assert!(chosen(&"\u{1f511}".repeat(256)).is_ok());
        assert_eq!(
            chosen(&"a".repeat(257)).err(),
            Some(PasswordError::TooLong(256))
        );
        assert_eq!(
            chosen(&"a".repeat(1 << 20)).err(),
            Some(PasswordError::TooLong(256))
        );
    }

    #[test]
    fn what_is_tried_first_is_refused() {
        let policy = PasswordPolicy::default();
        let chosen = |text: &str, policy| {
            let context = Context::new().named("Analytical Engines");
            Password::chosen(text, policy, &context).err()
        };
        assert_eq!(
            chosen("1qaz2wsx3EDC4rfv", policy),
            Some(PasswordError::TooCommon)
        );
        assert_eq!(
            chosen("AnalyticalEngines!", policy),
            Some(PasswordError::TooClose)
        );
        assert_eq!(
            chosen("trustno1", policy),
            Some(PasswordError::TooShort(15))
        );
        let short = policy.with_min(Some(8));
        assert_eq!(chosen("trustno1", short), Some(PasswordError::TooCommon));
        assert_eq!(chosen("kX7-gulp", short), None);
        assert_eq!(policy.with_min(None), policy);
        assert_eq!(policy.with_min(Some(1000)).min, 256);
    }

    #[test]
    fn the_same_from_every_keyboard() {
        let composed = Password::offered("caf\u{e9}").map(|p| p.octets().to_vec());
        let decomposed = Password::offered("cafe\u{301}").map(|p| p.octets().to_vec());
        assert!(composed.is_some());
        assert_eq!(composed, decomposed);
    }
}
