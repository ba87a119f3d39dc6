//! Creates that were asked for with an `Idempotency-Key`.

use tenantry_core::{TenantId, Timestamp, WorkflowId};
use uuid::Uuid;

use crate::{Conn, StoreError};

/// The creates remembered by key.
pub struct Idempotency<'c>(pub(super) Conn<'c>);

/// What an earlier request with the same key led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remembered {
    /// Hash of that request, to tell a repeat from another request under the same key.
    pub request_hash: [u8; 32],
    /// The tenant it made.
    pub tenant: TenantId,
    /// The workflow that makes it.
    pub workflow: WorkflowId,
}

row! { struct RememberedRow { request_hash: Vec<u8>, tenant_id: Uuid, workflow_id: Uuid } }

impl Idempotency<'_> {
    /// Remembers a create; `false` when the key is taken.
    pub async fn add(
        &mut self,
        key: [u8; 32],
        what: Remembered,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let changed = execute!(
            self.0,
            "INSERT INTO idempotency (key_hash, request_hash, tenant_id, workflow_id, created_at)
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT (key_hash) DO NOTHING",
            key.as_slice(),
            what.request_hash.as_slice(),
            what.tenant.uuid(),
            what.workflow.uuid(),
            now.micros()
        )?;
        Ok(changed == 1)
    }

    /// What an earlier request with this key led to.
    pub async fn find(&mut self, key: [u8; 32]) -> Result<Option<Remembered>, StoreError> {
        let row = fetch_optional!(
            self.0,
            RememberedRow,
            "SELECT request_hash, tenant_id, workflow_id FROM idempotency WHERE key_hash = $1",
            key.as_slice()
        )?;
        row.map(|row| {
            Ok(Remembered {
                request_hash: row
                    .request_hash
                    .try_into()
                    .map_err(|_| StoreError::Corrupt {
                        table: "idempotency",
                        column: "request_hash",
                    })?,
                tenant: TenantId::from_uuid(row.tenant_id),
                workflow: WorkflowId::from_uuid(row.workflow_id),
            })
        })
        .transpose()
    }

    /// Forgets the keys that made a tenant, which is gone.
    pub async fn remove_tenant(&mut self, tenant: TenantId) -> Result<u64, StoreError> {
        execute!(
            self.0,
            "DELETE FROM idempotency WHERE tenant_id = $1",
            tenant.uuid()
        )
    }

    /// Forgets keys older than `before`.
    pub async fn remove_before(&mut self, before: Timestamp) -> Result<u64, StoreError> {
        execute!(
            self.0,
            "DELETE FROM idempotency WHERE created_at < $1",
            before.micros()
        )
    }
}
