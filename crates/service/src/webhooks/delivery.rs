//! Handing over what was written down, as often as it takes.
//!
//! Each receiver has a lane of its own, in which one notice goes after the other, and a lane that
//! meets a failure ends until the next look: whoever is slow or away holds up nobody else. A try is
//! one process's for as long as its claim lasts; what a slower one has to report is not noted.

use std::collections::HashMap;
use std::time::Duration;

use tenantry_core::{NoticeId, WebhookId};
use tenantry_store::control::{DueDelivery, WebhookRecord};
use tenantry_webhooks::{Deliverer, Notice, PostError};
use tokio::sync::watch;
use tokio::task::JoinSet;
use url::Url;

use crate::refusal::Chain;
use crate::{Refusal, Service};

/// How often due notices are looked for.
const TICK: Duration = Duration::from_millis(500);

/// Pauses between tries, about three days in all (the schedule that Standard Webhooks recommends).
const PAUSES: [Duration; 9] = [
    Duration::from_secs(5),
    Duration::from_mins(5),
    Duration::from_mins(30),
    Duration::from_hours(2),
    Duration::from_hours(5),
    Duration::from_hours(10),
    Duration::from_hours(14),
    Duration::from_hours(20),
    Duration::from_hours(24),
];

/// How far ahead a try may be: the longest of these, and a tenth.
pub(crate) const LATEST: Duration = Duration::from_hours(27);

/// What came of one try.
enum Try {
    /// It was taken.
    Delivered,
    /// It is tried again after this pause, because of this.
    Later(Duration, String),
    /// It never will be, because of this.
    GivenUp(String),
}

impl Service {
    /// Hands over every notice that is due, to all receivers at once; how many were taken, each
    /// counted by the try that decides.
    pub async fn deliver_due_notices(&self) -> Result<usize, Refusal> {
        let mut lanes = JoinSet::new();
        for receiver in self.due_receivers().await? {
            let service = self.clone();
            lanes.spawn(async move { service.lane(receiver).await });
        }
        let mut delivered = 0;
        for lane in lanes.join_all().await {
            delivered += lane?;
        }
        Ok(delivered)
    }

    /// Looks for due notices again and again until told to stop; what is in hand then is finished.
    pub(crate) async fn deliver_until(&self, mut stopped: watch::Receiver<bool>) {
        let mut lanes = JoinSet::new();
        let mut busy: HashMap<tokio::task::Id, WebhookId> = HashMap::new();
        while !*stopped.borrow() {
            match self.due_receivers().await {
                Ok(due) => {
                    for receiver in due {
                        if busy.values().all(|held| *held != receiver) {
                            let service = self.clone();
                            let lane = lanes.spawn(async move { service.lane(receiver).await });
                            busy.insert(lane.id(), receiver);
                        }
                    }
                }
                Err(error) => {
                    tracing::error!(error = %Chain(&error), "due notices could not be read and are looked for again");
                }
            }
            // Woken early to stop, or by the sender's end, which means the same.
            let _ = tokio::time::timeout(TICK, stopped.wait_for(|stop| *stop)).await;
            while let Some(ended) = lanes.try_join_next_with_id() {
                busy.remove(&ended_lane(ended));
            }
        }
        while let Some(ended) = lanes.join_next_with_id().await {
            ended_lane(ended);
        }
    }

    async fn due_receivers(&self) -> Result<Vec<WebhookId>, Refusal> {
        let now = self.clock().now();
        Ok(self
            .control()
            .read()
            .await?
            .webhooks()
            .list_due(now)
            .await?)
    }

    /// Hands over what is due for one receiver, until nothing is or one fails; how many were taken.
    async fn lane(&self, id: WebhookId) -> Result<usize, Refusal> {
        let mut delivered = 0;
        let found = self.control().read().await?.webhooks().lookup(id).await?;
        let Some(receiver) = found else { return Ok(0) };
        loop {
            let now = self.clock().now();
            let mut tx = self.control().begin().await?;
            // Nobody else takes it meanwhile; should this process die, it is due again afterwards.
            let until = now + Deliverer::LONGEST_POST * 2;
            let due = tx.webhooks().claim(id, now, until).await?;
            tx.commit().await?;
            let Some(due) = due else { return Ok(delivered) };
            if !self.deliver(&receiver, &due).await? {
                return Ok(delivered);
            }
            delivered += 1;
        }
    }

    /// Tries one delivery and notes what came of it; whether it was taken by this try.
    async fn deliver(&self, receiver: &WebhookRecord, due: &DueDelivery) -> Result<bool, Refusal> {
        let came_of_it = if let Some(body) = self.shared().open_notice(due).await? {
            match self.post(receiver, due.id, &body).await? {
                Ok(_) => Try::Delivered,
                Err(error) => self.failed(due, &error),
            }
        } else {
            tracing::error!(webhook.id = %due.webhook, notice.id = %due.id, "a notice can't be unsealed and is given up");
            Try::GivenUp("it could not be unsealed".to_owned())
        };
        let now = self.clock().now();
        let mut tx = self.control().begin().await?;
        let noted = match &came_of_it {
            Try::Delivered => tx.webhooks().mark_delivered(due, now).await?,
            Try::Later(pause, why) => tx.webhooks().defer(due, now + *pause, why).await?,
            Try::GivenUp(why) => tx.webhooks().mark_failed(due, now, why).await?,
        };
        tx.commit().await?;
        if !noted {
            tracing::warn!(webhook.id = %due.webhook, notice.id = %due.id, attempt = due.attempt, "a try of a notice ended after its time and is not noted: the notice was taken up again, or its webhook removed");
        }
        Ok(noted && matches!(came_of_it, Try::Delivered))
    }

    fn failed(&self, due: &DueDelivery, error: &PostError) -> Try {
        let why = Chain(error).to_string();
        let pause = usize::try_from(due.attempt - 1)
            .ok()
            .and_then(|past| PAUSES.get(past));
        match pause {
            Some(pause) if !error.is_final() => {
                tracing::warn!(webhook.id = %due.webhook, notice.id = %due.id, event = %due.event, attempt = due.attempt, error = why, "a notice was not taken and is tried again");
                Try::Later(self.jittered(*pause), why)
            }
            _ => {
                tracing::error!(webhook.id = %due.webhook, notice.id = %due.id, event = %due.event, attempt = due.attempt, error = why, "a notice is given up");
                Try::GivenUp(why)
            }
        }
    }

    /// Up to a tenth longer, so that what failed together does not come again together.
    fn jittered(&self, pause: Duration) -> Duration {
        let [drawn] = self.entropy().bytes::<1>();
        pause + pause.mul_f64(f64::from(drawn) / 2560.0)
    }

    /// Signs a notice and sends it once.
    pub(super) async fn post(
        &self,
        receiver: &WebhookRecord,
        id: NoticeId,
        body: &[u8],
    ) -> Result<Result<u16, PostError>, Refusal> {
        let url = Url::parse(&receiver.url)
            .map_err(Refusal::failed("a webhook's URL can't be read any more"))?;
        let id = id.to_string();
        let seconds = self.clock().now().seconds();
        let signature = self
            .webhook_secret(receiver)
            .await?
            .sign(&id, seconds, body);
        let notice = Notice {
            id: &id,
            seconds,
            signature: &signature,
            body,
        };
        Ok(self.settings().webhooks.post(&url, notice).await)
    }
}

type Ended = Result<(tokio::task::Id, Result<usize, Refusal>), tokio::task::JoinError>;

/// Which lane ended; what went wrong in it is logged.
fn ended_lane(ended: Ended) -> tokio::task::Id {
    match ended {
        Ok((id, Ok(_))) => id,
        Ok((id, Err(error))) => {
            tracing::error!(error = %Chain(&error), "notices could not be handed over and are tried again");
            id
        }
        Err(error) => {
            tracing::error!(%error, "handing over notices broke off and is taken up again");
            error.id()
        }
    }
}
