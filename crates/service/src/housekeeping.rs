//! What is done now and then, without anybody asking. None of it makes anything safe: what is
//! cleared up here has long stopped counting.

use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::audit::ABANDONED;
use crate::refusal::Chain;
use crate::{Refusal, Service};

/// How often due work is looked for. A run or a mail recorded by this process starts at once;
/// this is for what another process recorded, or left.
const TICK: Duration = Duration::from_millis(500);

/// How often what has run out is forgotten.
const SWEEP: Duration = Duration::from_mins(1);

/// How often incomplete tenants are looked for, which is one statement on the control database.
const WATCH: Duration = Duration::from_mins(1);

/// How often each part is looked at, for the metrics: as often as those are usually asked for.
const PARTS: Duration = Duration::from_secs(15);

/// How often is asked whether another process changed keys, which is one row of the control
/// database: twice in the time for which keys count that nobody looked at (`keyring.rs`).
const FOLLOW: Duration = Duration::from_millis(500);

/// How often is asked whether a pass of the reconciler is due (`Settings::reconcile`).
const TURN: Duration = Duration::from_secs(30);

/// How long what has run out is kept, so that a late visitor is told that it ended. A mail that was
/// given up is kept as long, for an operator who sees to the reason; then its content goes with the
/// row. No link in a mail counts longer (`Purpose::lifetime`).
const KEEP: Duration = Duration::from_hours(7 * 24);

/// How long what is in hand may take once the process is to stop.
const LAST: Duration = Duration::from_secs(5);

/// Due workflows taken up in one go.
const RUNS: i64 = 16;

/// Runs driven at the same time.
const AT_ONCE: usize = 4;

impl Service {
    /// Works in the background until `stop` resolves: workflows, mail, clearing up, comparing. Each goes its
    /// own way, so that a slow mail server holds up no tenant. What is in hand then is finished, if
    /// that takes no longer than [`LAST`]; what is cut off is taken up again later.
    pub async fn work(&self, stop: impl Future<Output = ()>) {
        let (stopping, stopped) = watch::channel(false);
        // On the heap: all that is done in the background together is a large future.
        let mut looked_after = Box::pin(async {
            tokio::join!(
                every(TICK, "workflows", stopped.clone(), || self
                    .run_due_workflows()),
                every(TICK, "mail", stopped.clone(), || self.send_due_mail()),
                self.deliver_until(stopped.clone()),
                self.seal_until(stopped.clone()),
                every(SWEEP, "sweeping", stopped.clone(), || self.sweep()),
                every(WATCH, "watching", stopped.clone(), || self
                    .watch_incomplete()),
                every(PARTS, "watching the parts", stopped.clone(), || Box::pin(
                    self.watch_parts()
                )),
                every(TURN, "reconciling", stopped.clone(), || Box::pin(
                    self.reconcile()
                )),
                every(FOLLOW, "following keys", stopped.clone(), || async {
                    self.follow_keys().await.map(usize::from)
                }),
                every(SWEEP, "keys", stopped.clone(), || Box::pin(
                    self.look_after_keys()
                )),
                every(crate::nodes::BEAT, "serving", stopped.clone(), || self
                    .beat()),
                every(TICK, "clearing caches", stopped.clone(), || self
                    .answer_clearings()),
                until(stopped.clone(), self.tell_others()),
                until(stopped.clone(), self.hear_others()),
                every(SWEEP, "domains", stopped.clone(), || Box::pin(
                    self.look_after_domains()
                )),
                every(SWEEP, "credentials", stopped.clone(), || Box::pin(
                    self.look_after_credentials()
                )),
            )
        });
        tokio::select! {
            () = stop => {}
            _ = &mut looked_after => return,
        }
        // The receivers are here, so there is somebody to tell.
        let _ = stopping.send(true);
        let _ = tokio::time::timeout(LAST, looked_after).await;
        note("leaving", self.leave().await);
    }

    /// Drives every run that is due, several at once; how many there were.
    pub async fn run_due_workflows(&self) -> Result<usize, Refusal> {
        let due = self.engine().list_due(RUNS).await?;
        let mut runs = JoinSet::new();
        let count = due.len();
        for id in due {
            if runs.len() >= AT_ONCE {
                finished(runs.join_next().await);
            }
            let service = self.clone();
            runs.spawn(async move {
                service
                    .engine()
                    .run(id)
                    .await
                    .map(drop)
                    .map_err(Refusal::from)
            });
        }
        while let Some(run) = runs.join_next().await {
            finished(Some(run));
        }
        Ok(count)
    }

    /// Forgets what has run out, closes what is idle, purges what is due.
    pub async fn sweep(&self) -> Result<usize, Refusal> {
        // First: what is forgotten below is told by the same dates.
        note("putting dates right", self.put_dates_right().await);
        let now = self.clock().now();
        let mut tx = self.control().begin().await?;
        tx.sessions().remove_expired(now - KEEP).await?;
        tx.one_time().remove_expired(now - KEEP).await?;
        tx.throttle().remove_before(now - KEEP).await?;
        tx.outbox().remove_done(now - KEEP).await?;
        tx.webhooks().remove_done(now - KEEP).await?;
        tx.idempotency().remove_before(now - KEEP).await?;
        let answers = now - crate::idempotency::KEPT;
        tx.idempotency().remove_answers_before(answers).await?;
        tx.nodes().remove_old(KEEP, now).await?;
        tx.audit().abandon(now - ABANDONED).await?;
        tx.commit().await?;
        note("forgetting sessions", self.sweep_sessions(now - KEEP).await);
        // Each for itself: what one of them meets keeps none of the others from its work.
        note("pruning the audit", self.prune_audit().await);
        note("clearing applications", self.sweep_applications().await);
        note("purging what is due", self.purge_due().await);
        self.facts().forget_unused();
        Ok(self.pools().close_idle().await)
    }
}

fn note<T>(what: &str, outcome: Result<T, Refusal>) {
    if let Err(error) = outcome {
        tracing::error!(what, error = %Chain(&error), "background work failed and is tried again");
    }
}

/// Does something again and again, with a pause between, until told to stop.
async fn every<F: Future<Output = Result<usize, Refusal>>>(
    pause: Duration,
    what: &str,
    mut stopped: watch::Receiver<bool>,
    mut work: impl FnMut() -> F,
) {
    while !*stopped.borrow() {
        match work().await {
            Ok(0) => {}
            Ok(count) => tracing::debug!(what, count, "background work done"),
            Err(error) => {
                tracing::error!(what, error = %Chain(&error), "background work failed and is tried again");
            }
        }
        // Woken early to stop, or by the sender's end, which means the same.
        let _ = tokio::time::timeout(pause, stopped.wait_for(|stop| *stop)).await;
    }
}

/// Does something that has no end of its own, until told to stop.
async fn until(mut stopped: watch::Receiver<bool>, work: impl Future<Output = ()>) {
    tokio::select! {
        _ = stopped.wait_for(|stop| *stop) => {}
        () = work => {}
    }
}

fn finished(run: Option<Result<Result<(), Refusal>, tokio::task::JoinError>>) {
    match run {
        None | Some(Ok(Ok(()))) => {}
        Some(Ok(Err(error))) => {
            tracing::error!(error = %Chain(&error), "a workflow could not be driven and is tried again");
        }
        Some(Err(error)) => tracing::error!(%error, "a workflow broke off and is taken up again"),
    }
}
