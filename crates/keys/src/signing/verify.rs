//! Verifying access tokens against the keys there are.

use std::time::Duration;

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, Validation, decode, decode_header};
use tenantry_claims::Claims;
use tenantry_core::Timestamp;

use super::key::VerifyingKey;
use super::{Jwks, TYPE};

/// Octets past which a token is refused unread. Ours have fewer than 1,000.
const LONGEST: usize = 4096;

/// How far ahead of now a token may have been issued: clocks of nodes differ by seconds ("usually no
/// more than a few minutes", RFC 7519, section 4.1.4). One issued by a clock that is further ahead
/// would be good until that date has come.
pub const ISSUED_AHEAD: Duration = Duration::from_mins(1);

/// Why a text is not a good access token of ours. For logs; whoever showed it learns only "no".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// It does not have the form of our tokens: no JWT, another algorithm or type, no key named,
    /// claims missing.
    #[error("this is no access token of ours")]
    Malformed,
    /// It names a key that is not, or no longer, there.
    #[error("the access token names a key that is not there")]
    UnknownKey,
    /// The signature is not its key's.
    #[error("the access token's signature is wrong")]
    Signature,
    /// Its time is over.
    #[error("the access token has expired")]
    Expired,
    /// Its time is still to come: it was issued by a clock that was wrong.
    #[error("the access token was issued in the future")]
    NotYet,
    /// It was issued by somebody else.
    #[error("the access token was issued by somebody else")]
    WrongIssuer,
    /// It is meant for somebody else.
    #[error("the access token is meant for somebody else")]
    WrongAudience,
}

/// The keys that verify: the one in use, and those that signed tokens which are still good.
#[derive(Debug, Clone)]
pub struct VerifyingKeys {
    keys: Vec<VerifyingKey>,
    validation: Validation,
}

impl FromIterator<VerifyingKey> for VerifyingKeys {
    fn from_iter<I: IntoIterator<Item = VerifyingKey>>(keys: I) -> Self {
        // The library reads the machine's clock for what it checks of the claims; we check them all
        // ourselves, with the time that is passed in.
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_aud = false;
        Self {
            keys: keys.into_iter().collect(),
            validation,
        }
    }
}

impl VerifyingKeys {
    /// What the access token says, if it is genuine, was issued by `issuer` for `audience`, and is
    /// good `now`. There is no leeway at its end: tokens are short-lived and we issue them ourselves.
    pub fn verify(
        &self,
        jwt: &str,
        issuer: &str,
        audience: &str,
        now: Timestamp,
    ) -> Result<Claims, VerifyError> {
        let claims = self.genuine(jwt)?;
        if claims.iss != issuer {
            return Err(VerifyError::WrongIssuer);
        }
        if claims.aud != audience {
            return Err(VerifyError::WrongAudience);
        }
        // "on or after which the JWT MUST NOT be accepted" (RFC 7519, section 4.1.4).
        if claims.exp <= now.seconds() {
            return Err(VerifyError::Expired);
        }
        if Timestamp::from_seconds(claims.iat) > now + ISSUED_AHEAD {
            return Err(VerifyError::NotYet);
        }
        Ok(claims)
    }

    /// What the token says, if one of the keys signed it.
    fn genuine(&self, jwt: &str) -> Result<Claims, VerifyError> {
        if jwt.len() > LONGEST {
            return Err(VerifyError::Malformed);
        }
        let header = decode_header(jwt).map_err(|_| VerifyError::Malformed)?;
        // A `crit` names extensions that must be understood (RFC 7515, section 4.1.11): none is.
        if header.alg != Algorithm::EdDSA
            || header.typ.as_deref() != Some(TYPE)
            || header.crit.is_some()
        {
            return Err(VerifyError::Malformed);
        }
        let kid = header.kid.ok_or(VerifyError::Malformed)?;
        let key = self
            .keys
            .iter()
            .find(|key| key.kid() == kid)
            .ok_or(VerifyError::UnknownKey)?;
        let claims = decode::<Claims>(jwt, &key.decoding, &self.validation)
            .map_err(|error| match error.kind() {
                ErrorKind::InvalidSignature => VerifyError::Signature,
                _ => VerifyError::Malformed,
            })?
            .claims;
        let tenant = [
            claims.tid.is_some(),
            claims.tslug.is_some(),
            claims.tcode.is_some(),
            claims.tgen.is_some(),
        ];
        // A tenant by halves could be taken for none.
        if tenant != [false; 4] && tenant != [true; 4] {
            return Err(VerifyError::Malformed);
        }
        Ok(claims)
    }

    /// The document from which applications learn the keys.
    pub fn jwks(&self) -> Jwks {
        Jwks {
            keys: self.keys.iter().map(VerifyingKey::jwk).collect(),
        }
    }
}
