//! Mail to send: rows written in the transaction of what they tell about.
//!
//! Each try of a mail has a number, and its outcome is noted under that number only: whoever took
//! longer than the claim lasted changes nothing about the try of somebody else.

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

impl DueMail {
    /// This try of this mail, under which its outcome is noted.
    pub const fn claim(&self) -> (OutboxId, i64) {
        (self.id, self.attempt)
    }
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

    /// Notes that a mail was handed over; its content is forgotten. `false` when this try no longer
    /// decides: somebody took the mail up again, or it is done or gone.
    pub async fn mark_sent(
        &mut self,
        claim: (OutboxId, i64),
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let empty: &[u8] = &[];
        let changed = execute!(
            self.0,
            "UPDATE outbox SET sent_at = $3, sealed = $4, error = NULL
             WHERE id = $1 AND attempts = $2 AND sent_at IS NULL AND failed_at IS NULL",
            claim.0.uuid(),
            claim.1,
            now.micros(),
            empty
        )?;
        Ok(changed == 1)
    }

    /// Puts a mail off; `false` when this try no longer decides.
    pub async fn defer(
        &mut self,
        claim: (OutboxId, i64),
        until: Timestamp,
        error: &str,
    ) -> Result<bool, StoreError> {
        let changed = execute!(
            self.0,
            "UPDATE outbox SET next_attempt_at = $3, error = $4
             WHERE id = $1 AND attempts = $2 AND sent_at IS NULL AND failed_at IS NULL",
            claim.0.uuid(),
            claim.1,
            until.micros(),
            error
        )?;
        Ok(changed == 1)
    }

    /// Gives a mail up; `false` when this try no longer decides. The content stays until the row is
    /// [removed](Self::remove_done), so that an operator can still see to what the error names.
    pub async fn mark_failed(
        &mut self,
        claim: (OutboxId, i64),
        now: Timestamp,
        error: &str,
    ) -> Result<bool, StoreError> {
        let changed = execute!(
            self.0,
            "UPDATE outbox SET failed_at = $3, error = $4
             WHERE id = $1 AND attempts = $2 AND sent_at IS NULL AND failed_at IS NULL",
            claim.0.uuid(),
            claim.1,
            now.micros(),
            error
        )?;
        Ok(changed == 1)
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

    /// Forgets what was sent or given up before `before`, with what content there is; how many.
    pub async fn remove_done(&mut self, before: Timestamp) -> Result<u64, StoreError> {
        execute!(
            self.0,
            "DELETE FROM outbox WHERE sent_at < $1 OR failed_at < $1",
            before.micros()
        )
    }
}
