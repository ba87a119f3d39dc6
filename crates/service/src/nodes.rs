//! Many processes over one control database: who serves, and what each tells the others.
//!
//! Nothing here makes anything safe. What a node keeps in memory counts for less than a second
//! ([`crate::facts::BOUND`]); that it is told of a change brings that down to milliseconds.

mod channel;
mod clearing;

use std::time::Duration;

use tenantry_core::marks::Topic;
use tenantry_core::{Clock, Entropy, InstanceId};
use tenantry_store::Changes;
use tokio::sync::Mutex;
use tokio::sync::mpsc::UnboundedReceiver;
use uuid::Uuid;

use crate::facts::BOUND;
use crate::{Refusal, Service};

pub use channel::Channel;
use channel::Hearing;
pub use clearing::CachesCleared;

/// How often a process notes that it serves.
pub(crate) const BEAT: Duration = Duration::from_secs(10);

/// After how long without a note a process counts as gone: three were missed.
const GONE: Duration = Duration::from_secs(35);

/// This process among those that share the control database.
pub(crate) struct Node {
    id: InstanceId,
    /// What tells this installation from others that share a Redis.
    installation: Uuid,
    /// What was changed here and is yet to be told to others.
    outgoing: Mutex<UnboundedReceiver<Topic>>,
    hearing: Hearing,
}

impl Node {
    pub(crate) fn new(
        changes: &Changes,
        installation: Uuid,
        clock: &Clock,
        entropy: &Entropy,
    ) -> Self {
        Self {
            id: InstanceId::generate(clock, entropy),
            installation,
            outgoing: Mutex::new(changes.carry()),
            hearing: Hearing::default(),
        }
    }

    /// The channel in Redis.
    fn channel(&self) -> String {
        format!("tenantry:{}:changes", self.installation)
    }
}

impl Service {
    /// Notes that this process serves, and says so.
    pub(crate) async fn beat(&self) -> Result<usize, Refusal> {
        let now = self.clock().now();
        let mut tx = self.control().begin().await?;
        tx.nodes().mark_seen(self.node().id, now).await?;
        tx.commit().await?;
        self.tell(&[]).await;
        Ok(0)
    }

    /// Waits until what this process changed counts in every other that serves, for a command that is
    /// about to end: whoever runs it finds it done everywhere. That takes half a second at the most,
    /// and nothing where nobody serves or nothing was changed that requests are judged by.
    pub async fn settle_everywhere(&self) -> Result<(), Refusal> {
        self.tell_the_rest().await;
        let Some(told) = self.control().changes().last_told() else {
            return Ok(());
        };
        let since = self.clock().now() - GONE;
        let mut tx = self.control().read().await?;
        let others = tx.nodes().count_others(self.node().id, since).await?;
        drop(tx);
        if others > 0 {
            tokio::time::sleep(BOUND.saturating_sub(told.elapsed())).await;
        }
        Ok(())
    }

    /// Notes that this process serves no more.
    pub(crate) async fn leave(&self) -> Result<(), Refusal> {
        let mut tx = self.control().begin().await?;
        tx.nodes().remove(self.node().id).await?;
        tx.commit().await?;
        Ok(())
    }
}
