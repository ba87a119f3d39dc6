//! Making a one-time secret: the token somebody gets, and what is stored of it.

use std::time::Duration;

use tenantry_core::one_time::Purpose;
use tenantry_core::{Generation, OneTimeId, Secret, TenantId};
use tenantry_keys::token::TokenKind;
use tenantry_store::TenantCtx;
use tenantry_store::control::StoredSecret;

use crate::Service;

/// A one-time secret that was just made.
pub(crate) struct Minted {
    /// What its owner gets, and nobody keeps.
    pub(crate) token: Secret<String>,
    /// What is stored.
    pub(crate) stored: StoredSecret,
}

/// A tenant in its generation, as tokens are bound to it.
pub(crate) fn scope(ctx: &TenantCtx) -> (TenantId, Generation) {
    (ctx.id(), ctx.generation())
}

impl Service {
    /// Makes a one-time secret bound to a tenant in its generation, or with `None` to the platform.
    pub(crate) fn mint_secret(
        &self,
        scope: Option<(TenantId, Generation)>,
        kind: TokenKind,
        purpose: Purpose,
        lifetime: Duration,
    ) -> Minted {
        let id = OneTimeId::generate(self.clock(), self.entropy());
        let (token, hash) = self
            .keyring()
            .tokens()
            .mint(kind, scope, id.uuid(), self.entropy());
        let now = self.clock().now();
        Minted {
            token,
            stored: StoredSecret {
                id,
                purpose,
                hash: hash.into_bytes(),
                created_at: now,
                expires_at: now + lifetime,
            },
        }
    }
}
