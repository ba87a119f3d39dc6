//! Why a session is good no more, told to whoever holds what carried it.

use tenantry_core::session::EndReason;
use tenantry_core::{TenantId, TenantStatus};
use tenantry_sessions::StoredSession;

use super::Credential;
use crate::{Refusal, Service};

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
        self.ended(credential, hinted).await.ok().flatten()
    }

    async fn ended(
        &self,
        credential: Credential<'_>,
        hinted: Option<TenantId>,
    ) -> Result<Option<EndReason>, Refusal> {
        let stored = self.carried(credential, hinted).await?;
        let Some(StoredSession {
            session,
            end_reason,
            ..
        }) = stored
        else {
            return Ok(None);
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
