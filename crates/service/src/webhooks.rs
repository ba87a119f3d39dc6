//! Receivers outside that are told what happens to tenants and their people: adding, listing,
//! trying and removing them.
//!
//! What happens is written down in the transaction that makes it happen (`events`), and leaves
//! afterwards, as often as it takes (`delivery`). Every notice is signed with its receiver's own
//! secret, which is shown once.

mod delivery;
mod events;

use tenantry_core::webhooks::EventKind;
use tenantry_core::{NoticeId, Secret, WebhookId};
use tenantry_keys::webhooks::WebhookSecret;
pub use tenantry_store::control::{Delivery, WebhookRecord};
use url::Url;

pub(crate) use delivery::LATEST;
pub(crate) use events::UserFacts;
pub(crate) use events::context as notice_context;

use crate::refusal::Chain;
use crate::{FieldError, Refusal, Service};

/// The most receivers. Each one that is slow or away has a place of its own in the delivering, so
/// that it holds up no other; a platform that has more to tell puts a distributor behind one.
const MOST: usize = 64;

/// The most characters of a description.
const DESCRIPTION: usize = 200;

/// A receiver to add.
#[derive(Debug, Clone)]
pub struct NewWebhook {
    /// Where its notices go.
    pub url: String,
    /// What it is told about, each by its word; empty for everything.
    pub events: Vec<String>,
    /// What it is for.
    pub description: Option<String>,
}

/// What trying a receiver came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// The status it answered with, if it answered.
    pub status: Option<u16>,
    /// Why the notice did not arrive; `None` where it did.
    pub failure: Option<String>,
}

/// What a receiver's secret is sealed for.
pub(crate) fn context(id: WebhookId) -> Vec<u8> {
    format!("webhook:{id}").into_bytes()
}

/// What a receiver wants to be told, or what is wrong with it.
fn read_events(words: &[String]) -> Result<Vec<EventKind>, FieldError> {
    let mut events = Vec::new();
    for word in words {
        match word.parse() {
            Ok(EventKind::Ping) | Err(_) => {
                let there = EventKind::ALL
                    .iter()
                    .filter(|kind| **kind != EventKind::Ping);
                let there: Vec<&str> = there.map(|kind| kind.as_str()).collect();
                return Err(FieldError::new(
                    "events",
                    "unknown",
                    format!("there is no such event; there are {}", there.join(", ")),
                ));
            }
            Ok(kind) if events.contains(&kind) => {}
            Ok(kind) => events.push(kind),
        }
    }
    Ok(events)
}

fn read_description(text: Option<&str>) -> Result<String, FieldError> {
    let text = text.unwrap_or_default().trim();
    if text.chars().count() > DESCRIPTION || text.chars().any(char::is_control) {
        return Err(FieldError::new(
            "description",
            "invalid",
            format!("a description is one line of at most {DESCRIPTION} characters"),
        ));
    }
    Ok(text.to_owned())
}

impl Service {
    fn read_webhook(&self, new: &NewWebhook) -> Result<(Url, Vec<EventKind>, String), Refusal> {
        let url = self.settings().webhooks.rules().read(&new.url);
        let url = url.map_err(|error| FieldError::new("url", error.code(), error));
        match (
            url,
            read_events(&new.events),
            read_description(new.description.as_deref()),
        ) {
            (Ok(url), Ok(events), Ok(description)) => Ok((url, events, description)),
            (url, events, description) => Err(Refusal::Validation(
                [url.err(), events.err(), description.err()]
                    .into_iter()
                    .flatten()
                    .collect(),
            )),
        }
    }

    /// Adds a receiver. The secret is told here and never again.
    pub async fn add_webhook(
        &self,
        new: &NewWebhook,
    ) -> Result<(WebhookRecord, Secret<String>), Refusal> {
        let (url, events, description) = self.read_webhook(new)?;
        let id = WebhookId::generate(self.clock(), self.entropy());
        let secret = WebhookSecret::generate(self.entropy());
        let sealed_secret = self
            .keyring()
            .seal(secret.octets(), &context(id), self.entropy())
            .map_err(Refusal::failed("a webhook's secret could not be sealed"))?;
        let record = WebhookRecord {
            id,
            url: url.into(),
            description,
            events,
            sealed_secret,
            created_at: self.clock().now(),
            waiting: 0,
            failed: 0,
        };
        let mut tx = self.control().begin().await?;
        if tx.webhooks().list_uncounted().await?.len() >= MOST {
            return Err(Refusal::Conflict(format!(
                "there are {MOST} webhooks already; remove one, or put a distributor behind one"
            )));
        }
        tx.webhooks().add(&record).await?;
        tx.commit().await?;
        Ok((record, secret.shown()))
    }

    /// Every receiver, the oldest first.
    pub async fn list_webhooks(&self) -> Result<Vec<WebhookRecord>, Refusal> {
        Ok(self.control().read().await?.webhooks().list().await?)
    }

    /// The receiver with this id.
    pub async fn find_webhook(&self, id: WebhookId) -> Result<WebhookRecord, Refusal> {
        let found = self.control().read().await?.webhooks().lookup(id).await?;
        found.ok_or(Refusal::NotFound)
    }

    /// Removes a receiver; what it was still to be told goes with it.
    pub async fn remove_webhook(&self, id: WebhookId) -> Result<(), Refusal> {
        let mut tx = self.control().begin().await?;
        if !tx.webhooks().remove(id).await? {
            return Err(Refusal::NotFound);
        }
        Ok(tx.commit().await?)
    }

    /// How far deliveries to a receiver have come, the newest first, before the notice `before`.
    pub async fn list_deliveries(
        &self,
        id: WebhookId,
        before: Option<NoticeId>,
        limit: i64,
    ) -> Result<Vec<Delivery>, Refusal> {
        let mut tx = self.control().read().await?;
        tx.webhooks().lookup(id).await?.ok_or(Refusal::NotFound)?;
        Ok(tx.webhooks().list_deliveries(id, before, limit).await?)
    }

    /// Sends a receiver a `ping`, once and at once; what came of it. Nothing of it is kept.
    pub async fn try_webhook(&self, id: WebhookId) -> Result<Tried, Refusal> {
        let receiver = self.find_webhook(id).await?;
        let notice = NoticeId::generate(self.clock(), self.entropy());
        let data = serde_json::json!({ "webhook": { "id": id } });
        let body = events::body(EventKind::Ping, self.clock().now(), &data);
        Ok(match self.post(&receiver, notice, body.as_bytes()).await? {
            Ok(status) => Tried {
                status: Some(status),
                failure: None,
            },
            Err(error) => Tried {
                status: error.status(),
                failure: Some(Chain(&error).to_string()),
            },
        })
    }

    /// The secret that a receiver's notices are signed with.
    async fn webhook_secret(&self, receiver: &WebhookRecord) -> Result<WebhookSecret, Refusal> {
        let opened = self
            .keyring()
            .open_sealed(&receiver.sealed_secret, &context(receiver.id))
            .await
            .map_err(Refusal::failed("a webhook's secret could not be unsealed"))?;
        WebhookSecret::from_octets(opened.expose())
            .ok_or_else(|| Refusal::failed("a webhook's secret could not be read")("wrong length"))
    }
}
