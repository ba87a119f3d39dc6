//! Mail to send: rows written in the transaction of what they tell about.

use tenantry_core::{OutboxId, TenantId, Timestamp};
use uuid::Uuid;

use crate::{Conn, StoreError};

/// The outbox.
pub struct Outbox<'c>(pub(super) Conn<'c>);

/// A mail that is due.
#[derive(Debug, Clone)]
pub struct DueMail {
    /// The id, which also becomes the mail's `Message-ID`.
    pub id: OutboxId,
    /// The message, sealed.
    pub sealed: Vec<u8>,
    /// When it was written. The mail's date on every try, so that a repeat is the same mail.
    pub created_at: Timestamp,
    /// Which try this is, from 1.
    pub attempt: i64,
}

row! { struct DueRow { id: Uuid, sealed: Vec<u8>, attempts: i64, created_at: i64 } }
row! { struct CountRow { count: i64 } }

impl Outbox<'_> {
    /// Adds a mail; harmless when it is there already.
    pub async fn add(
        &mut self,
        id: OutboxId,
        tenant: Option<TenantId>,
        sealed: &[u8],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        execute!(
            self.0,
            "INSERT INTO outbox (id, tenant_id, sealed, attempts, next_attempt_at, created_at)
             VALUES ($1, $2, $3, 0, $4, $4) ON CONFLICT (id) DO NOTHING",
            id.uuid(),
            tenant.map(TenantId::uuid),
            sealed,
            now.micros()
        )?;
        Ok(())
    }

    /// Takes a mail that is due, and lets nobody else take it before `until`. Should the process
    /// die before it notes the outcome, the mail is due again then.
    pub async fn claim(
        &mut self,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<DueMail>, StoreError> {
        let row = fetch_optional!(
            self.0,
            DueRow,
            "UPDATE outbox SET attempts = attempts + 1, next_attempt_at = $2
             WHERE id = (SELECT id FROM outbox
                         WHERE sent_at IS NULL AND failed_at IS NULL AND next_attempt_at <= $1
                         ORDER BY next_attempt_at LIMIT 1)
               AND sent_at IS NULL AND failed_at IS NULL AND next_attempt_at <= $1
             RETURNING id, sealed, attempts, created_at",
            now.micros(),
            until.micros()
        )?;
        Ok(row.map(|row| DueMail {
            id: OutboxId::from_uuid(row.id),
            sealed: row.sealed,
            created_at: Timestamp::from_micros(row.created_at),
            attempt: row.attempts,
        }))
    }

    /// Notes that a mail was handed over; its content is forgotten.
    pub async fn mark_sent(&mut self, id: OutboxId, now: Timestamp) -> Result<(), StoreError> {
        let empty: &[u8] = &[];
        execute!(
            self.0,
            "UPDATE outbox SET sent_at = $2, sealed = $3, error = NULL WHERE id = $1",
            id.uuid(),
            now.micros(),
            empty
        )?;
        Ok(())
    }

    /// Puts a mail off.
    pub async fn defer(
        &mut self,
        id: OutboxId,
        until: Timestamp,
        error: &str,
    ) -> Result<(), StoreError> {
        execute!(
            self.0,
            "UPDATE outbox SET next_attempt_at = $2, error = $3 WHERE id = $1",
            id.uuid(),
            until.micros(),
            error
        )?;
        Ok(())
    }

    /// Gives a mail up.
    pub async fn mark_failed(
        &mut self,
        id: OutboxId,
        now: Timestamp,
        error: &str,
    ) -> Result<(), StoreError> {
        execute!(
            self.0,
            "UPDATE outbox SET failed_at = $2, error = $3 WHERE id = $1",
            id.uuid(),
            now.micros(),
            error
        )?;
        Ok(())
    }

    /// Mails not sent and not given up.
    pub async fn count_waiting(&mut self) -> Result<i64, StoreError> {
        let row = fetch_one!(
            self.0,
            CountRow,
            "SELECT COUNT(*) AS count FROM outbox WHERE sent_at IS NULL AND failed_at IS NULL"
        )?;
        Ok(row.count)
    }

    /// Takes out a tenant's mails that were written before `before` and not sent; their links are
    /// void.
    pub async fn remove_waiting(
        &mut self,
        tenant: TenantId,
        before: Timestamp,
    ) -> Result<u64, StoreError> {
        execute!(
            self.0,
            "DELETE FROM outbox WHERE tenant_id = $1 AND sent_at IS NULL AND created_at < $2",
            tenant.uuid(),
            before.micros()
        )
    }

    /// Takes out every trace of a tenant.
    pub async fn remove_tenant(&mut self, tenant: TenantId) -> Result<u64, StoreError> {
        execute!(
            self.0,
            "DELETE FROM outbox WHERE tenant_id = $1",
            tenant.uuid()
        )
    }

    /// Forgets what was sent before `before`.
    pub async fn remove_sent(&mut self, before: Timestamp) -> Result<u64, StoreError> {
        execute!(
            self.0,
            "DELETE FROM outbox WHERE sent_at < $1",
            before.micros()
        )
    }
}
