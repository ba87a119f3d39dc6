//! PINs: six digits that a person types on a device of the tenant.
//!
//! Few digits are soon guessed, so a PIN opens nothing without an enrolled device, and wrong ones
//! are counted like wrong passwords (`docs/decisions/0013-pin-on-devices.md`).

use crate::Secret;
use crate::password::Password;

/// How many digits a PIN has.
pub const DIGITS: usize = 6;

/// Why a text can't become a PIN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PinError {
    /// It is something else than six digits.
    #[error("a PIN has exactly six digits")]
    NotSixDigits,
    /// All its digits are the same, as in `000000`.
    #[error("a PIN of one digit alone is tried first; choose another one")]
    OneDigit,
    /// Its digits follow one another, as in `123456` or `987654`.
    #[error("a PIN of digits in a row is tried first; choose another one")]
    InARow,
    /// It says the same twice or three times, as in `121212` or `123123`.
    #[error("a PIN that repeats itself is tried first; choose another one")]
    Repeats,
}

impl PinError {
    /// A fixed word for programs.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotSixDigits => "not_six_digits",
            Self::OneDigit => "one_digit",
            Self::InARow => "in_a_row",
            Self::Repeats => "repeats",
        }
    }
}

/// Six digits.
#[derive(Clone)]
pub struct Pin(Secret<String>);

impl Pin {
    /// A PIN that somebody offers as proof; `None` where it can't be anybody's.
    pub fn offered(text: &str) -> Option<Self> {
        let digits = text.len() == DIGITS && text.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| Self(Secret::new(text.to_owned())))
    }

    /// A PIN that somebody is to have from now on.
    pub fn chosen(text: &str) -> Result<Self, PinError> {
        let pin = Self::offered(text).ok_or(PinError::NotSixDigits)?;
        let digits = text.as_bytes();
        let step = |by: u8| {
            digits
                .windows(2)
                .all(|two| (two[1] - b'0') == (two[0] - b'0' + by) % 10)
        };
        let repeats = |length: usize| {
            digits
                .chunks(length)
                .all(|chunk| chunk == &digits[..length])
        };
        if repeats(1) {
            return Err(PinError::OneDigit);
        }
        // Nine more is one less.
        if step(1) || step(9) {
            return Err(PinError::InARow);
        }
        if repeats(2) || repeats(3) {
            return Err(PinError::Repeats);
        }
        Ok(pin)
    }

    /// As what hashes passwords takes it. Six octets are never too long for that.
    pub fn as_password(&self) -> Option<Password> {
        Password::offered(self.0.expose())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_six_digits_and_nothing_else() {
        for bad in [
            "",
            "12345",
            "1234567",
            "12a456",
            " 12345",
            "１２３４５６",
            "-12345",
        ] {
            assert!(Pin::offered(bad).is_none(), "{bad}");
            assert_eq!(
                Pin::chosen(bad).err(),
                Some(PinError::NotSixDigits),
                "{bad}"
            );
        }
        assert!(
            Pin::offered("000000").is_some(),
            "one from before is still compared"
        );
    }

    #[test]
    fn what_is_tried_first_is_refused() {
        for (pin, why) in [
            ("000000", PinError::OneDigit),
            ("777777", PinError::OneDigit),
            ("123456", PinError::InARow),
            ("654321", PinError::InARow),
            ("890123", PinError::InARow),
            ("210987", PinError::InARow),
            ("121212", PinError::Repeats),
            ("123123", PinError::Repeats),
        ] {
            assert_eq!(Pin::chosen(pin).err(), Some(why), "{pin}");
        }
        for good in ["123457", "112233", "480216", "100000", "123321"] {
            assert!(Pin::chosen(good).is_ok(), "{good}");
        }
    }
}
