//! Access tokens as an application in any language sees them: taken apart and verified with nothing
//! of ours.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{ED25519, Ed25519KeyPair, UnparsedPublicKey};
use serde_json::Value;

/// An access token, taken apart.
#[derive(Debug, Clone)]
pub struct AccessToken {
    /// The header (RFC 7515).
    pub header: Value,
    /// The claims (RFC 7519).
    pub claims: Value,
    signed: String,
    signature: Vec<u8>,
}

impl AccessToken {
    /// Takes a token apart.
    ///
    /// # Panics
    /// Where it is no signed JWT in compact form.
    #[track_caller]
    pub fn parse(text: &str) -> Self {
        let parts: Vec<&str> = text.split('.').collect();
        assert_eq!(parts.len(), 3, "{text} has no three parts");
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).unwrap();
        Self {
            header: serde_json::from_slice(&decode(parts[0])).unwrap(),
            claims: serde_json::from_slice(&decode(parts[1])).unwrap(),
            signed: format!("{}.{}", parts[0], parts[1]),
            signature: decode(parts[2]),
        }
    }

    /// Whether the key of this JWKS that the header names made the signature (RFC 8037).
    pub fn is_signed_by(&self, jwks: &Value) -> bool {
        let keys = jwks["keys"].as_array().into_iter().flatten();
        let mut named = keys.filter(|key| key["kid"] == self.header["kid"]);
        let (Some(key), None) = (named.next(), named.next()) else {
            return false;
        };
        let public = key["x"]
            .as_str()
            .map(|x| URL_SAFE_NO_PAD.decode(x).unwrap());
        UnparsedPublicKey::new(&ED25519, public.unwrap_or_default())
            .verify(self.signed.as_bytes(), &self.signature)
            .is_ok()
    }

    /// A token with other claims and the same signature.
    pub fn forged(&self, claims: &Value) -> String {
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signature = URL_SAFE_NO_PAD.encode(&self.signature);
        format!("{}.{}.{signature}", encode(&self.header), encode(claims))
    }

    /// The same header and claims, signed by somebody else; with a `kid` of theirs or with ours.
    pub fn signed_by_another(&self, kid: Option<&str>) -> String {
        let mut header = self.header.clone();
        if let Some(kid) = kid {
            header["kid"] = kid.into();
        }
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", encode(&header), encode(&self.claims));
        let key = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
        let signature = URL_SAFE_NO_PAD.encode(key.sign(signed.as_bytes()));
        format!("{signed}.{signature}")
    }

    /// A token with these claims that says it needs no signature (RFC 7519, section 6).
    pub fn unsigned(&self) -> String {
        let mut header = self.header.clone();
        header["alg"] = "none".into();
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}.", encode(&header), encode(&self.claims))
    }
}
