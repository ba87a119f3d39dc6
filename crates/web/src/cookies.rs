//! The cookies: the session, the nonce that anonymous forms are bound to, and for a minute why a
//! session ended.

use axum::http::{HeaderMap, HeaderValue, header};
use tenantry_core::session::EndReason;

/// How cookies are named and marked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cookies {
    /// Whether pages are served over https.
    pub(crate) secure: bool,
}

impl Cookies {
    /// The session's name. With https the `__Host-` prefix makes browsers refuse it from another
    /// host or without `Secure` (RFC 6265bis, section 4.1.3.2).
    pub(crate) const fn session(self) -> &'static str {
        if self.secure {
            "__Host-tenantry_session"
        } else {
            "tenantry_session"
        }
    }

    /// The nonce's name.
    pub(crate) const fn nonce(self) -> &'static str {
        if self.secure {
            "__Host-tenantry_csrf"
        } else {
            "tenantry_csrf"
        }
    }

    /// The name of what tells the sign-in page why a session ended. It holds one word, which anybody
    /// may plant: the page shows a sentence for it and does nothing.
    pub(crate) const fn ended(self) -> &'static str {
        if self.secure {
            "__Secure-tenantry_ended"
        } else {
            "tenantry_ended"
        }
    }

    /// Tells the sign-in page why a session ended, for as long as a browser takes to get there.
    pub(crate) fn tell_ended(self, why: EndReason) -> Option<HeaderValue> {
        self.for_login(why.as_str(), 60)
    }

    /// Takes back what was told.
    pub(crate) fn forget_ended(self) -> Option<HeaderValue> {
        self.for_login("", 0)
    }

    fn for_login(self, word: &str, seconds: u32) -> Option<HeaderValue> {
        let secure = if self.secure { "; Secure" } else { "" };
        let name = self.ended();
        HeaderValue::try_from(format!(
            "{name}={word}; Max-Age={seconds}; Path=/login; HttpOnly; SameSite=Lax{secure}"
        ))
        .ok()
    }

    fn attributes(self) -> &'static str {
        if self.secure {
            "; Path=/; HttpOnly; SameSite=Lax; Secure"
        } else {
            "; Path=/; HttpOnly; SameSite=Lax"
        }
    }

    /// Sets a cookie for as long as the browser runs; the server decides when it ends.
    pub(crate) fn set(self, name: &str, value: &str) -> Option<HeaderValue> {
        HeaderValue::try_from(format!("{name}={value}{}", self.attributes())).ok()
    }

    /// Takes a cookie back.
    pub(crate) fn clear(self, name: &str) -> Option<HeaderValue> {
        HeaderValue::try_from(format!("{name}=; Max-Age=0{}", self.attributes())).ok()
    }
}

/// The value of a cookie. Where a name comes twice, none counts: another host may have planted one.
pub(crate) fn find<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut found = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(key, _)| *key == name)
        .map(|(_, value)| value);
    let first = found.next()?;
    if found.next().is_some() {
        None
    } else {
        Some(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_doubled_cookie_counts_for_nothing() {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, HeaderValue::from_static("a=1; b=2"));
        assert_eq!(find(&headers, "b"), Some("2"));
        headers.append(header::COOKIE, HeaderValue::from_static("b=3"));
        assert_eq!(find(&headers, "b"), None);
        assert_eq!(find(&headers, "c"), None);
    }
}
