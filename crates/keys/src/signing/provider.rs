//! Ed25519 by ring, in the form in which the JWT library takes its cryptography.
//!
//! The library has one provider for the whole process. Ours knows one algorithm and refuses every
//! other, so that no header can talk the library into another one.

use std::sync::LazyLock;

use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{Error, ErrorKind, Result};
use jsonwebtoken::signature::{self, Signer, Verifier};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, EncodingKey};
use ring::signature::{ED25519, Ed25519KeyPair, UnparsedPublicKey};

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key| Ok(Box::new(RingSigner::new(*algorithm, key)?)),
    verifier_factory: |algorithm, key| Ok(Box::new(RingVerifier::new(*algorithm, key)?)),
    // For JWKs made by the library. We make ours.
    key_utils: KeyUtils::new_unimplemented(),
};

/// Whether the library uses our provider. False only if another one was installed before.
pub(super) fn is_ours() -> bool {
    static OURS: LazyLock<bool> = LazyLock::new(|| PROVIDER.install_default().is_ok());
    *OURS
}

fn only_ed25519(algorithm: Algorithm, family: AlgorithmFamily) -> Result<()> {
    if algorithm == Algorithm::EdDSA && family == AlgorithmFamily::Ed {
        Ok(())
    } else {
        Err(ErrorKind::InvalidAlgorithm.into())
    }
}

/// Signs. The library's key holds the seed of 32 octets (RFC 8032, section 5.1.5).
struct RingSigner(Ed25519KeyPair);

impl RingSigner {
    fn new(algorithm: Algorithm, key: &EncodingKey) -> Result<Self> {
        only_ed25519(algorithm, key.family())?;
        let pair = Ed25519KeyPair::from_seed_unchecked(key.as_bytes())
            .map_err(|_| Error::from(ErrorKind::InvalidEddsaKey))?;
        Ok(Self(pair))
    }
}

impl Signer<Vec<u8>> for RingSigner {
    fn try_sign(&self, message: &[u8]) -> std::result::Result<Vec<u8>, signature::Error> {
        Ok(self.0.sign(message).as_ref().to_vec())
    }
}

impl JwtSigner for RingSigner {
    fn algorithm(&self) -> Algorithm {
        Algorithm::EdDSA
    }
}

/// Verifies. The library's key holds the public key of 32 octets.
struct RingVerifier(UnparsedPublicKey<Vec<u8>>);

impl RingVerifier {
    fn new(algorithm: Algorithm, key: &DecodingKey) -> Result<Self> {
        only_ed25519(algorithm, key.family())?;
        let public = key.try_get_as_bytes()?.to_vec();
        Ok(Self(UnparsedPublicKey::new(&ED25519, public)))
    }
}

impl Verifier<Vec<u8>> for RingVerifier {
    fn verify(
        &self,
        message: &[u8],
        signature: &Vec<u8>,
    ) -> std::result::Result<(), signature::Error> {
        self.0
            .verify(message, signature)
            .map_err(|_| signature::Error::new())
    }
}

impl JwtVerifier for RingVerifier {
    fn algorithm(&self) -> Algorithm {
        Algorithm::EdDSA
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_other_algorithm_is_refused() {
        let (mut refused, mut taken) = (0, 0);
        for family in [
            AlgorithmFamily::Hmac,
            AlgorithmFamily::Rsa,
            AlgorithmFamily::Ec,
            AlgorithmFamily::Ed,
        ] {
            for algorithm in family.algorithms() {
                let encoding = EncodingKey::from_ed_der(&[1; 32]);
                let decoding = DecodingKey::from_ed_der(&[1; 32]);
                let signs = RingSigner::new(*algorithm, &encoding).is_ok();
                let verifies = RingVerifier::new(*algorithm, &decoding).is_ok();
                assert_eq!(signs, verifies);
                if signs {
                    taken += 1;
                } else {
                    refused += 1;
                }
            }
        }
        assert_eq!((taken, refused), (1, 11));
        let secret = DecodingKey::from_secret(&[1; 32]);
        assert!(RingVerifier::new(Algorithm::EdDSA, &secret).is_err());
        let secret = EncodingKey::from_secret(&[1; 32]);
        assert!(RingSigner::new(Algorithm::EdDSA, &secret).is_err());
    }

    #[test]
    fn is_ed25519_as_the_rfc_has_it() {
        // RFC 8032, section 7.1, test 1: the empty message.
        let seed = [
            0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec,
            0x2c, 0xc4, 0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03,
            0x1c, 0xae, 0x7f, 0x60,
        ];
        let key = EncodingKey::from_ed_der(&seed);
        let signer = RingSigner::new(Algorithm::EdDSA, &key).unwrap();
        let signature = signer.try_sign(b"").unwrap();
        assert_eq!(signature[..4], [0xe5, 0x56, 0x43, 0x00]);
        assert_eq!(signature[60..], [0x8e, 0x7a, 0x10, 0x0b]);
    }
}
