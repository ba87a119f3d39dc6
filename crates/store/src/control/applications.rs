//! Applications for a tenant: each decided once.

use tenantry_core::application::ApplicationState;
use tenantry_core::{ApplicationId, TenantId, Timestamp};
use uuid::Uuid;

use crate::{Conn, StoreError};

/// The applications.
pub struct Applications<'c>(pub(super) Conn<'c>);

/// An application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApplicationRecord {
    /// Its id.
    pub id: ApplicationId,
    /// Where it stands.
    pub state: ApplicationState,
    /// The name the tenant is to have.
    pub name: String,
    /// The slug that is wished for.
    pub slug: String,
    /// Who asks, sealed; empty once it expired.
    pub applicant: Vec<u8>,
    /// Until when the address can be proven.
    pub expires_at: Timestamp,
    /// Why it was rejected.
    pub reason: Option<String>,
    /// The tenant that came of it.
    pub tenant: Option<TenantId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When the address was proven.
    pub proven_at: Option<Timestamp>,
    /// When it was decided.
    pub decided_at: Option<Timestamp>,
}

row! {
    struct ApplicationRow {
        id: Uuid,
        state: String,
        name: String,
        slug: String,
        applicant: Vec<u8>,
        expires_at: i64,
        reason: Option<String>,
        tenant_id: Option<Uuid>,
        created_at: i64,
        proven_at: Option<i64>,
        decided_at: Option<i64>,
    }
}

impl TryFrom<ApplicationRow> for ApplicationRecord {
    type Error = StoreError;

    fn try_from(row: ApplicationRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: ApplicationId::from_uuid(row.id),
            state: row.state.parse().map_err(|_| StoreError::Corrupt {
                table: "tenant_applications",
                column: "state",
            })?,
            name: row.name,
            slug: row.slug,
            applicant: row.applicant,
            expires_at: Timestamp::from_micros(row.expires_at),
            reason: row.reason,
            tenant: row.tenant_id.map(TenantId::from_uuid),
            created_at: Timestamp::from_micros(row.created_at),
            proven_at: row.proven_at.map(Timestamp::from_micros),
            decided_at: row.decided_at.map(Timestamp::from_micros),
        })
    }
}

impl Applications<'_> {
    /// Adds an application whose address is not proven yet, with the hash of the secret that proves
    /// it.
    pub async fn add(
        &mut self,
        application: &ApplicationRecord,
        secret_hash: &[u8; 32],
    ) -> Result<(), StoreError> {
        execute!(
            self.0,
            "INSERT INTO tenant_applications (id, state, name, slug, applicant, secret_hash, expires_at, created_at)
             VALUES ($1, 'pending_proof', $2, $3, $4, $5, $6, $7)",
            application.id.uuid(),
            application.name.as_str(),
            application.slug.as_str(),
            application.applicant.as_slice(),
            secret_hash.as_slice(),
            application.expires_at.micros(),
            application.created_at.micros()
        )?;
        Ok(())
    }

    /// The application with this id.
    pub async fn lookup(
        &mut self,
        id: ApplicationId,
    ) -> Result<Option<ApplicationRecord>, StoreError> {
        fetch_optional!(
            self.0,
            ApplicationRow,
            "SELECT id, state, name, slug, applicant, expires_at, reason, tenant_id, created_at, proven_at, decided_at
             FROM tenant_applications WHERE id = $1",
            id.uuid()
        )?
        .map(ApplicationRecord::try_from)
        .transpose()
    }

    /// The application whose secret this is, while that is good: until its time is over, and from
    /// then on as long as it waits for a decision.
    pub async fn find_good(
        &mut self,
        id: ApplicationId,
        secret_hash: &[u8; 32],
        now: Timestamp,
    ) -> Result<Option<ApplicationRecord>, StoreError> {
        fetch_optional!(
            self.0,
            ApplicationRow,
            "SELECT id, state, name, slug, applicant, expires_at, reason, tenant_id, created_at, proven_at, decided_at
             FROM tenant_applications
             WHERE id = $1 AND secret_hash = $2
               AND ((state = 'pending_proof' AND expires_at > $3) OR state = 'pending')",
            id.uuid(),
            secret_hash.as_slice(),
            now.micros()
        )?
        .map(ApplicationRecord::try_from)
        .transpose()
    }

    /// Notes that the address is proven; `false` when it was already, or too late.
    pub async fn mark_proven(
        &mut self,
        id: ApplicationId,
        secret_hash: &[u8; 32],
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let changed = execute!(
            self.0,
            "UPDATE tenant_applications SET state = 'pending', proven_at = $3
             WHERE id = $1 AND secret_hash = $2 AND state = 'pending_proof' AND expires_at > $3",
            id.uuid(),
            secret_hash.as_slice(),
            now.micros()
        )?;
        Ok(changed == 1)
    }

    /// Notes which tenant is made for it; `false` where it does not wait for a decision.
    pub async fn approve(
        &mut self,
        id: ApplicationId,
        tenant: TenantId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let changed = execute!(
            self.0,
            "UPDATE tenant_applications SET state = 'approved', tenant_id = $2, decided_at = $3
             WHERE id = $1 AND state = 'pending'",
            id.uuid(),
            tenant.uuid(),
            now.micros()
        )?;
        Ok(changed == 1)
    }

    /// Says no; `false` where it does not wait for a decision.
    pub async fn reject(
        &mut self,
        id: ApplicationId,
        reason: Option<&str>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let changed = execute!(
            self.0,
            "UPDATE tenant_applications SET state = 'rejected', reason = $2, decided_at = $3
             WHERE id = $1 AND state = 'pending'",
            id.uuid(),
            reason,
            now.micros()
        )?;
        Ok(changed == 1)
    }

    /// Lets an application wait again whose tenant could not be made; whether there was one.
    pub async fn reopen(&mut self, tenant: TenantId) -> Result<bool, StoreError> {
        let changed = execute!(
            self.0,
            "UPDATE tenant_applications SET state = 'pending', tenant_id = NULL, decided_at = NULL
             WHERE tenant_id = $1 AND state = 'approved'",
            tenant.uuid()
        )?;
        Ok(changed == 1)
    }

    /// Applications in a state, or all, the newest first, before the one with the id `before`.
    pub async fn list(
        &mut self,
        state: Option<ApplicationState>,
        before: Option<ApplicationId>,
        limit: i64,
    ) -> Result<Vec<ApplicationRecord>, StoreError> {
        fetch_all!(
            self.0,
            ApplicationRow,
            "SELECT id, state, name, slug, applicant, expires_at, reason, tenant_id, created_at, proven_at, decided_at
             FROM tenant_applications
             WHERE ($1 IS NULL OR state = $1) AND ($2 IS NULL OR id < $2) ORDER BY id DESC LIMIT $3",
            state.map(ApplicationState::as_str),
            before.map(ApplicationId::uuid),
            limit
        )?
        .into_iter()
        .map(ApplicationRecord::try_from)
        .collect()
    }

    /// Ends applications whose address was not proven in time, and forgets who made them.
    pub async fn expire(&mut self, now: Timestamp) -> Result<u64, StoreError> {
        let nobody: &[u8] = &[];
        execute!(
            self.0,
            "UPDATE tenant_applications SET state = 'expired', applicant = $2
             WHERE state = 'pending_proof' AND expires_at <= $1",
            now.micros(),
            nobody
        )
    }

    /// Forgets applications that were decided, or ran out, before `before`.
    pub async fn remove_done(&mut self, before: Timestamp) -> Result<u64, StoreError> {
        execute!(
            self.0,
            "DELETE FROM tenant_applications
             WHERE state IN ('approved', 'rejected', 'expired') AND COALESCE(decided_at, expires_at) < $1",
            before.micros()
        )
    }
}
