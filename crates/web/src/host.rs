//! What a request's `Host` says, and whose word counts.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, HeaderName, Uri, header};

use crate::Options;

/// A request without one usable host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BadHost;

/// Where a request was sent to and where it comes from.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    /// The host, in lower case, without port and trailing dot.
    pub(crate) host: String,
    /// The host with its port, as the browser has it: to tell the own origin.
    pub(crate) authority: String,
    /// The client's address.
    pub(crate) client: Option<IpAddr>,
}

const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

fn parse(authority: &str) -> Result<String, BadHost> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']').ok_or(BadHost)?;
            host.parse::<std::net::Ipv6Addr>().map_err(|_| BadHost)?;
            (
                host,
                rest.strip_prefix(':')
                    .or_else(|| rest.is_empty().then_some("0"))
                    .ok_or(BadHost)?,
            )
        }
        None => authority.split_once(':').unwrap_or((authority, "0")),
    };
    port.parse::<u16>().map_err(|_| BadHost)?;
    let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    let sane = host
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':' | b'_'));
    if host.is_empty()
        || host.len() > 253
        || !sane
        || host.starts_with('.')
        || host.ends_with('.')
        || host.contains("..")
    {
        return Err(BadHost);
    }
    Ok(host)
}

/// The one value of a header; two are an error, since two readers might each believe another one.
fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, BadHost> {
    let mut values = headers.get_all(name).iter();
    let Some(first) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(BadHost);
    }
    first.to_str().map(Some).map_err(|_| BadHost)
}

impl Endpoint {
    /// Reads it from a request. What a proxy forwards counts only from one that is listed.
    pub(crate) fn of(
        headers: &HeaderMap,
        uri: &Uri,
        peer: Option<SocketAddr>,
        options: &Options,
    ) -> Result<Self, BadHost> {
        let peer = peer.map(|peer| peer.ip().to_canonical());
        let trusted = peer.is_some_and(|peer| options.is_trusted(peer));
        let own = single(headers, &header::HOST)?;
        let forwarded = if trusted {
            single(headers, &FORWARDED_HOST)?
        } else {
            None
        };
        // An absolute request target overrides the header (RFC 9112, section 3.2.2).
        let authority = forwarded
            .or_else(|| uri.authority().map(axum::http::uri::Authority::as_str))
            .or(own);
        let authority = authority.ok_or(BadHost)?;
        let client = if trusted {
            forwarded_for(headers, options).or(peer)
        } else {
            peer
        };
        Ok(Self {
            host: parse(authority)?,
            authority: authority.to_ascii_lowercase(),
            client,
        })
    }
}

/// The host that whoever asks says it was asked for itself, listed as a proxy or not.
pub(crate) fn claimed(headers: &HeaderMap) -> Result<Option<String>, BadHost> {
    single(headers, &FORWARDED_HOST)?.map(parse).transpose()
}

/// The last address in `X-Forwarded-For` that is none of our own proxies: what is left of it was
/// written by the client.
fn forwarded_for(headers: &HeaderMap, options: &Options) -> Option<IpAddr> {
    let list: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .collect();
    list.into_iter()
        .rev()
        .map_while(|text| text.trim().parse::<IpAddr>().ok())
        .map(|ip| ip.to_canonical())
        .find(|ip| !options.is_trusted(*ip))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_hosts_apart() {
        assert_eq!(
            parse("acme.localhost:8000").as_deref(),
            Ok("acme.localhost")
        );
        assert_eq!(parse("ACME.localhost.").as_deref(), Ok("acme.localhost"));
        assert_eq!(parse("[::1]:8000").as_deref(), Ok("::1"));
        assert_eq!(parse("127.0.0.1").as_deref(), Ok("127.0.0.1"));
        for bad in [
            "",
            ".",
            "a..b",
            "a..",
            "user@host",
            "host:port",
            "host:99999",
            "[::1",
            "ho st",
            "host/path",
            "a,b",
            "\u{e4}.de",
        ] {
            assert_eq!(parse(bad), Err(BadHost), "{bad}");
        }
    }

    fn headers(list: &[(&'static str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in list {
            if let Ok(value) = value.parse() {
                map.append(*name, value);
            }
        }
        map
    }

    #[test]
    fn forwarded_headers_count_from_listed_proxies_only() {
        let uri = Uri::from_static("/login");
        let list = headers(&[
            ("host", "inner:8000"),
            ("x-forwarded-host", "acme.example.com"),
            ("x-forwarded-for", "203.0.113.9, 198.51.100.7, 10.0.0.2"),
        ]);
        let options = Options {
            trusted_proxies: vec!["10.0.0.0/8".parse().unwrap_or_default()],
        };
        let proxy = Some(SocketAddr::from(([10, 0, 0, 1], 9)));
        let stranger = Some(SocketAddr::from(([192, 0, 2, 1], 9)));
        let via = Endpoint::of(&list, &uri, proxy, &options).map(|end| (end.host, end.client));
        assert_eq!(
            via,
            Ok((
                "acme.example.com".to_owned(),
                Some(IpAddr::from([198, 51, 100, 7]))
            ))
        );
        let direct =
            Endpoint::of(&list, &uri, stranger, &options).map(|end| (end.host, end.client));
        assert_eq!(
            direct,
            Ok(("inner".to_owned(), Some(IpAddr::from([192, 0, 2, 1]))))
        );
    }

    #[test]
    fn two_hosts_are_none() {
        let list = headers(&[("host", "a.localhost"), ("host", "b.localhost")]);
        assert!(Endpoint::of(&list, &Uri::from_static("/"), None, &Options::default()).is_err());
        assert!(
            Endpoint::of(
                &headers(&[]),
                &Uri::from_static("/"),
                None,
                &Options::default()
            )
            .is_err()
        );
    }
}
