//! Receivers are told what happened, signed, at least once, and only what was committed.

mod delivery;
mod failing;
mod people;
mod told;

use tenantry_keys::webhooks::WebhookSecret;
use tenantry_service::webhooks::{Delivery, NewWebhook, WebhookRecord};
use tenantry_testkit::receiver::{Received, Receiver};
use tenantry_testkit::service::TestService;

/// A receiver to add, for these events; none for all.
fn wanting(url: String, events: &[&str]) -> NewWebhook {
    NewWebhook {
        url,
        events: events.iter().map(|&word| word.to_owned()).collect(),
        description: None,
    }
}

/// A receiver that is told everything, and its secret.
pub(crate) async fn listen(test: &TestService) -> (Receiver, WebhookRecord, WebhookSecret) {
    let receiver = Receiver::start().await.unwrap();
    let new = wanting(receiver.url("/in"), &[]);
    let (record, shown) = test.service.add_webhook(&new).await.unwrap();
    (receiver, record, read(shown.expose()))
}

/// The secret that was shown in this way.
fn read(shown: &str) -> WebhookSecret {
    use base64::Engine as _;
    let text = shown.strip_prefix("whsec_").unwrap();
    let octets = base64::prelude::BASE64_STANDARD.decode(text).unwrap();
    WebhookSecret::from_octets(&octets).unwrap()
}

/// What each notice was about, in order.
fn kinds(seen: &[Received]) -> Vec<String> {
    let kind = |one: &Received| one.json()["type"].as_str().unwrap_or_default().to_owned();
    seen.iter().map(kind).collect()
}

/// Delivers what is due; how many were taken.
pub(crate) async fn deliver(test: &TestService) -> usize {
    test.service.deliver_due_notices().await.unwrap()
}

/// The deliveries to a receiver, the oldest first.
async fn deliveries(test: &TestService, webhook: &WebhookRecord) -> Vec<Delivery> {
    let listed = test.service.list_deliveries(webhook.id, None, 200).await;
    let mut listed = listed.unwrap();
    listed.reverse();
    listed
}
