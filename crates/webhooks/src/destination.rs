//! Where notices may go.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// The most characters of a receiver's URL.
const LONGEST: usize = 2048;

/// What an operator allows about receivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rules {
    /// Whether notices may travel without TLS to anywhere. To this very machine they always may.
    pub allow_http: bool,
    /// Whether receivers may lie inside: on this machine, in a private network, on a link.
    pub allow_private: bool,
}

/// Why a URL is none that notices can go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unsuitable {
    /// It is no web address.
    #[error("it begins with https:// (or http://) and a host")]
    NoWebAddress,
    /// It is too long.
    #[error("it has at most {LONGEST} characters")]
    TooLong,
    /// It holds a name or password before the host.
    #[error("it holds no user name or password; the signature proves who calls")]
    Credentials,
    /// It holds a fragment, which is never sent.
    #[error("it has no #fragment")]
    Fragment,
    /// It goes without TLS.
    #[error(
        "it begins with https://; plain http:// is for receivers on this machine, or where the setting webhooks.allow_http allows it"
    )]
    Plain,
    /// It leads inside.
    #[error(
        "it leads to this machine or a private network; the setting webhooks.allow_private allows that"
    )]
    Private,
}

impl Unsuitable {
    /// A fixed word for programs.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoWebAddress | Self::TooLong | Self::Credentials | Self::Fragment => "invalid",
            Self::Plain => "not_https",
            Self::Private => "private",
        }
    }
}

impl Rules {
    /// Reads a receiver's URL, as far as the text alone tells whether notices may go there. Where
    /// its name leads is looked at with each try.
    pub fn read(self, text: &str) -> Result<Url, Unsuitable> {
        if text.len() > LONGEST {
            return Err(Unsuitable::TooLong);
        }
        let url = Url::parse(text).map_err(|_| Unsuitable::NoWebAddress)?;
        self.check(&url)?;
        Ok(url)
    }

    pub(crate) fn check(self, url: &Url) -> Result<(), Unsuitable> {
        let host = match url.scheme() {
            "http" | "https" => url.host().ok_or(Unsuitable::NoWebAddress)?,
            _ => return Err(Unsuitable::NoWebAddress),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Unsuitable::Credentials);
        }
        if url.fragment().is_some() {
            return Err(Unsuitable::Fragment);
        }
        let (here, inside) = match host {
            Host::Domain(name) => (is_here(name), is_here(name)),
            Host::Ipv4(ip) => (ip.is_loopback(), !is_public(ip.into())),
            Host::Ipv6(ip) => (ip.is_loopback(), !is_public(ip.into())),
        };
        if url.scheme() == "http" && !here && !self.allow_http {
            return Err(Unsuitable::Plain);
        }
        if inside && !self.allow_private {
            return Err(Unsuitable::Private);
        }
        Ok(())
    }
}

/// Whether a name always means this machine (RFC 6761, section 6.3).
pub(crate) fn is_here(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    name == "localhost" || name.ends_with(".localhost")
}

/// Whether an address is one of the open internet (IANA's registries of special-purpose addresses,
/// RFC 6890 and those after it). What is not known to be open is not.
pub fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let special = match ip.octets() {
        // This network, private, shared (RFC 6598), loopback, link-local, multicast and reserved.
        [0 | 10 | 127 | 224..=255, ..]
        | [100, 64..=127, ..]
        | [169, 254, ..]
        | [172, 16..=31, ..]
        | [192, 168, ..]
        // Protocols, documentation, relays that are no more, benchmarks.
        | [192, 0, 0 | 2, _]
        | [192, 88, 99, _]
        | [198, 18 | 19, ..]
        | [198, 51, 100, _]
        | [203, 0, 113, _] => true,
        _ => false,
    };
    !special
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let low = |high: u16, low: u16| Ipv4Addr::from(u32::from(high) << 16 | u32::from(low));
    match ip.segments() {
        // An IPv4 address in other clothes (RFC 4291, 6052, 3056) leads where that one leads.
        [0, 0, 0, 0, 0, 0xffff, a, b] | [0x64, 0xff9b, 0, 0, 0, 0, a, b] | [0x2002, a, b, ..] => {
            is_public_v4(low(a, b))
        }
        // Protocols and tunnels, documentation.
        [0x2001, 0..=0x01ff | 0x0db8, ..] | [0x3fff, 0..=0x0fff, ..] => false,
        // All that is given out so far begins so.
        [0x2000..=0x3fff, ..] => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_inside_is_told_from_what_is_open() {
        for open in [
            "1.1.1.1",
            "172.15.0.1",
            "172.32.0.1",
            "100.63.255.255",
            "192.0.1.1",
            "2606:4700:4700::1111",
            "2a00:1450:4001::5",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
            "2002:808:808::1",
        ] {
            assert!(is_public(open.parse().unwrap()), "{open}");
        }
        for inside in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "127.255.255.255",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::7f00:1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::a00:1",
            "2002:a00:1::1",
            "2001::1",
            "2001:db8::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "5f00::1",
        ] {
            assert!(!is_public(inside.parse().unwrap()), "{inside}");
        }
    }

    #[test]
    fn a_url_is_read_by_the_rules() {
        use Unsuitable::{Credentials, Fragment, NoWebAddress, Plain, Private, TooLong};
        let strict = Rules::default();
        let long = format!("https://example.com/{}", "x".repeat(LONGEST));
        for (text, wanted) in [
            ("https://example.com/hooks?key=1", None),
            ("https://example.com:8443/", None),
            ("http://example.com/", Some(Plain)),
            ("http://10.0.0.1/", Some(Plain)),
            ("https://10.0.0.1/", Some(Private)),
            ("https://0x7f.1/", Some(Private)),
            ("https://2130706433/", Some(Private)),
            ("https://[::ffff:127.0.0.1]/", Some(Private)),
            ("http://127.0.0.1:9/", Some(Private)),
            ("http://localhost:9/", Some(Private)),
            ("https://acme.localhost./", Some(Private)),
            ("https://ada@example.com/", Some(Credentials)),
            ("https://:x@example.com/", Some(Credentials)),
            ("https://example.com/#x", Some(Fragment)),
            ("ftp://example.com/", Some(NoWebAddress)),
            ("file:///etc/passwd", Some(NoWebAddress)),
            ("example.com", Some(NoWebAddress)),
            ("https://", Some(NoWebAddress)),
            ("", Some(NoWebAddress)),
            (&long, Some(TooLong)),
        ] {
            assert_eq!(strict.read(text).err(), wanted, "{text}");
        }
        let inside = Rules {
            allow_private: true,
            ..strict
        };
        assert!(inside.read("http://127.0.0.1:9/").is_ok());
        assert!(inside.read("http://[::1]:9/").is_ok());
        assert_eq!(inside.read("http://10.0.0.1/"), Err(Plain));
        assert!(inside.read("https://10.0.0.1/").is_ok());
        let plain = Rules {
            allow_http: true,
            ..strict
        };
        assert!(plain.read("http://example.com/").is_ok());
        assert_eq!(plain.read("http://10.0.0.1/"), Err(Private));
    }
}
