//! Public keys as applications fetch them (RFC 7517, RFC 8037).

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use ring::digest::{SHA256, digest};
use serde::Serialize;

/// The document at `/.well-known/jwks.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Jwks {
    /// The keys, in the order in which they were given.
    pub keys: Vec<Jwk>,
}

/// One public key that verifies access tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Jwk {
    /// The type of key: always `OKP` (RFC 8037, section 2).
    pub kty: &'static str,
    /// The curve: always `Ed25519`.
    pub crv: &'static str,
    /// The public key, in base64url.
    pub x: String,
    /// The key's name: its thumbprint.
    pub kid: String,
    /// What it is for: always `sig`.
    #[serde(rename = "use")]
    pub usage: &'static str,
    /// The algorithm: always `EdDSA`.
    pub alg: &'static str,
}

impl Jwk {
    pub(super) fn new(public: &[u8; 32], kid: &str) -> Self {
        Self {
            kty: "OKP",
            crv: "Ed25519",
            x: BASE64_URL_SAFE_NO_PAD.encode(public),
            kid: kid.to_owned(),
            usage: "sig",
            alg: "EdDSA",
        }
    }
}

/// The thumbprint of a public key (RFC 7638, section 3): SHA-256 over the required members in
/// alphabetical order, in base64url.
pub(super) fn thumbprint(public: &[u8; 32]) -> String {
    let x = BASE64_URL_SAFE_NO_PAD.encode(public);
    let members = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
    BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, members.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_thumbprint_is_the_rfcs() {
        // RFC 8037, appendices A.2 and A.3.
        let public = BASE64_URL_SAFE_NO_PAD
            .decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")
            .unwrap();
        assert_eq!(
            thumbprint(public.as_slice().try_into().unwrap()),
            "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
        );
    }
}
