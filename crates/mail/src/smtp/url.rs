//! A mail server written as an address: `smtp://user:password@host:port?tls=required`.

use std::sync::{Arc, Mutex};

use lettre::transport::smtp::extension::ClientId;
use percent_encoding::percent_decode_str;
use tenantry_core::Secret;
use url::{Host, Url};

use super::{Server, Smtp, Tls};

/// Why a text is no mail server's address. The texts never repeat it, since it may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SmtpUrlError {
    /// Not an address at all, or one without a host.
    #[error("the address of the mail server looks like smtp://user:password@host:port")]
    Malformed,
    /// A scheme other than the two.
    #[error("the address of the mail server begins with smtp:// or smtps://")]
    Scheme,
    /// A value of `tls` other than the three, or any with `smtps`.
    #[error("tls is required, opportunistic or none, and only for smtp://")]
    Tls,
    /// Something after the port other than `?tls=`.
    #[error("nothing but ?tls= may follow host and port")]
    Unknown,
    /// A user without a password or the other way round, or not UTF-8.
    #[error("user and password come together, special characters percent-encoded")]
    Credentials,
}

impl Smtp {
    /// The server at `url`: `smtps://` is encrypted from the first byte (port 465); `smtp://`
    /// (port 587 with a user, else 25; RFC 6409, RFC 5321) by `STARTTLS` as `?tls=` says:
    ///
    /// - `required`: or not at all; the certificate must be good;
    /// - `opportunistic`, the default: where the server offers it. A password is sent
    ///   unencrypted only to this very machine;
    /// - `none`: never.
    ///
    /// Connects to nothing yet.
    pub fn from_url(url: &str) -> Result<Self, SmtpUrlError> {
        let url = Url::parse(url).map_err(|_| SmtpUrlError::Malformed)?;
        let mut tls = match url.scheme() {
            "smtps" => Tls::Implicit,
            "smtp" => Tls::Opportunistic,
            _ => return Err(SmtpUrlError::Scheme),
        };
        if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
            return Err(SmtpUrlError::Unknown);
        }
        for (name, value) in url.query_pairs() {
            tls = match (name.as_ref(), value.as_ref(), tls) {
                ("tls", _, Tls::Implicit) => return Err(SmtpUrlError::Tls),
                ("tls", "required", _) => Tls::Required,
                ("tls", "opportunistic", _) => Tls::Opportunistic,
                ("tls", "none", _) => Tls::None,
                ("tls", _, _) => return Err(SmtpUrlError::Tls),
                _ => return Err(SmtpUrlError::Unknown),
            };
        }
        let host = match url.host().ok_or(SmtpUrlError::Malformed)? {
            Host::Domain("") => return Err(SmtpUrlError::Malformed),
            Host::Domain(name) => decoded(name)?,
            Host::Ipv4(address) => address.to_string(),
            Host::Ipv6(address) => address.to_string(),
        };
        let credentials = credentials(&url)?;
        let port = match (tls, &credentials) {
            (Tls::Implicit, _) => 465,
            (Tls::Required, _) | (_, Some(_)) => 587,
            (Tls::Opportunistic | Tls::None, None) => 25,
        };
        Ok(Self(Arc::new(Server {
            host,
            port: url.port().unwrap_or(port),
            tls,
            credentials,
            hello: ClientId::default(),
            kept: Mutex::default(),
        })))
    }
}

fn credentials(url: &Url) -> Result<Option<(String, Secret<String>)>, SmtpUrlError> {
    match (url.username(), url.password()) {
        ("", None) => Ok(None),
        ("", Some(_)) | (_, None) => Err(SmtpUrlError::Credentials),
        (user, Some(password)) => Ok(Some((decoded(user)?, Secret::new(decoded(password)?)))),
    }
}

fn decoded(text: &str) -> Result<String, SmtpUrlError> {
    let text = percent_decode_str(text)
        .decode_utf8()
        .map_err(|_| SmtpUrlError::Credentials)?;
    Ok(text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    type Credentials = Option<(String, String)>;

    fn parsed(url: &str) -> Result<(String, u16, Tls, Credentials), SmtpUrlError> {
        Smtp::from_url(url).map(|Smtp(server)| {
            let credentials = server.credentials.as_ref();
            let credentials = credentials.map(|(user, pw)| (user.clone(), pw.expose().clone()));
            (server.host.clone(), server.port, server.tls, credentials)
        })
    }

    #[test]
    fn takes_every_form() {
        for (url, host, port, tls) in [
            ("smtp://localhost", "localhost", 25, Tls::Opportunistic),
            ("smtp://[::1]:2525/", "::1", 2525, Tls::Opportunistic),
            (
                "smtp://mail.example.org?tls=opportunistic",
                "mail.example.org",
                25,
                Tls::Opportunistic,
            ),
            (
                "smtp://mail.example.org?tls=none",
                "mail.example.org",
                25,
                Tls::None,
            ),
            (
                "smtp://mail.example.org?tls=required",
                "mail.example.org",
                587,
                Tls::Required,
            ),
            (
                "smtps://mail.example.org",
                "mail.example.org",
                465,
                Tls::Implicit,
            ),
        ] {
            assert_eq!(parsed(url), Ok((host.to_owned(), port, tls, None)), "{url}");
        }
        let ada = Some(("ada@example.org".to_owned(), "p/a:ss+ w".to_owned()));
        assert_eq!(
            parsed("smtp://ada%40example.org:p%2Fa%3Ass+%20w@mail.example.org"),
            Ok(("mail.example.org".to_owned(), 587, Tls::Opportunistic, ada))
        );
    }

    #[test]
    fn names_what_is_wrong_without_repeating_it() {
        for (url, error) in [
            ("mail.example.org", SmtpUrlError::Malformed),
            ("smtp://", SmtpUrlError::Malformed),
            ("http://mail.example.org", SmtpUrlError::Scheme),
            ("smtp://mail.example.org?tls=maybe", SmtpUrlError::Tls),
            ("smtps://mail.example.org?tls=none", SmtpUrlError::Tls),
            ("smtp://mail.example.org?ssl=true", SmtpUrlError::Unknown),
            ("smtp://mail.example.org/name", SmtpUrlError::Unknown),
            ("smtp://ada@mail.example.org", SmtpUrlError::Credentials),
            ("smtp://ada:%ff@mail.example.org", SmtpUrlError::Credentials),
        ] {
            assert_eq!(parsed(url), Err(error), "{url}");
        }
    }

    #[test]
    fn shows_no_password() {
        let smtp = Smtp::from_url("smtp://ada:hunter2@mail.example.org").unwrap();
        let shown = format!("{smtp:?}");
        assert!(shown.contains("mail.example.org"), "{shown}");
        assert!(
            !shown.contains("hunter2") && !shown.contains("ada"),
            "{shown}"
        );
    }
}
