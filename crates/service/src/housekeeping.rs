//! What is done now and then, without anybody asking. None of it makes anything safe: what is
//! cleared up here has long stopped counting.

use std::time::Duration;

use crate::refusal::Chain;
use crate::{Refusal, Service};

/// How often due work is looked for. A run or a mail recorded by this process starts at once;
/// this is for what another process recorded, or left.
const TICK: Duration = Duration::from_millis(500);

/// How often what has run out is forgotten.
const SWEEP: Duration = Duration::from_mins(1);

/// How long what has run out is kept, so that a late visitor is told that it ended.
const KEEP: Duration = Duration::from_hours(7 * 24);

/// Due workflows taken up in one go.
const RUNS: i64 = 16;

impl Service {
    /// Works in the background until `stop` resolves: workflows, mail, clearing up.
    pub async fn work(&self, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        let mut swept = tokio::time::Instant::now();
        loop {
            report(
                "workflows",
                self.engine().run_due(RUNS).await.map_err(Refusal::from),
            );
            report("mail", self.send_due_mail().await);
            if swept.elapsed() >= SWEEP {
                swept = tokio::time::Instant::now();
                report("sweeping", self.sweep().await);
            }
            tokio::select! {
                () = &mut stop => return,
                () = tokio::time::sleep(TICK) => {}
            }
        }
    }

    /// Forgets what has run out, closes what is idle, purges what is due.
    pub async fn sweep(&self) -> Result<usize, Refusal> {
        let now = self.clock().now();
        let mut tx = self.control().begin().await?;
        tx.sessions().remove_expired(now - KEEP).await?;
        tx.one_time().remove_expired(now - KEEP).await?;
        tx.throttle().remove_before(now - KEEP).await?;
        tx.outbox().remove_sent(now - KEEP).await?;
        tx.idempotency().remove_before(now - KEEP).await?;
        tx.commit().await?;
        self.purge_due().await?;
        Ok(self.pools().close_idle().await)
    }
}

fn report(what: &str, result: Result<usize, Refusal>) {
    match result {
        Ok(0) => {}
        Ok(count) => tracing::debug!(what, count, "background work done"),
        Err(error) => {
            tracing::error!(what, error = %Chain(&error), "background work failed and is tried again")
        }
    }
}
