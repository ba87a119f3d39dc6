//! Why a session is good no more, told to whoever holds what carried it.

use tenantry_core::session::EndReason;
use tenantry_core::{TenantId, TenantStatus};
use tenantry_keys::token::TokenKind;
use tenantry_sessions::StoredSession;
use tokio::time::Instant;

use super::{Credential, handle};
use crate::facts::LOOK;
use crate::{Refusal, Service};

/// Until when the registry is asked.
fn until() -> Instant {
    Instant::now() + LOOK
}

impl Service {
    /// Why the session that a credential carries is good no more, where that is known. Told only
    /// where the credential proves itself, as for a session that is good: to nobody else, and to
    /// nobody under another tenant's hint.
    ///
    /// Asked after a refusal; it has no part in deciding.
    pub async fn why_ended(
        &self,
        credential: Credential<'_>,
        hinted: Option<TenantId>,
    ) -> Option<EndReason> {
        // Where it can't be found out there is nothing to tell.
        let (tenant, stored) = self.carried(credential, hinted).await.ok()?;
        self.reason(tenant, stored).await.ok().flatten()
    }

    /// The same for a refresh token, also for one that was replaced: it is ours by its tag, and once the
    /// session has ended, whoever holds an old one is who needs to know.
    pub async fn why_not_renewed(
        &self,
        token: &str,
        hinted: Option<TenantId>,
    ) -> Option<EndReason> {
        let tokens = self.keyring().tokens();
        let token = tokens.parse(token, TokenKind::Refresh)?;
        let is_elsewhere = hinted.is_some() && token.tenant != hinted;
        if is_elsewhere && !self.is_gone(token.tenant, until()).await {
            return None;
        }
        let stored = self.sessions_store().lookup(&handle(&token)).await.ok()?;
        self.reason(token.tenant, stored).await.ok().flatten()
    }

    async fn reason(
        &self,
        tenant: Option<TenantId>,
        stored: Option<StoredSession>,
    ) -> Result<Option<EndReason>, Refusal> {
        let Some(StoredSession {
            session,
            end_reason,
            ..
        }) = stored
        else {
            // Nothing is stored of a tenant that is no more.
            return Ok(self
                .is_gone(tenant, until())
                .await
                .then_some(EndReason::Tenant));
        };
        let (None, Some((tenant, generation))) = (end_reason, session.subject.scope()) else {
            return Ok(end_reason);
        };
        // Its end may not be written down: the tenant's state alone ends it.
        let mut tx = self.control().read().await?;
        let tenant = tx.tenants().lookup(tenant).await?;
        let is_there = tenant.is_some_and(|tenant| {
            tenant.status == TenantStatus::Active && tenant.generation == generation
        });
        Ok((!is_there).then_some(EndReason::Tenant))
    }
}
