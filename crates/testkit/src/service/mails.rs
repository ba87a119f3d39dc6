//! Who comes to a service, and what mails lead there.

use tenantry_core::session::SessionKind;
use tenantry_service::mailbox::StoredMail;
use tenantry_service::signin::Client;

/// A client of this kind at this address.
pub fn client(kind: SessionKind, ip: &str) -> Client {
    Client {
        ip: ip.parse().ok(),
        user_agent: Some("testkit".to_owned()),
        kind,
    }
}

/// The token in a mail's setup link.
pub fn setup_token(mail: &StoredMail) -> Option<String> {
    link_token(mail.text.as_deref()?, "/setup/password/")
}

/// The token in the first link of a text whose path begins so.
pub fn link_token(text: &str, path: &str) -> Option<String> {
    let (_, rest) = text.split_once(path)?;
    let end = rest
        .find(|c: char| !(c.is_ascii_alphanumeric() || "-_".contains(c)))
        .unwrap_or(rest.len());
    Some(rest[..end].to_owned())
}
