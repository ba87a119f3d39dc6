//! The states that keys pass through while they are exchanged, and how long each lasts.
//!
//! A signing key is known to everybody before it signs, and stays known until whatever it signed has
//! run out. A sealing key opens what it sealed until nothing names it any more.

use std::time::Duration;

use crate::text_enum::text_enum;

/// How long whoever verifies access tokens may keep the document of public keys: what is sent with it
/// as `max-age`.
pub const JWKS_MAX_AGE: Duration = Duration::from_mins(5);

/// How long a signing key is published before it signs. Whoever verifies should fetch the document
/// anew at an unfamiliar `kid` (`OpenID` Connect Core 1.0, section 10.1.1), but not everybody does, and
/// many do so seldom lest made-up names storm them. Twice the time that the document may be kept, so
/// that one fetch that failed, or came through a cache in between, does no harm.
pub const PUBLISHED_BEFORE: Duration = Duration::from_mins(10);

/// How long an access token is good.
pub const ACCESS_TOKEN: Duration = Duration::from_mins(10);

/// How long a signing key stays published after another took its place: until the last token that it
/// signed has run out, and five minutes more for clocks that differ and for a process that noticed
/// late. The same section asks to retain such keys "for a reasonable period of time".
pub const PUBLISHED_AFTER: Duration = Duration::from_mins(15);

/// How far ahead of now the date of a key may lie. It says since when the key is in its state, and a node
/// whose clock is a little ahead may write it; one further ahead was written while a clock was wrong,
/// and what is to follow would wait until then. Such a date is put right to now. As long as the shorter
/// of the two waits, so that clocks which differ by less leave the waits as they are.
pub const DATED_AHEAD: Duration = PUBLISHED_BEFORE;

/// How long a signing key that is retired is still listed. Its seed went when it retired.
pub const REMEMBERED: Duration = Duration::from_hours(90 * 24);

/// How long a sealing key is kept after another took its place, though nothing names it any more. A
/// process that is running notices the new key within a second; this is for one that was stopped, or
/// slept with its machine, just between sealing a value and writing it down.
pub const OPENED_AFTER: Duration = Duration::from_hours(24);

text_enum! {
    /// Where a signing key stands.
    pub enum SigningState {
        /// It is published and signs nothing yet.
        Next = "next",
        /// It signs.
        Active = "active",
        /// It signs nothing more; what it signed still counts.
        Retiring = "retiring",
        /// What it signed counts no more.
        Retired = "retired",
    }
}

impl SigningState {
    /// Whether it is published, and what it signed is taken.
    pub const fn verifies(self) -> bool {
        match self {
            Self::Next | Self::Active | Self::Retiring => true,
            Self::Retired => false,
        }
    }

    /// What it becomes by itself, and after how long in this state; `None` where it stays.
    pub const fn next(self) -> Option<(Self, Duration)> {
        match self {
            Self::Next => Some((Self::Active, PUBLISHED_BEFORE)),
            Self::Retiring => Some((Self::Retired, PUBLISHED_AFTER)),
            Self::Active | Self::Retired => None,
        }
    }
}

text_enum! {
    /// Where a sealing key stands.
    pub enum SealingState {
        /// New values are sealed with it.
        Active = "active",
        /// What was sealed with it is being sealed anew.
        Retiring = "retiring",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_known_longer_than_anybody_keeps_the_document_or_a_token() {
        assert!(PUBLISHED_BEFORE >= 2 * JWKS_MAX_AGE);
        assert!(PUBLISHED_AFTER > ACCESS_TOKEN);
    }

    #[test]
    fn what_signs_or_has_signed_verifies_until_it_is_retired() {
        let verifying: Vec<_> = SigningState::ALL
            .iter()
            .filter(|state| state.verifies())
            .collect();
        assert_eq!(
            verifying,
            [
                &SigningState::Next,
                &SigningState::Active,
                &SigningState::Retiring
            ]
        );
    }
}
