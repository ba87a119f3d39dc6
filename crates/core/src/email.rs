//! Mail addresses.

use std::fmt;
use std::str::FromStr;

/// Why a text is no mail address we take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EmailError {
    /// Longer than 254 octets (RFC 5321, section 4.5.3.1.3, less the angle brackets).
    #[error("an address has at most 254 characters")]
    TooLong,
    /// Not `local@domain`.
    #[error("this is not a mail address; it looks like name@example.org")]
    Malformed,
}

/// A mail address, as its owner wrote it.
///
/// Two addresses are the same when their [keys](Self::key) are: ASCII letters are folded and
/// nothing else, so that `K` (U+212A, the Kelvin sign) is not `k` and nobody receives the mail of
/// a look-alike. The local part may hold UTF-8 (RFC 6531); the domain is ASCII, an international
/// one in its `xn--` form.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Email(String);

impl Email {
    /// The address as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The normalised form that decides whether two addresses are the same.
    pub fn key(&self) -> String {
        self.0.to_ascii_lowercase()
    }

    /// What stands behind the `@`, in lower case.
    pub fn domain(&self) -> String {
        self.0
            .rsplit('@')
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase()
    }
}

fn is_local(local: &str) -> bool {
    !local.is_empty()
        && local.len() <= 64
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && local.chars().all(|c| {
            c.is_ascii_alphanumeric()
                || "!#$%&'*+-/=?^_`{|}~.".contains(c)
                || (!c.is_ascii() && c.is_alphanumeric())
        })
}

fn is_domain(domain: &str) -> bool {
    domain.len() <= 253
        && domain.split('.').all(|label| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-')
        })
        && !domain
            .rsplit('.')
            .next()
            .is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()))
}

impl FromStr for Email {
    type Err = EmailError;

    fn from_str(text: &str) -> Result<Self, EmailError> {
        let text = text.trim();
        if text.len() > 254 {
            return Err(EmailError::TooLong);
        }
        let (local, domain) = text.split_once('@').ok_or(EmailError::Malformed)?;
        if is_local(local) && is_domain(domain) {
            Ok(Self(text.to_owned()))
        } else {
            Err(EmailError::Malformed)
        }
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email(..)")
    }
}

impl serde::Serialize for Email {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for Email {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'_, str> as serde::Deserialize>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_ordinary_addresses() {
        for text in [
            "ada@example.org",
            "o'brien+news@mail.example.co.uk",
            "  ada@localhost ",
            "jörg@example.org",
        ] {
            assert!(text.parse::<Email>().is_ok(), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_not_one_address() {
        let long = format!("{}@example.org", "a".repeat(320));
        for text in [
            "",
            "ada",
            "@example.org",
            "ada@",
            "a@b@c.org",
            "ada@example.org,eve@example.org",
            "ada@example.org eve@example.org",
            "ada@exa mple.org",
            "ada@example.org\r\nBcc: eve@example.org",
            "ada@-example.org",
            "ada@example..org",
            ".ada@example.org",
            "ada@127.0.0.1",
            "<ada@example.org>",
            "[\"ada@example.org\"]",
            "ada@ex\u{0430}mple.org",
            long.as_str(),
        ] {
            assert!(text.parse::<Email>().is_err(), "{text}");
        }
    }

    #[test]
    fn folds_ascii_and_nothing_else() {
        let key = |text: &str| text.parse::<Email>().map(|email| email.key());
        assert_eq!(key("Ada@Example.ORG"), key("ada@example.org"));
        assert_ne!(
            key("\u{212a}ay@example.org"),
            key("kay@example.org"),
            "the Kelvin sign is no k"
        );
        assert_ne!(
            key("\u{0131}da@example.org"),
            key("ida@example.org"),
            "a dotless i is no i"
        );
    }
}
