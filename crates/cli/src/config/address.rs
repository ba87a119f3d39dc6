//! Under which addresses the installation is reached.

use url::{Host, Url};

use super::refusal::wrong;
use crate::exit::Exit;

/// What links begin with.
pub(super) fn public_url(text: &str) -> Result<Url, Exit> {
    let url = Url::parse(text).map_err(|error| wrong("TENANTRY_PUBLIC_URL", error))?;
    let plain = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.path() == "/";
    if !matches!(url.scheme(), "http" | "https") || !plain || url.host_str().is_none() {
        return Err(wrong(
            "TENANTRY_PUBLIC_URL",
            "it is http:// or https:// with a host and nothing behind it",
        ));
    }
    Ok(url)
}

/// Whether a URL leads to the machine it is read on. Whoever reaches an installation that way tries
/// it out or develops with it. One that serves others is reached by another name.
pub(super) fn is_own_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

/// What tenants' hosts end in.
pub(super) fn base_domain(text: &str) -> Result<String, Exit> {
    let sane = !text.is_empty()
        && text.len() <= 200
        && text.split('.').all(|label| {
            !label.is_empty()
                && label
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        });
    if sane {
        Ok(text.to_owned())
    } else {
        Err(wrong(
            "TENANTRY_BASE_DOMAIN",
            "it is a host name in lower case",
        ))
    }
}
