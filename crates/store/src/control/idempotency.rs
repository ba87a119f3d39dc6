//! Creates that were asked for with an `Idempotency-Key`: tenants, which are remembered with their
//! work, and everything else, whose answers are kept for a while.

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

/// A request that was begun under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begun {
    /// Hash of that request.
    pub request_hash: [u8; 32],
    /// When it was begun.
    pub created_at: Timestamp,
    /// What it was answered with, sealed; `None` while it is under way, and where it broke off.
    pub answer: Option<Vec<u8>>,
}

row! { struct RememberedRow { request_hash: Vec<u8>, tenant_id: Uuid, workflow_id: Uuid } }
row! { struct BegunRow { request_hash: Vec<u8>, created_at: i64, answer: Option<Vec<u8>> } }

fn hash(table: &'static str, octets: Vec<u8>) -> Result<[u8; 32], StoreError> {
    let column = "request_hash";
    octets
        .try_into()
        .map_err(|_| StoreError::Corrupt { table, column })
}

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
                request_hash: hash("idempotency", row.request_hash)?,
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

    /// Begins a request under a key, where none was begun under it since `since`; `false` where one
    /// was.
    pub async fn begin(
        &mut self,
        key: [u8; 32],
        request: [u8; 32],
        tenant: Option<TenantId>,
        now: Timestamp,
        since: Timestamp,
    ) -> Result<bool, StoreError> {
        let changed = execute!(
            self.0,
            "INSERT INTO idempotent_answers (key_hash, request_hash, tenant_id, created_at)
             VALUES ($1, $2, $3, $4)
             ON CONFLICT (key_hash) DO UPDATE
             SET request_hash = $2, tenant_id = $3, created_at = $4, answer = NULL
             WHERE idempotent_answers.created_at < $5",
            key.as_slice(),
            request.as_slice(),
            tenant.map(TenantId::uuid),
            now.micros(),
            since.micros()
        )?;
        Ok(changed == 1)
    }

    /// Keeps what the request under a key was answered with; `false` where none is under way.
    pub async fn keep(&mut self, key: [u8; 32], answer: &[u8]) -> Result<bool, StoreError> {
        let changed = execute!(
            self.0,
            "UPDATE idempotent_answers SET answer = $2 WHERE key_hash = $1 AND answer IS NULL",
            key.as_slice(),
            answer
        )?;
        Ok(changed == 1)
    }

    /// What was begun under a key.
    pub async fn find_begun(&mut self, key: [u8; 32]) -> Result<Option<Begun>, StoreError> {
        let row = fetch_optional!(
            self.0,
            BegunRow,
            "SELECT request_hash, created_at, answer FROM idempotent_answers WHERE key_hash = $1",
            key.as_slice()
        )?;
        row.map(|row| {
            Ok(Begun {
                request_hash: hash("idempotent_answers", row.request_hash)?,
                created_at: Timestamp::from_micros(row.created_at),
                answer: row.answer,
            })
        })
        .transpose()
    }

    /// Gives a key back whose request came to nothing; `false` where it was answered.
    pub async fn give_back(&mut self, key: [u8; 32]) -> Result<bool, StoreError> {
        let changed = execute!(
            self.0,
            "DELETE FROM idempotent_answers WHERE key_hash = $1 AND answer IS NULL",
            key.as_slice()
        )?;
        Ok(changed == 1)
    }

    /// Forgets answers to requests that were begun before `before`.
    pub async fn remove_answers_before(&mut self, before: Timestamp) -> Result<u64, StoreError> {
        execute!(
            self.0,
            "DELETE FROM idempotent_answers WHERE created_at < $1",
            before.micros()
        )
    }

    /// Forgets the answers to a tenant's people.
    pub async fn remove_answers_of(&mut self, tenant: TenantId) -> Result<u64, StoreError> {
        execute!(
            self.0,
            "DELETE FROM idempotent_answers WHERE tenant_id = $1",
            tenant.uuid()
        )
    }
}
