//! Mail leaves after the answer, from rows written in the transaction of what they tell about.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tenantry_core::{Email, Locale, OutboxId};
use tenantry_mail::{Envelope, Message, SendError, Transport};
use tenantry_store::control::DueMail;

use crate::service::Shared;
use crate::{Refusal, Service};

/// Tries before a mail is given up: with the pauses below, about three days.
const ATTEMPTS: i64 = 20;

/// The first and the longest pause between tries.
const PAUSES: (Duration, Duration) = (Duration::from_secs(10), Duration::from_hours(6));

/// A mail in the outbox.
#[derive(Serialize, Deserialize)]
pub(crate) struct Letter {
    /// Who gets it: the stored address, never one from a request.
    pub(crate) to: Email,
    /// In which language.
    pub(crate) locale: Locale,
    /// What it says.
    pub(crate) message: Message,
}

fn context(id: OutboxId) -> Vec<u8> {
    format!("outbox:{id}").into_bytes()
}

impl Shared {
    /// Seals a mail for its row.
    pub(crate) fn seal_letter(&self, id: OutboxId, letter: &Letter) -> Result<Vec<u8>, Refusal> {
        let plain =
            serde_json::to_vec(letter).map_err(Refusal::failed("a mail could not be written"))?;
        self.keyring
            .seal(&plain, &context(id), &self.entropy)
            .map_err(Refusal::failed("a mail could not be sealed"))
    }

    fn open_letter(&self, id: OutboxId, sealed: &[u8]) -> Result<Letter, Refusal> {
        let plain = self
            .keyring
            .open_sealed(sealed, &context(id))
            .map_err(Refusal::failed("a mail could not be unsealed"))?;
        serde_json::from_slice(plain.expose()).map_err(Refusal::failed("a mail could not be read"))
    }
}

/// The pause after that many tries.
fn pause(attempt: i64) -> Duration {
    let doublings = u32::try_from((attempt - 1).clamp(0, 12)).unwrap_or(0);
    PAUSES.0.saturating_mul(1 << doublings).min(PAUSES.1)
}

impl Service {
    /// Hands over every mail that is due; how many went out.
    pub async fn send_due_mail(&self) -> Result<usize, Refusal> {
        let mut sent = 0;
        loop {
            let now = self.clock().now();
            let mut tx = self.control().begin().await?;
            // Nobody else takes it meanwhile; should this process die, it is due again afterwards.
            let mail = tx
                .outbox()
                .claim(now, now + Transport::LONGEST_SEND * 2)
                .await?;
            tx.commit().await?;
            let Some(mail) = mail else { return Ok(sent) };
            // On the heap: a dialogue with a mail server is a large future.
            if Box::pin(self.send(mail)).await? {
                sent += 1;
            }
        }
    }

    async fn send(&self, mail: DueMail) -> Result<bool, Refusal> {
        let outcome = match self.shared().open_letter(mail.id, &mail.sealed) {
            Ok(letter) => {
                let envelope = Envelope {
                    id: mail.id,
                    to: letter.to,
                    from: self.settings().sender.clone(),
                    locale: letter.locale,
                    at: mail.created_at,
                    message: letter.message,
                };
                self.mail().send(&envelope).await
            }
            Err(refusal) => {
                tracing::error!(mail.id = %mail.id, error = %crate::refusal::Chain(&refusal), "a mail can't be read and is given up");
                let mut tx = self.control().begin().await?;
                tx.outbox()
                    .mark_failed(mail.id, self.clock().now(), "it could not be unsealed")
                    .await?;
                tx.commit().await?;
                return Ok(false);
            }
        };
        let now = self.clock().now();
        let mut tx = self.control().begin().await?;
        let sent = match outcome {
            Ok(()) => {
                tx.outbox().mark_sent(mail.id, now).await?;
                true
            }
            Err(error @ SendError::Retry(_)) if mail.attempt < ATTEMPTS => {
                tracing::warn!(mail.id = %mail.id, attempt = mail.attempt, error = %crate::refusal::Chain(&error), "a mail could not be handed over and is tried again");
                tx.outbox()
                    .defer(mail.id, now + pause(mail.attempt), &error.to_string())
                    .await?;
                false
            }
            Err(error) => {
                tracing::error!(mail.id = %mail.id, error = %crate::refusal::Chain(&error), "a mail is given up");
                tx.outbox()
                    .mark_failed(mail.id, now, &error.to_string())
                    .await?;
                false
            }
        };
        tx.commit().await?;
        Ok(sent)
    }
}
