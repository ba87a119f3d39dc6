//! Tokens that say whose they are.
//!
//! Layout, before base64url: version (1 octet), kind (1), tenant (16, zero for the platform),
//! generation (8, big-endian, zero for the platform), id (16), secret (32), tag (16, the beginning
//! of an HMAC-SHA256 over all before it). 90 octets are 120 characters without a bit to spare, so
//! that a token can be written in one way only.

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use subtle::ConstantTimeEq;
use tenantry_core::{Entropy, Generation, Secret, TenantId};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{SECRET, TokenHash};
use crate::mac::MacKey;

/// The version of the layout.
const VERSION: u8 = 1;

/// Octets before the secret: version, kind, tenant, generation, id.
const HEAD: usize = 1 + 1 + 16 + 8 + 16;

/// Octets of the tag. A forger has one try in 2^128, as many as guessing half the secret.
const TAG: usize = 16;

/// Octets under the tag, and in all.
const SIGNED: usize = HEAD + SECRET;
const OCTETS: usize = SIGNED + TAG;

/// Characters of a token.
const CHARACTERS: usize = OCTETS / 3 * 4;

/// What a token is good for. One kind is never taken for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// The cookie of a browser's session. The id is the session's.
    Session,
    /// The refresh token of an API client's session. The id is the session's.
    Refresh,
    /// A link to set the first password. The id is the one-time secret's.
    Setup,
    /// A link, or the proof of a code, to set a new password. The id is the one-time secret's.
    Reset,
    /// The choice of a tenant after the password was right. The id is the one-time secret's.
    Selection,
    /// A link to change an application's database credentials. The id is the one-time secret's.
    Credentials,
    /// A link that proves the address of somebody who registered. The id is the registration's.
    Registration,
    /// A link that proves an address somebody wants to change to. The id is the one-time secret's.
    NewAddress,
    /// A link that proves the address of somebody who asks for a tenant. The id is the application's.
    Application,
    /// What an enrolled device keeps. The id is the device's.
    Device,
}

impl TokenKind {
    /// The octet that stands for it. One that was given out is never used for another kind.
    const fn octet(self) -> u8 {
        match self {
            Self::Session => 1,
            Self::Refresh => 2,
            Self::Setup => 3,
            Self::Reset => 4,
            Self::Selection => 5,
            Self::Credentials => 6,
            Self::Registration => 7,
            Self::NewAddress => 8,
            Self::Device => 9,
            Self::Application => 10,
        }
    }
}

/// What a genuine token says. That it is genuine says only that we issued it once: whether it is
/// still good is for the stored row to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BoundToken {
    /// The tenant it was issued for; `None` for the platform.
    pub tenant: Option<TenantId>,
    /// The tenant's generation when it was issued; there exactly when the tenant is.
    pub generation: Option<Generation>,
    /// The id of the row that says whether it is still good.
    pub id: Uuid,
    /// The hash to compare with the row's.
    pub hash: TokenHash,
}

/// The key that tags tokens: see [`crate::sealing::MasterKey::token_key`].
#[derive(Clone)]
pub struct TokenKey(MacKey);

impl TokenKey {
    pub(crate) fn new(key: &Secret<[u8; 32]>) -> Self {
        Self(MacKey::new(key.expose()))
    }

    /// A new token for a tenant in its generation, or with `None` for the platform, and the hash to
    /// store. The token is 120 characters of base64url.
    pub fn mint(
        &self,
        kind: TokenKind,
        scope: Option<(TenantId, Generation)>,
        id: Uuid,
        entropy: &Entropy,
    ) -> (Secret<String>, TokenHash) {
        let secret: Zeroizing<[u8; SECRET]> = Zeroizing::new(entropy.bytes());
        let (tenant, generation) = scope.map_or((Uuid::nil(), 0), |(tenant, generation)| {
            (tenant.uuid(), generation.number())
        });
        let mut octets = Zeroizing::new(Vec::with_capacity(OCTETS));
        octets.extend_from_slice(&[VERSION, kind.octet()]);
        octets.extend_from_slice(tenant.as_bytes());
        octets.extend_from_slice(&generation.to_be_bytes());
        octets.extend_from_slice(id.as_bytes());
        octets.extend_from_slice(secret.as_slice());
        let tag = self.tag(&octets);
        octets.extend_from_slice(&tag);
        let text = BASE64_URL_SAFE_NO_PAD.encode(octets.as_slice());
        (Secret::new(text), TokenHash::of(&secret))
    }

    /// What a token says that somebody shows; `None` for whatever we did not issue, or issued for
    /// another purpose.
    pub fn parse(&self, text: &str, kind: TokenKind) -> Option<BoundToken> {
        if text.len() != CHARACTERS {
            return None;
        }
        let octets = Zeroizing::new(BASE64_URL_SAFE_NO_PAD.decode(text).ok()?);
        let (signed, tag) = octets.split_at_checked(SIGNED)?;
        if !bool::from(self.tag(signed).ct_eq(tag)) {
            return None;
        }
        let (head, signed) = signed.split_first_chunk()?;
        if *head != [VERSION, kind.octet()] {
            return None;
        }
        let (tenant, signed) = signed.split_first_chunk()?;
        let (generation, signed) = signed.split_first_chunk()?;
        let (id, secret) = signed.split_first_chunk()?;
        let (tenant, generation) =
            scope(Uuid::from_bytes(*tenant), i64::from_be_bytes(*generation))?;
        Some(BoundToken {
            tenant,
            generation,
            id: Uuid::from_bytes(*id),
            hash: TokenHash::of(secret.try_into().ok()?),
        })
    }

    fn tag(&self, signed: &[u8]) -> [u8; TAG] {
        let mut tag = [0; TAG];
        tag.copy_from_slice(&self.0.sign(signed)[..TAG]);
        tag
    }
}

/// Tenant and generation, both or neither; `None` where they contradict each other.
fn scope(tenant: Uuid, generation: i64) -> Option<(Option<TenantId>, Option<Generation>)> {
    match (tenant.is_nil(), Generation::new(generation)) {
        (true, None) => Some((None, None)),
        (false, generation @ Some(_)) => Some((Some(TenantId::from_uuid(tenant)), generation)),
        (true, Some(_)) | (false, None) => None,
    }
}

#[cfg(test)]
mod tests;
