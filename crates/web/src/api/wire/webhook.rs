//! Receivers of signed notices, and how far each notice has come.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tenantry_core::Timestamp;
use tenantry_core::webhooks::EventKind;
use tenantry_service::webhooks::{Delivery, NewWebhook, Tried, WebhookRecord};

/// A receiver to add.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookRequest {
    /// Where its notices go: `https://`, without a user name or password.
    pub url: String,
    /// What it is told about, such as `tenant.created`; without it, everything.
    #[serde(default)]
    pub events: Option<Vec<String>>,
    /// What it is for, at most 200 characters.
    #[serde(default)]
    pub description: Option<String>,
}

impl From<WebhookRequest> for NewWebhook {
    fn from(request: WebhookRequest) -> Self {
        Self {
            url: request.url,
            events: request.events.unwrap_or_default(),
            description: request.description,
        }
    }
}

/// A receiver.
#[derive(Clone, Serialize, JsonSchema)]
pub struct WebhookBody {
    /// The id.
    pub id: String,
    /// Where its notices go.
    pub url: String,
    /// What it is told about; null for everything.
    #[schemars(with = "Option<Vec<String>>")]
    pub events: Option<Vec<EventKind>>,
    /// What it is for; may be empty.
    pub description: String,
    /// When it was added.
    #[schemars(with = "String")]
    pub created_at: Timestamp,
    /// Notices that are still to be delivered.
    pub waiting: i64,
    /// Notices that were given up in the last seven days.
    pub failed: i64,
    /// What its notices are signed with (Standard Webhooks); told once, where it is added.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

impl From<&WebhookRecord> for WebhookBody {
    fn from(record: &WebhookRecord) -> Self {
        Self {
            id: record.id.to_string(),
            url: record.url.clone(),
            events: Some(record.events.clone()).filter(|events| !events.is_empty()),
            description: record.description.clone(),
            created_at: record.created_at,
            waiting: record.waiting,
            failed: record.failed,
            secret: None,
        }
    }
}

/// What trying a receiver came to.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct TriedBody {
    /// Whether it took the notice.
    pub delivered: bool,
    /// The status it answered with; null where it did not answer.
    pub status: Option<u16>,
    /// Why the notice did not arrive; null where it did.
    pub detail: Option<String>,
}

impl From<Tried> for TriedBody {
    fn from(tried: Tried) -> Self {
        Self {
            delivered: tried.failure.is_none(),
            status: tried.status,
            detail: tried.failure,
        }
    }
}

/// How far a notice to one receiver has come.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct DeliveryBody {
    /// The notice's id, as in its header `webhook-id`.
    pub id: String,
    /// What it is about.
    #[schemars(with = "String")]
    pub event: EventKind,
    /// `waiting`, `delivered` or `failed`: given up.
    pub state: String,
    /// Tries so far.
    pub attempts: i64,
    /// When it is tried next; null where it is not.
    #[schemars(with = "Option<String>")]
    pub next_attempt_at: Option<Timestamp>,
    /// Why the last try failed.
    pub error: Option<String>,
    /// When it happened.
    #[schemars(with = "String")]
    pub created_at: Timestamp,
    /// When it was taken or given up.
    #[schemars(with = "Option<String>")]
    pub finished_at: Option<Timestamp>,
}

impl From<&Delivery> for DeliveryBody {
    fn from(delivery: &Delivery) -> Self {
        let state = match (delivery.delivered_at, delivery.failed_at) {
            (Some(_), _) => "delivered",
            (None, Some(_)) => "failed",
            (None, None) => "waiting",
        };
        let finished_at = delivery.delivered_at.or(delivery.failed_at);
        Self {
            id: delivery.id.to_string(),
            event: delivery.event,
            state: state.to_owned(),
            attempts: delivery.attempts,
            next_attempt_at: finished_at.is_none().then_some(delivery.next_attempt_at),
            error: delivery.error.clone(),
            created_at: delivery.created_at,
            finished_at,
        }
    }
}
