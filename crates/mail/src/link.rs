//! Links in mails.

use tenantry_core::Secret;
use url::Url;

/// Why a text can't be a link in a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// A mail line holds 998 characters (RFC 5322, section 2.1.1), and a link has to fit one.
    #[error("a link has at most 900 characters")]
    TooLong,
    /// Not an absolute `http` or `https` address, or one that carries a user name.
    #[error("a link begins with http:// or https:// and a host")]
    Malformed,
}

/// An absolute web address in ASCII, at most 900 characters long.
///
/// It may hold a one-time secret, so it has neither `Debug` nor `Display` and is wiped from memory
/// when dropped. It can be serialised all the same: the outbox keeps the whole message, sealed.
#[derive(Clone)]
pub struct Link(Secret<String>);

impl Link {
    /// The link that `text` is, in its normal form (international hosts as `xn--`).
    pub fn parse(text: &str) -> Result<Self, LinkError> {
        let url = Url::parse(text).map_err(|_| LinkError::Malformed)?;
        let usable = matches!(url.scheme(), "http" | "https")
            && url.username().is_empty()
            && url.password().is_none();
        if !usable {
            return Err(LinkError::Malformed);
        }
        let text = String::from(url);
        if text.len() > 900 {
            return Err(LinkError::TooLong);
        }
        Ok(Self(Secret::new(text)))
    }

    /// The link itself.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// Host and port, as a reader recognises a site; holds no secret.
    pub fn host(&self) -> &str {
        let text = self.expose();
        let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
        rest.split(['/', '?', '#']).next().unwrap_or_default()
    }
}

impl serde::Serialize for Link {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.expose())
    }
}

impl<'de> serde::Deserialize<'de> for Link {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <String as serde::Deserialize>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<String, LinkError> {
        Link::parse(text).map(|link| link.expose().to_owned())
    }

    #[test]
    fn keeps_ordinary_links_as_they_are() {
        for text in [
            "http://acme.localhost:8000/setup/password/aB-_9",
            "https://acme.example.org/?a=b&c=d",
        ] {
            assert_eq!(parsed(text).as_deref(), Ok(text));
        }
        let link = Link::parse("http://acme.localhost:8000/x?y").map(|l| l.host().to_owned());
        assert_eq!(link.as_deref(), Ok("acme.localhost:8000"));
    }

    #[test]
    fn refuses_what_a_mail_program_must_not_open() {
        let long = format!("https://example.org/{}", "a".repeat(900));
        assert_eq!(parsed(&long), Err(LinkError::TooLong));
        for text in [
            "javascript:alert(1)",
            "/login",
            "https://",
            "mailto:ada@example.org",
            "https://bank.example@evil.example/",
        ] {
            assert_eq!(parsed(text), Err(LinkError::Malformed), "{text}");
        }
    }

    #[test]
    fn nothing_breaks_out_of_its_line() {
        let link = parsed("https://example.org/a b\r\nc\"<d>\u{202e}").unwrap_or_default();
        assert!(link.bytes().all(|b| b.is_ascii_graphic()), "{link}");
        assert!(!link.contains(['"', '<', '>']), "{link}");
    }
}
