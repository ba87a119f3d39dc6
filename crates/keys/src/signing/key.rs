//! Keys that sign access tokens, and their public halves.

use std::fmt;

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, encode};
use ring::signature::{Ed25519KeyPair, KeyPair};
use tenantry_claims::Claims;
use tenantry_core::{Entropy, Secret};

use super::jwk::{Jwk, thumbprint};
use super::{TYPE, provider};

/// Why octets are no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Seeds and public keys of Ed25519 have 32 octets.
    #[error("an Ed25519 key has 32 octets; this one has {0}")]
    Length(usize),
    /// The JWT library was given other cryptography than ours, earlier in this process.
    #[error("the JWT library already uses other cryptography")]
    Provider,
}

/// Why claims could not be signed.
#[derive(Debug, thiserror::Error)]
#[error("the access token could not be signed")]
pub struct SignError(#[from] jsonwebtoken::errors::Error);

/// A key that signs access tokens.
pub struct SigningKey {
    signing: EncodingKey,
    header: Header,
    verifying: VerifyingKey,
}

impl SigningKey {
    /// A new key, and the seed it comes from, for the caller to seal and store.
    pub fn generate(entropy: &Entropy) -> Result<(Self, Secret<[u8; 32]>), KeyError> {
        let seed = Secret::new(entropy.bytes());
        Ok((Self::from_seed(seed.expose())?, seed))
    }

    /// The key that comes from this seed of 32 octets.
    pub fn from_seed(seed: &[u8]) -> Result<Self, KeyError> {
        let pair =
            Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| KeyError::Length(seed.len()))?;
        let verifying = VerifyingKey::from_bytes(pair.public_key().as_ref())?;
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(TYPE.to_owned());
        header.kid = Some(verifying.kid.clone());
        Ok(Self {
            signing: EncodingKey::from_ed_der(seed),
            header,
            verifying,
        })
    }

    /// The key's name: the thumbprint of its public half (RFC 7638).
    pub fn kid(&self) -> &str {
        &self.verifying.kid
    }

    /// The half that verifies.
    pub const fn verifying(&self) -> &VerifyingKey {
        &self.verifying
    }

    /// An access token that says this.
    pub fn sign(&self, claims: &Claims) -> Result<Secret<String>, SignError> {
        Ok(Secret::new(encode(&self.header, claims, &self.signing)?))
    }
}

/// A public key that verifies access tokens.
#[derive(Clone)]
pub struct VerifyingKey {
    kid: String,
    public: [u8; 32],
    pub(super) decoding: DecodingKey,
}

impl VerifyingKey {
    /// The key with these 32 octets. Whether they are a point of the curve is seen when something
    /// is verified.
    pub fn from_bytes(public: &[u8]) -> Result<Self, KeyError> {
        if !provider::is_ours() {
            return Err(KeyError::Provider);
        }
        let public: [u8; 32] = public
            .try_into()
            .map_err(|_| KeyError::Length(public.len()))?;
        Ok(Self {
            kid: thumbprint(&public),
            public,
            decoding: DecodingKey::from_ed_der(&public),
        })
    }

    /// The key's name: its thumbprint (RFC 7638).
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The key's octets, to be stored.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.public
    }

    /// The key as applications fetch it.
    pub fn jwk(&self) -> Jwk {
        Jwk::new(&self.public, &self.kid)
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("VerifyingKey").field(&self.kid).finish()
    }
}
