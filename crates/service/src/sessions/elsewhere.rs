//! Credentials that we issued, shown where another tenant is named.
//!
//! They are refused exactly as garbage would be, so that nobody learns at one tenant what is good at
//! another. One whose own tenant is no more is good nowhere and tells nothing of anybody: it has ended,
//! and whoever shows it is told so. Without that, whoever signed in before a tenant was purged would be
//! left without a word at the very address that a new tenant has by now.

use tenantry_core::TenantId;
use tenantry_keys::token::TokenKind;
use tokio::time::Instant;

use super::Credential;
use crate::resolve::Hints;
use crate::{Refusal, Service};

impl Service {
    /// What somebody is told who shows what we issued in this tenant, or to a platform admin, where the
    /// request names another tenant; found out until then.
    pub(super) async fn refused_elsewhere(
        &self,
        tenant: Option<TenantId>,
        until: Instant,
    ) -> Refusal {
        if self.is_gone(tenant, until).await {
            Refusal::SessionStale
        } else {
            Refusal::AuthenticationRequired
        }
    }

    /// Whether a tenant that something was issued in is in the registry no more. Where that can't be found
    /// out until then it is not known to be gone.
    pub(super) async fn is_gone(&self, tenant: Option<TenantId>, until: Instant) -> bool {
        let Some(tenant) = tenant else {
            return false;
        };
        // As a request that names it would find it: from memory, where it is known there.
        let named = Hints {
            header: Some(tenant.to_string()),
            ..Hints::default()
        };
        let resolved = tokio::time::timeout_at(until, self.resolve(&named)).await;
        matches!(resolved, Ok(Err(Refusal::TenantNotFound)))
    }

    /// Whether we issued a cookie, whatever became of its session. Asks nobody.
    pub fn is_ours(&self, credential: Credential<'_>) -> bool {
        match credential {
            Credential::Cookie(text) => {
                let token = self.keyring().tokens().parse(text, TokenKind::Session);
                token.is_some()
            }
            // Nothing is kept or taken back of what a program holds.
            Credential::Bearer(_) => false,
        }
    }
}
