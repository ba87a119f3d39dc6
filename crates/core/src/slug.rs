//! A tenant's name in addresses.

use std::fmt;
use std::str::FromStr;

/// Why a text is no slug.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SlugError {
    /// Not 3 to 40 characters.
    #[error("a slug has 3 to 40 characters")]
    Length,
    /// Wrong characters, or in the wrong place.
    #[error(
        "a slug is made of a-z, 0-9 and single hyphens, begins with a letter and ends with a letter or digit"
    )]
    Characters,
    /// Kept for the service itself.
    #[error("this slug is reserved; choose another one")]
    Reserved,
}

/// Names no tenant may have: hosts and paths of the service, of common infrastructure (RFC 2142),
/// and databases that `PostgreSQL` has from the start.
const RESERVED: &[&str] = &[
    "abuse",
    "account",
    "accounts",
    "admin",
    "administrator",
    "api",
    "app",
    "apps",
    "assets",
    "auth",
    "autoconfig",
    "autodiscover",
    "billing",
    "blog",
    "cdn",
    "console",
    "dashboard",
    "demo-admin",
    "dev",
    "dns",
    "docs",
    "email",
    "ftp",
    "health",
    "healthz",
    "help",
    "host",
    "hostmaster",
    "imap",
    "info",
    "internal",
    "localhost",
    "login",
    "logout",
    "mail",
    "metrics",
    "mta-sts",
    "mx",
    "news",
    "ns1",
    "ns2",
    "oauth",
    "openapi",
    "ops",
    "platform",
    "pop",
    "pop3",
    "postgres",
    "postmaster",
    "public",
    "readyz",
    "register",
    "root",
    "security",
    "setup",
    "signin",
    "signup",
    "smtp",
    "ssh",
    "ssl",
    "staging",
    "static",
    "status",
    "support",
    "sys",
    "system",
    "template0",
    "template1",
    "tenant",
    "tenantry",
    "tenants",
    "test-admin",
    "tls",
    "webmail",
    "webmaster",
    "well-known",
    "wpad",
    "www",
];

/// A tenant's name in addresses: 3 to 40 of `a-z 0-9 -`, so that it is one DNS label.
#[derive(
    Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(try_from = "String", into = "String")]
pub struct Slug(String);

impl Slug {
    /// The slug as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Slug {
    type Err = SlugError;

    fn from_str(text: &str) -> Result<Self, SlugError> {
        if !(3..=40).contains(&text.chars().count()) {
            return Err(SlugError::Length);
        }
        let bytes = text.as_bytes();
        let allowed = bytes
            .iter()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-');
        if !allowed || !bytes[0].is_ascii_lowercase() || text.ends_with('-') || text.contains("--")
        {
            return Err(SlugError::Characters);
        }
        if RESERVED.contains(&text) {
            return Err(SlugError::Reserved);
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for Slug {
    type Error = SlugError;
    fn try_from(text: String) -> Result<Self, SlugError> {
        text.parse()
    }
}

impl From<Slug> for String {
    fn from(slug: Slug) -> Self {
        slug.0
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_rule_of_the_contract() {
        for text in ["uml", "test1", "a-b-c", &"a".repeat(40)] {
            assert!(text.parse::<Slug>().is_ok(), "{text}");
        }
        for (text, error) in [
            ("ab", SlugError::Length),
            (&*"a".repeat(41), SlugError::Length),
            ("", SlugError::Length),
            ("Uml", SlugError::Characters),
            ("1ab", SlugError::Characters),
            ("-ab", SlugError::Characters),
            ("ab-", SlugError::Characters),
            ("a--b", SlugError::Characters),
            ("a_b", SlugError::Characters),
            ("a.b", SlugError::Characters),
            ("../etc", SlugError::Characters),
            ("münchen", SlugError::Characters),
            ("\u{0430}cme", SlugError::Characters),
            ("acme\n", SlugError::Characters),
            ("admin", SlugError::Reserved),
            ("template0", SlugError::Reserved),
        ] {
            assert_eq!(text.parse::<Slug>(), Err(error), "{text}");
        }
    }
}
