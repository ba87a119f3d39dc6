//! Asking whether a password is known from a breach, without telling it: by the first digits of its
//! SHA-1, as the range search of Have I Been Pwned answers (k-anonymity).

use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use tenantry_core::Secret;
use tenantry_core::password::Password;

/// How many of the forty digits are told: a range holds about a thousand passwords.
const TOLD: usize = 5;

/// The range that a password lies in.
pub struct BreachRange {
    told: String,
    kept: Secret<String>,
}

impl BreachRange {
    /// Of this password.
    pub fn of(password: &Password) -> Self {
        let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, password.octets());
        let digits: String = hash
            .as_ref()
            .iter()
            .flat_map(|octet| [octet >> 4, octet & 15])
            .filter_map(|digit| char::from_digit(digit.into(), 16))
            .map(|digit| digit.to_ascii_uppercase())
            .collect();
        let (told, kept) = digits.split_at(TOLD);
        Self {
            told: told.to_owned(),
            kept: Secret::new(kept.to_owned()),
        }
    }

    /// The digits to ask for.
    pub fn told(&self) -> &str {
        &self.told
    }

    /// Whether an answer names the password. Each line of it is the digits that were not told, and
    /// after a colon how often it was met; those that were never met only pad the answer.
    pub fn is_in(&self, answer: &str) -> bool {
        answer.lines().any(|line| {
            line.trim().split_once(':').is_some_and(|(digits, count)| {
                digits.eq_ignore_ascii_case(self.kept.expose())
                    && count.bytes().any(|digit| digit != b'0')
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_found_by_what_was_not_told() {
        // SHA-1 of "password", in every list of them.
        let range = BreachRange::of(&Password::offered("password").unwrap());
        assert_eq!(range.told(), "5BAA6");
        let found = "1D2DA4053E34E76F6576ED1DA63134B5E2A:2\r\n1E4C9B93F3F0682250B6CF8331B7EE68FD8:52256179\r\n";
        assert!(range.is_in(found));
        assert!(range.is_in(&found.to_lowercase()));
        for other in [
            "",
            "1E4C9B93F3F0682250B6CF8331B7EE68FD8:0",
            "1E4C9B93F3F0682250B6CF8331B7EE68FD8",
            "1E4C9B93F3F0682250B6CF8331B7EE68FD9:7",
            "E4C9B93F3F0682250B6CF8331B7EE68FD8:7",
        ] {
            assert!(!range.is_in(other), "{other}");
        }
    }
}
