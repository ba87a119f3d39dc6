//! Where Redis is.

use std::str::FromStr;

use ::redis::{ConnectionInfo, IntoConnectionInfo as _, io::tcp::TcpSettings};
use tenantry_core::Secret;

/// A URL that leads to Redis: `redis://:password@host:6379/0`, or `rediss://` with TLS, where the
/// certificate is checked against the system's authorities (`SSL_CERT_FILE` names others).
///
/// It holds a password, so it can't be shown; [`place`](Self::place) says where it leads.
pub struct RedisUrl {
    text: Secret<String>,
    place: String,
}

/// Why a text is no URL of a Redis.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a Redis is named by redis://:PASSWORD@HOST:6379/0, or by rediss:// with TLS; in a password, \
     write characters such as # / @ as %23 %2F %40"
)]
pub struct RedisUrlError;

impl RedisUrl {
    /// Host and port, which may be shown.
    pub fn place(&self) -> &str {
        &self.place
    }

    pub(super) fn info(&self) -> Result<ConnectionInfo, RedisUrlError> {
        let info = self.text.expose().as_str().into_connection_info();
        // Answers are small and waited for: each is sent at once.
        let tcp = TcpSettings::default().set_nodelay(true);
        Ok(info.map_err(|_| RedisUrlError)?.set_tcp_settings(tcp))
    }
}

impl FromStr for RedisUrl {
    type Err = RedisUrlError;

    fn from_str(text: &str) -> Result<Self, RedisUrlError> {
        let url = ::url::Url::parse(text).map_err(|_| RedisUrlError)?;
        let host = url.host_str().filter(|host| !host.is_empty());
        let host = host.ok_or(RedisUrlError)?;
        // A fragment would turn the check of certificates off, or is the rest of a password.
        let plain = url.fragment().is_none() && matches!(url.scheme(), "redis" | "rediss");
        if !plain {
            return Err(RedisUrlError);
        }
        let url = Self {
            place: format!("{host}:{}", url.port().unwrap_or(6379)),
            text: Secret::new(text.to_owned()),
        };
        url.info()?;
        Ok(url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_where_it_leads_and_not_how() {
        for (text, place) in [
            ("redis://localhost", "localhost:6379"),
            ("redis://:secret@127.0.0.1:7000/3", "127.0.0.1:7000"),
            (
                "rediss://user:secret@cache.example:6380",
                "cache.example:6380",
            ),
            ("redis://[::1]:6379/0", "[::1]:6379"),
        ] {
            assert_eq!(text.parse::<RedisUrl>().unwrap().place(), place);
        }
    }

    #[test]
    fn anything_else_is_none() {
        for text in [
            "",
            "localhost",
            "localhost:6379",
            "http://localhost",
            "unix:///run/redis.sock",
            "redis://",
            "redis://localhost/nought",
            "rediss://localhost/#insecure",
            "redis://:pass#word@localhost",
        ] {
            assert!(text.parse::<RedisUrl>().is_err(), "{text}");
        }
    }
}
