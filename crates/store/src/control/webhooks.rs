//! Receivers of notices, and what each is still to be told: rows written in the transaction of what
//! they tell.
//!
//! Each try of a delivery has a number, and its outcome is noted under that number only: whoever
//! took longer than the claim lasted changes nothing about the try of somebody else.

use tenantry_core::webhooks::EventKind;
use tenantry_core::{NoticeId, Timestamp, WebhookId};
use uuid::Uuid;

use crate::{Conn, StoreError};

/// Receivers and deliveries.
pub struct Webhooks<'c>(pub(super) Conn<'c>);

/// A receiver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookRecord {
    /// Its id.
    pub id: WebhookId,
    /// Where its notices go.
    pub url: String,
    /// What it is for, in the words of whoever added it; may be empty.
    pub description: String,
    /// What it is told about; empty for everything.
    pub events: Vec<EventKind>,
    /// The secret its notices are signed with, sealed.
    pub sealed_secret: Vec<u8>,
    /// When it was added.
    pub created_at: Timestamp,
    /// Notices that are still to be delivered.
    pub waiting: i64,
    /// Notices that were given up not long ago.
    pub failed: i64,
}

impl WebhookRecord {
    /// Whether it is told about this.
    pub fn wants(&self, event: EventKind) -> bool {
        self.events.is_empty() || self.events.contains(&event)
    }
}

/// A notice to write down for one receiver.
#[derive(Debug, Clone, Copy)]
pub struct NewDelivery<'a> {
    /// The receiver.
    pub webhook: WebhookId,
    /// The notice.
    pub id: NoticeId,
    /// What it is about.
    pub event: EventKind,
    /// What it says, sealed.
    pub sealed: &'a [u8],
    /// When it happened.
    pub at: Timestamp,
}

/// A try of a delivery that is somebody's to make.
#[derive(Debug, Clone)]
pub struct DueDelivery {
    /// The receiver.
    pub webhook: WebhookId,
    /// The notice.
    pub id: NoticeId,
    /// What it is about.
    pub event: EventKind,
    /// What it says, sealed.
    pub sealed: Vec<u8>,
    /// Which try this is, from 1.
    pub attempt: i64,
}

/// How far a delivery has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The notice.
    pub id: NoticeId,
    /// What it is about.
    pub event: EventKind,
    /// Tries so far.
    pub attempts: i64,
    /// When it is tried again, while it waits.
    pub next_attempt_at: Timestamp,
    /// When it was taken.
    pub delivered_at: Option<Timestamp>,
    /// When it was given up.
    pub failed_at: Option<Timestamp>,
    /// Why the last try failed.
    pub error: Option<String>,
    /// When it happened.
    pub created_at: Timestamp,
}

row! {
    struct WebhookRow {
        id: Uuid,
        url: String,
        description: String,
        events: String,
        sealed_secret: Vec<u8>,
        created_at: i64,
        waiting: i64,
        failed: i64,
    }
}
row! { struct IdRow { webhook_id: Uuid } }
row! { struct DueRow { webhook_id: Uuid, id: Uuid, event: String, sealed: Vec<u8>, attempts: i64 } }
row! {
    struct DeliveryRow {
        id: Uuid,
        event: String,
        attempts: i64,
        next_attempt_at: i64,
        delivered_at: Option<i64>,
        failed_at: Option<i64>,
        error: Option<String>,
        created_at: i64,
    }
}

/// Receivers with these counts; what follows chooses among them.
macro_rules! receivers {
    ($counts:literal, $which:literal) => {
        concat!(
            "SELECT id, url, description, events, sealed_secret, created_at, ",
            $counts,
            " FROM webhooks ",
            $which
        )
    };
}

/// Receivers with what is still to be delivered to them, and what was given up.
macro_rules! counted {
    ($which:literal) => {
        receivers!(
            "(SELECT COUNT(*) FROM webhook_deliveries d WHERE d.webhook_id = webhooks.id
                AND d.delivered_at IS NULL AND d.failed_at IS NULL) AS waiting,
             (SELECT COUNT(*) FROM webhook_deliveries d WHERE d.webhook_id = webhooks.id
                AND d.failed_at IS NOT NULL) AS failed",
            $which
        )
    };
}

fn event(word: &str, table: &'static str, column: &'static str) -> Result<EventKind, StoreError> {
    word.parse()
        .map_err(|_| StoreError::Corrupt { table, column })
}

impl TryFrom<WebhookRow> for WebhookRecord {
    type Error = StoreError;

    fn try_from(row: WebhookRow) -> Result<Self, StoreError> {
        let events = row.events.split_whitespace();
        Ok(Self {
            id: WebhookId::from_uuid(row.id),
            url: row.url,
            description: row.description,
            events: events
                .map(|word| event(word, "webhooks", "events"))
                .collect::<Result<_, _>>()?,
            sealed_secret: row.sealed_secret,
            created_at: Timestamp::from_micros(row.created_at),
            waiting: row.waiting,
            failed: row.failed,
        })
    }
}

impl TryFrom<DueRow> for DueDelivery {
    type Error = StoreError;

    fn try_from(row: DueRow) -> Result<Self, StoreError> {
        Ok(Self {
            webhook: WebhookId::from_uuid(row.webhook_id),
            id: NoticeId::from_uuid(row.id),
            event: event(&row.event, "webhook_deliveries", "event")?,
            sealed: row.sealed,
            attempt: row.attempts,
        })
    }
}

impl TryFrom<DeliveryRow> for Delivery {
    type Error = StoreError;

    fn try_from(row: DeliveryRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: NoticeId::from_uuid(row.id),
            event: event(&row.event, "webhook_deliveries", "event")?,
            attempts: row.attempts,
            next_attempt_at: Timestamp::from_micros(row.next_attempt_at),
            delivered_at: row.delivered_at.map(Timestamp::from_micros),
            failed_at: row.failed_at.map(Timestamp::from_micros),
            error: row.error,
            created_at: Timestamp::from_micros(row.created_at),
        })
    }
}

impl Webhooks<'_> {
    /// Adds a receiver. The counts are not written.
    pub async fn add(&mut self, webhook: &WebhookRecord) -> Result<(), StoreError> {
        let words: Vec<&str> = webhook.events.iter().map(|event| event.as_str()).collect();
        execute!(
            self.0,
            "INSERT INTO webhooks (id, url, description, events, sealed_secret, created_at)
             VALUES ($1, $2, $3, $4, $5, $6)",
            webhook.id.uuid(),
            webhook.url.as_str(),
            webhook.description.as_str(),
            words.join(" "),
            webhook.sealed_secret.as_slice(),
            webhook.created_at.micros()
        )?;
        Ok(())
    }

    /// Every receiver, the oldest first.
    pub async fn list(&mut self) -> Result<Vec<WebhookRecord>, StoreError> {
        fetch_all!(self.0, WebhookRow, counted!("ORDER BY id"))?
            .into_iter()
            .map(WebhookRecord::try_from)
            .collect()
    }

    /// The receiver with this id.
    pub async fn lookup(&mut self, id: WebhookId) -> Result<Option<WebhookRecord>, StoreError> {
        fetch_optional!(self.0, WebhookRow, counted!("WHERE id = $1"), id.uuid())?
            .map(WebhookRecord::try_from)
            .transpose()
    }

    /// Receivers without their counts, which cost more the more there is to deliver: for whoever
    /// writes notices.
    pub async fn list_uncounted(&mut self) -> Result<Vec<WebhookRecord>, StoreError> {
        fetch_all!(
            self.0,
            WebhookRow,
            receivers!(
                "CAST(0 AS BIGINT) AS waiting, CAST(0 AS BIGINT) AS failed",
                "ORDER BY id"
            )
        )?
        .into_iter()
        .map(WebhookRecord::try_from)
        .collect()
    }

    /// Removes a receiver with all that it was still to be told; `false` when there is none.
    pub async fn remove(&mut self, id: WebhookId) -> Result<bool, StoreError> {
        let changed = execute!(self.0, "DELETE FROM webhooks WHERE id = $1", id.uuid())?;
        Ok(changed == 1)
    }

    /// Writes down a notice for one receiver, due at once; harmless when it is there already, and
    /// when the receiver was removed meanwhile.
    pub async fn add_delivery(&mut self, new: NewDelivery<'_>) -> Result<(), StoreError> {
        execute!(
            self.0,
            "INSERT INTO webhook_deliveries
                 (webhook_id, id, event, sealed, attempts, next_attempt_at, created_at)
             SELECT id, $2, $3, $4, 0, $5, $5 FROM webhooks WHERE id = $1
             ON CONFLICT (webhook_id, id) DO NOTHING",
            new.webhook.uuid(),
            new.id.uuid(),
            new.event.as_str(),
            new.sealed,
            new.at.micros()
        )?;
        Ok(())
    }

    /// Receivers that something is due for.
    pub async fn list_due(&mut self, now: Timestamp) -> Result<Vec<WebhookId>, StoreError> {
        let rows = fetch_all!(
            self.0,
            IdRow,
            "SELECT id AS webhook_id FROM webhooks
             WHERE EXISTS (SELECT 1 FROM webhook_deliveries d
                           WHERE d.webhook_id = webhooks.id AND d.delivered_at IS NULL
                             AND d.failed_at IS NULL AND d.next_attempt_at <= $1)
             ORDER BY id",
            now.micros()
        )?;
        Ok(rows
            .into_iter()
            .map(|row| WebhookId::from_uuid(row.webhook_id))
            .collect())
    }

    /// Takes a delivery to one receiver that is due, and lets nobody else take it before `until`.
    /// Should the process die before it notes the outcome, it is due again then.
    pub async fn claim(
        &mut self,
        webhook: WebhookId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<DueDelivery>, StoreError> {
        fetch_optional!(
            self.0,
            DueRow,
            "UPDATE webhook_deliveries SET attempts = attempts + 1, next_attempt_at = $3
             WHERE webhook_id = $1
               AND id = (SELECT id FROM webhook_deliveries
                         WHERE webhook_id = $1 AND delivered_at IS NULL AND failed_at IS NULL
                           AND next_attempt_at <= $2
                         ORDER BY next_attempt_at, id LIMIT 1)
               AND delivered_at IS NULL AND failed_at IS NULL AND next_attempt_at <= $2
             RETURNING webhook_id, id, event, sealed, attempts",
            webhook.uuid(),
            now.micros(),
            until.micros()
        )?
        .map(DueDelivery::try_from)
        .transpose()
    }

    /// Notes that a notice was taken; what it said is forgotten. `false` when this try no longer
    /// decides: somebody took it up again, or it is done or gone.
    pub async fn mark_delivered(
        &mut self,
        due: &DueDelivery,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let empty: &[u8] = &[];
        let changed = execute!(
            self.0,
            "UPDATE webhook_deliveries SET delivered_at = $4, sealed = $5, error = NULL
             WHERE webhook_id = $1 AND id = $2 AND attempts = $3
               AND delivered_at IS NULL AND failed_at IS NULL",
            due.webhook.uuid(),
            due.id.uuid(),
            due.attempt,
            now.micros(),
            empty
        )?;
        Ok(changed == 1)
    }

    /// Puts a delivery off; `false` when this try no longer decides.
    pub async fn defer(
        &mut self,
        due: &DueDelivery,
        until: Timestamp,
        error: &str,
    ) -> Result<bool, StoreError> {
        let changed = execute!(
            self.0,
            "UPDATE webhook_deliveries SET next_attempt_at = $4, error = $5
             WHERE webhook_id = $1 AND id = $2 AND attempts = $3
               AND delivered_at IS NULL AND failed_at IS NULL",
            due.webhook.uuid(),
            due.id.uuid(),
            due.attempt,
            until.micros(),
            error
        )?;
        Ok(changed == 1)
    }

    /// Gives a delivery up; what it said is forgotten. `false` when this try no longer decides.
    pub async fn mark_failed(
        &mut self,
        due: &DueDelivery,
        now: Timestamp,
        error: &str,
    ) -> Result<bool, StoreError> {
        let empty: &[u8] = &[];
        let changed = execute!(
            self.0,
            "UPDATE webhook_deliveries SET failed_at = $4, error = $5, sealed = $6
             WHERE webhook_id = $1 AND id = $2 AND attempts = $3
               AND delivered_at IS NULL AND failed_at IS NULL",
            due.webhook.uuid(),
            due.id.uuid(),
            due.attempt,
            now.micros(),
            error,
            empty
        )?;
        Ok(changed == 1)
    }

    /// Deliveries to one receiver, the newest first, before the notice `before`.
    pub async fn list_deliveries(
        &mut self,
        webhook: WebhookId,
        before: Option<NoticeId>,
        limit: i64,
    ) -> Result<Vec<Delivery>, StoreError> {
        let before = before.map_or(Uuid::max(), NoticeId::uuid);
        fetch_all!(
            self.0,
            DeliveryRow,
            "SELECT id, event, attempts, next_attempt_at, delivered_at, failed_at, error, created_at
             FROM webhook_deliveries WHERE webhook_id = $1 AND id < $2
             ORDER BY id DESC LIMIT $3",
            webhook.uuid(),
            before,
            limit
        )?
        .into_iter()
        .map(Delivery::try_from)
        .collect()
    }

    /// Forgets what was delivered or given up before `before`; how many.
    pub async fn remove_done(&mut self, before: Timestamp) -> Result<u64, StoreError> {
        execute!(
            self.0,
            "DELETE FROM webhook_deliveries WHERE delivered_at < $1 OR failed_at < $1",
            before.micros()
        )
    }
}
