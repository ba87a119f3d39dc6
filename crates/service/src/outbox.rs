//! Mail leaves after the answer, from rows written in the transaction of what they tell about.
//!
//! A try is one sender's for as long as its claim lasts. What a slower one has to report about a
//! mail that was taken up again is logged and not noted: the later try decides.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tenantry_core::{Email, Locale, OutboxId, TenantId};
use tenantry_mail::{Envelope, Message, SendError, Transport};
use tenantry_store::ControlTx;
use tenantry_store::control::DueMail;

use crate::keyring::UnsealError;
use crate::refusal::Chain;
use crate::registration::Expiring;
use crate::service::Shared;
use crate::throttle::Locked;
use crate::wanted::Wanted;
use crate::{Refusal, Service};

/// Tries before a mail is given up: with the pauses below, about three days.
const ATTEMPTS: i64 = 20;

/// The first and the longest pause between tries.
const PAUSES: (Duration, Duration) = (Duration::from_secs(10), Duration::from_hours(6));

/// How far ahead a row may be due: what is noted about registrations is looked at up to an hour after
/// they have run out, which takes them a day. No pause and no claim is longer.
pub(crate) const LATEST: Duration = Duration::from_hours(25);

/// What a row of the outbox holds.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Posting {
    /// A mail that is written.
    Letter(Letter),
    /// A mail somebody asked for, which is yet to be written.
    Wanted(Wanted),
    /// An account that was locked; a notice, if it is so still.
    Locked(Locked),
    /// Registrations that have run out, to be forgotten; never a mail.
    Expiring(Expiring),
}

/// Mails handed over at the same time.
const LANES: usize = 4;

/// How long a wish for a mail is worth anything: whoever waits this long has asked again.
const WORTH: Duration = Duration::from_hours(1);

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

pub(crate) fn context(id: OutboxId) -> Vec<u8> {
    format!("outbox:{id}").into_bytes()
}

impl Shared {
    /// Seals a mail for its row.
    pub(crate) fn seal_letter(&self, id: OutboxId, letter: &Letter) -> Result<Vec<u8>, Refusal> {
        self.seal_posting(id, letter)
    }

    /// Seals a mail that is yet to be written.
    pub(crate) fn seal_wanted(&self, id: OutboxId, wanted: &Wanted) -> Result<Vec<u8>, Refusal> {
        self.seal_posting(id, wanted)
    }

    /// Seals the note that an account was locked.
    pub(crate) fn seal_locked(&self, id: OutboxId, locked: &Locked) -> Result<Vec<u8>, Refusal> {
        self.seal_posting(id, locked)
    }

    /// Seals the note that registrations will have run out.
    pub(crate) fn seal_expiring(&self, id: OutboxId, note: &Expiring) -> Result<Vec<u8>, Refusal> {
        self.seal_posting(id, note)
    }

    fn seal_posting(&self, id: OutboxId, posting: &impl Serialize) -> Result<Vec<u8>, Refusal> {
        let plain =
            serde_json::to_vec(posting).map_err(Refusal::failed("a mail could not be written"))?;
        self.keyring
            .seal(&plain, &context(id), &self.entropy)
            .map_err(Refusal::failed("a mail could not be sealed"))
    }

    async fn open_posting(&self, id: OutboxId, sealed: &[u8]) -> Result<Posting, Try> {
        let given_up = |error: &(dyn std::error::Error + 'static)| {
            tracing::error!(mail.id = %id, error = %Chain(error), "a mail can't be read and is given up");
            Try::GivenUp("it could not be unsealed".to_owned())
        };
        match self.keyring.open_sealed(sealed, &context(id)).await {
            Ok(plain) => serde_json::from_slice(plain.expose()).map_err(|error| given_up(&error)),
            Err(error @ UnsealError::Keys(_)) => Err(Try::Later(Chain(&error).to_string())),
            Err(error @ UnsealError::Sealed(_)) => Err(given_up(&error)),
        }
    }
}

/// The pause after that many tries.
fn pause(attempt: i64) -> Duration {
    let doublings = u32::try_from((attempt - 1).clamp(0, 12)).unwrap_or(0);
    PAUSES.0.saturating_mul(1 << doublings).min(PAUSES.1)
}

/// What came of one try.
enum Try {
    /// It was handed over.
    Sent,
    /// It is tried again, because of this.
    Later(String),
    /// It never will be, because of this.
    GivenUp(String),
}

impl Try {
    const fn as_str(&self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Later(_) => "put off",
            Self::GivenUp(_) => "given up",
        }
    }
}

impl Service {
    /// Puts a mail into the outbox; it leaves with what else the transaction does.
    pub(crate) async fn post_mail(
        &self,
        tx: &mut ControlTx,
        tenant: Option<TenantId>,
        letter: &Letter,
    ) -> Result<(), Refusal> {
        let id = OutboxId::generate(self.clock(), self.entropy());
        let sealed = self.shared().seal_letter(id, letter)?;
        tx.outbox()
            .add(id, tenant, &sealed, self.clock().now())
            .await?;
        Ok(())
    }

    /// Hands over every mail that is due; how many went out, each counted by the try that decides. A
    /// few at once, so that one tenant's trouble, or one slow dialogue, holds up not everybody's.
    pub async fn send_due_mail(&self) -> Result<usize, Refusal> {
        let lanes = (0..LANES).map(|_| Box::pin(self.send_along()));
        let mut sent = 0;
        for lane in futures_util::future::join_all(lanes).await {
            sent += lane?;
        }
        Ok(sent)
    }

    async fn send_along(&self) -> Result<usize, Refusal> {
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
            if self.send(mail).await? {
                sent += 1;
            }
        }
    }

    /// Tries one mail and notes what came of it; whether it went out by this try.
    async fn send(&self, mail: DueMail) -> Result<bool, Refusal> {
        let came_of_it = match self.shared().open_posting(mail.id, &mail.sealed).await {
            // On the heap: a dialogue with a mail server is a large future.
            Ok(Posting::Letter(letter)) => Box::pin(self.hand_over(&mail, letter)).await,
            Ok(wish) => match Box::pin(self.write(&mail, &wish)).await {
                Ok(()) => return Ok(false),
                Err(came_of_it) => came_of_it,
            },
            Err(came_of_it) => came_of_it,
        };
        let now = self.clock().now();
        let claim = mail.claim();
        let mut tx = self.control().begin().await?;
        let noted = match &came_of_it {
            Try::Sent => tx.outbox().mark_sent(claim, now).await?,
            Try::Later(error) => {
                let until = now + pause(mail.attempt);
                tx.outbox().defer(claim, until, error).await?
            }
            Try::GivenUp(error) => tx.outbox().mark_failed(claim, now, error).await?,
        };
        tx.commit().await?;
        if !noted {
            tracing::warn!(mail.id = %mail.id, attempt = mail.attempt, outcome = came_of_it.as_str(), "a try of a mail ended after its time and is not noted: the mail was taken up again or taken out");
        }
        Ok(noted && matches!(came_of_it, Try::Sent))
    }

    /// Writes the mail that somebody asked for, if there is one to write, in place of the wish.
    async fn write(&self, mail: &DueMail, wish: &Posting) -> Result<(), Try> {
        let later = |refusal: Refusal| {
            if mail.created_at + WORTH < self.clock().now() {
                tracing::error!(mail.id = %mail.id, error = %Chain(&refusal), "a mail that was asked for could not be written and is given up");
                return Try::GivenUp(refusal.to_string());
            }
            tracing::warn!(mail.id = %mail.id, error = %Chain(&refusal), "a mail that was asked for can't be written now and is tried again");
            Try::Later(refusal.to_string())
        };
        let written = match wish {
            Posting::Wanted(wanted) => self.write_wanted(wanted).await,
            Posting::Locked(locked) => self.write_locked(locked).await,
            Posting::Expiring(note) => self.forget_expired(note).await.map(|()| None),
            Posting::Letter(_) => return Ok(()),
        };
        let written = written.map_err(later)?;
        let noted = async {
            let now = self.clock().now();
            let mut tx = self.control().begin().await?;
            // Of two who wrote it, the one whose claim still holds posts it: what the other put
            // into the tenant's database has taken the place of what this mail holds, or the other
            // way round, and the newest mail is the one that is good.
            if tx.outbox().mark_sent(mail.claim(), now).await?
                && let Some((tenant, letter)) = written
            {
                self.post_mail(&mut tx, tenant, &letter).await?;
            }
            tx.commit().await?;
            Ok::<_, Refusal>(())
        };
        noted.await.map_err(later)
    }

    async fn hand_over(&self, mail: &DueMail, letter: Letter) -> Try {
        let envelope = Envelope {
            id: mail.id,
            to: letter.to,
            from: self.settings().sender.clone(),
            locale: letter.locale,
            at: mail.created_at,
            message: letter.message,
        };
        match self.mail().send(&envelope).await {
            Ok(()) => Try::Sent,
            Err(error @ SendError::Retry(_)) if mail.attempt < ATTEMPTS => {
                tracing::warn!(mail.id = %mail.id, attempt = mail.attempt, error = %Chain(&error), "a mail could not be handed over and is tried again");
                Try::Later(error.to_string())
            }
            Err(error) => {
                tracing::error!(mail.id = %mail.id, error = %Chain(&error), "a mail is given up");
                Try::GivenUp(error.to_string())
            }
        }
    }
}
