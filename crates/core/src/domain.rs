//! Domains that tenants claim as their own: how one is written, which can be nobody's, and what the
//! proof of one comes to.

use std::fmt;
use std::str::FromStr;

use url::Host;

use crate::text_enum::text_enum;

/// Domains that everybody gets mail addresses under, one a line, in order. Written by hand: the large
/// providers with their names in other countries, those of access providers, and throw-away ones.
const PUBLIC_MAIL: &str = include_str!("domain/public_mail.txt");

/// Second labels under which a country's registry registers names for anybody, as `co` in `co.uk`. A
/// name of two labels that begins so under a country's two letters belongs to a registry and not to a tenant.
const CATEGORIES: &[&str] = &[
    "ac", "co", "com", "edu", "go", "gob", "gov", "gv", "id", "ind", "info", "ltd", "me", "mil",
    "mod", "ne", "net", "nhs", "nic", "nom", "or", "org", "plc", "police", "priv", "pro", "sch",
    "web",
];

text_enum! {
    /// What a domain is claimed for.
    pub enum DomainKind {
        /// The tenant's pages are there.
        Host = "host",
        /// Whoever has a mail address there belongs to the tenant.
        Email = "email",
    }
}

text_enum! {
    /// How the proof of a domain was found.
    pub enum ProofWay {
        /// By the text record.
        Record = "record",
        /// By the file on its web server.
        File = "file",
    }
}

text_enum! {
    /// Why the last look for a proof found none.
    pub enum ProofProblem {
        /// Nothing is published.
        Missing = "missing",
        /// Something is published, and it is not what was asked for.
        Different = "different",
        /// Nobody could say what is published.
        Unanswered = "unanswered",
    }
}

impl ProofProblem {
    /// Whether somebody answered, and what was asked for is not there. That nobody could be asked
    /// says nothing about a domain: our own resolver may be out of order.
    pub const fn is_told(self) -> bool {
        match self {
            Self::Missing | Self::Different => true,
            Self::Unanswered => false,
        }
    }
}

/// Why a text is no domain that a tenant can claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DomainError {
    /// It is no domain name.
    #[error("this is no domain name; it looks like example.org")]
    Malformed,
    /// It is an address.
    #[error("this is an IP address; a tenant has domain names")]
    Address,
    /// It has one label.
    #[error("this is a single word; a domain has a dot, like example.org")]
    SingleLabel,
    /// A registry registers names below it.
    #[error("names below this one belong to others")]
    Registry,
    /// Everybody gets mail addresses there.
    #[error("this is a public mail provider, whose addresses belong to nobody in particular")]
    PublicMail,
}

impl DomainError {
    /// A fixed word for programs.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed | Self::Address | Self::SingleLabel => "invalid",
            Self::Registry => "public_suffix",
            Self::PublicMail => "public_mail",
        }
    }
}

/// A domain name in the one form in which two that are the same are equal: ASCII (an international
/// one as `xn--`), lower case, no dot at the end (RFC 5890, RFC 1035).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DomainName(String);

impl DomainName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is this domain, or lies below it.
    pub fn is_within(&self, domain: &str) -> bool {
        self.0
            .strip_suffix(domain)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    }

    /// Whether it can be claimed for this at all.
    pub fn claimable(&self, kind: DomainKind) -> Result<(), DomainError> {
        let labels: Vec<&str> = self.0.split('.').collect();
        if let [second, country] = labels.as_slice()
            && country.len() == 2
            && CATEGORIES.contains(second)
        {
            return Err(DomainError::Registry);
        }
        // A provider's own host is no tenant's either, so this holds for both kinds.
        let provider = |domain: &str| match kind {
            DomainKind::Host => self.0 == domain,
            DomainKind::Email => self.is_within(domain),
        };
        if PUBLIC_MAIL.lines().any(provider) {
            return Err(DomainError::PublicMail);
        }
        Ok(())
    }
}

fn is_label(label: &str) -> bool {
    !label.is_empty()
        && label.len() <= 63
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

impl FromStr for DomainName {
    type Err = DomainError;

    fn from_str(text: &str) -> Result<Self, DomainError> {
        let text = text.trim();
        let text = text.strip_suffix('.').unwrap_or(text);
        let name = match Host::parse(text).map_err(|_| DomainError::Malformed)? {
            Host::Domain(name) => name,
            Host::Ipv4(_) | Host::Ipv6(_) => return Err(DomainError::Address),
        };
        if name.len() > 253 || !name.split('.').all(is_label) {
            return Err(DomainError::Malformed);
        }
        if !name.contains('.') {
            return Err(DomainError::SingleLabel);
        }
        Ok(Self(name))
    }
}

impl fmt::Display for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl serde::Serialize for DomainName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_domain_is_written_in_one_way() {
        for (text, name) in [
            ("shop.example", "shop.example"),
            (" Shop.EXAMPLE. ", "shop.example"),
            ("müller.example", "xn--mller-kva.example"),
            ("MÜLLER.example", "xn--mller-kva.example"),
            ("xn--mller-kva.example", "xn--mller-kva.example"),
            ("a-1.b.example", "a-1.b.example"),
            ("shop\u{3002}example", "shop.example"),
        ] {
            let read: Result<DomainName, _> = text.parse();
            assert_eq!(read.as_ref().map(DomainName::as_str), Ok(name), "{text}");
        }
    }

    #[test]
    fn what_is_no_domain_is_refused() {
        let long = format!("{}.example", "a".repeat(64));
        let longer = format!("{}example", "a.".repeat(130));
        for (text, error) in [
            ("", DomainError::Malformed),
            (".", DomainError::Malformed),
            ("..", DomainError::Malformed),
            ("shop..example", DomainError::Malformed),
            ("shop.example..", DomainError::Malformed),
            (".shop.example", DomainError::Malformed),
            ("https://shop.example", DomainError::Malformed),
            ("shop.example:443", DomainError::Malformed),
            ("shop.example/path", DomainError::Malformed),
            ("ada@shop.example", DomainError::Malformed),
            ("*.shop.example", DomainError::Malformed),
            ("_dmarc.shop.example", DomainError::Malformed),
            ("-shop.example", DomainError::Malformed),
            ("shop-.example", DomainError::Malformed),
            ("shop .example", DomainError::Malformed),
            ("xn--a.example", DomainError::Malformed),
            (&long, DomainError::Malformed),
            (&longer, DomainError::Malformed),
            ("192.0.2.1", DomainError::Address),
            ("0x7f.1", DomainError::Address),
            ("2130706433", DomainError::Address),
            ("[::1]", DomainError::Address),
            ("localhost", DomainError::SingleLabel),
            ("com.", DomainError::SingleLabel),
        ] {
            assert_eq!(text.parse::<DomainName>(), Err(error), "{text}");
        }
    }

    #[test]
    fn registries_and_mail_providers_are_nobodys() {
        use DomainKind::{Email, Host};
        let claimable = |text: &str, kind| {
            let name: DomainName = text.parse().unwrap_or_else(|_| panic!("{text}"));
            name.claimable(kind)
        };
        for (text, kind, error) in [
            ("co.uk", Host, DomainError::Registry),
            ("com.au", Email, DomainError::Registry),
            ("gmail.com", Email, DomainError::PublicMail),
            ("GMX.de", Email, DomainError::PublicMail),
            ("mx.gmail.com", Email, DomainError::PublicMail),
            ("outlook.com", Host, DomainError::PublicMail),
        ] {
            assert_eq!(claimable(text, kind), Err(error), "{text}");
        }
        for (text, kind) in [
            ("shop.co.uk", Host),
            ("co.example", Host),
            ("notgmail.com", Email),
            ("gmail.com.example", Email),
        ] {
            assert_eq!(claimable(text, kind), Ok(()), "{text}");
        }
    }

    #[test]
    fn the_list_of_providers_is_in_order_and_in_the_one_form() {
        let lines: Vec<&str> = PUBLIC_MAIL.lines().collect();
        assert!(lines.len() > 150, "{}", lines.len());
        assert!(lines.is_sorted_by(|one, next| one < next));
        for line in lines {
            let name: Result<DomainName, _> = line.parse();
            assert_eq!(name.as_ref().map(DomainName::as_str), Ok(line));
        }
    }

    #[test]
    fn within_is_by_whole_labels() {
        let name = |text: &str| text.parse::<DomainName>();
        for (text, domain, within) in [
            ("acme.example", "acme.example", true),
            ("shop.acme.example", "acme.example", true),
            ("notacme.example", "acme.example", false),
            ("acme.example", "shop.acme.example", false),
        ] {
            let seen = name(text).map(|name| name.is_within(domain));
            assert_eq!(seen, Ok(within), "{text} in {domain}");
        }
    }
}
