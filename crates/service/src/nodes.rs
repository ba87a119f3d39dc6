//! Many processes over one control database: who serves, and what each tells the others.
//!
//! Nothing here makes anything safe. What a node keeps in memory counts for less than a second
//! ([`crate::facts::BOUND`]); that it is told of a change brings that down to milliseconds.

mod caches;
mod channel;

use std::sync::{Mutex as Held, PoisonError};
use std::time::Duration;

use tenantry_core::marks::Topic;
use tenantry_core::{Clock, Entropy, InstanceId};
use tenantry_store::Changes;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::{Mutex, Notify};
use uuid::Uuid;

use crate::facts::BOUND;
use crate::keyring::COUNT;
use crate::moment::Moment;
use crate::{Refusal, Service};

pub use caches::CachesCleared;
pub use channel::Channel;
use channel::Hearing;

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
    /// That another process may have changed keys.
    keys_said: Notify,
    /// When this one did.
    keys_changed: Held<Option<Moment>>,
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
            keys_said: Notify::new(),
            keys_changed: Held::new(None),
        }
    }

    /// Notes that this process changed the keys that sign, after the commit.
    pub(crate) fn note_keys_changed(&self) {
        *self
            .keys_changed
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(Moment::now());
    }

    /// How long it takes from now on until every process signs and verifies by the keys that this one
    /// left, heard of or not.
    fn keys_settle_in(&self) -> Duration {
        let changed = *self
            .keys_changed
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        changed.map_or(Duration::ZERO, |at| COUNT.saturating_sub(at.elapsed()))
    }

    /// The channel in Redis.
    fn channel(&self) -> String {
        format!("tenantry:{}:changes", self.installation)
    }
}

impl Service {
    /// Notes that this process serves, and says so; and looks where the others have sessions.
    pub(crate) async fn beat(&self) -> Result<usize, Refusal> {
        let now = self.clock().now();
        let mut tx = self.control().begin().await?;
        tx.nodes().mark_seen(self.node().id, now).await?;
        tx.commit().await?;
        self.follow_sessions().await?;
        self.tell(&[]).await;
        Ok(0)
    }

    /// Waits until what this process changed counts in every other that serves, for a command that is
    /// about to end: whoever runs it finds it done everywhere. That takes half a second at the most, a
    /// second where keys were changed, and nothing where nobody serves or nothing was changed that
    /// requests are judged by.
    pub async fn settle_everywhere(&self) -> Result<(), Refusal> {
        self.tell_the_rest().await;
        let Some(told) = self.control().changes().last_told() else {
            return Ok(());
        };
        let now = self.clock().now();
        let mut tx = self.control().read().await?;
        let others = tx.nodes().count_others(self.node().id, GONE, now).await?;
        drop(tx);
        if others > 0 {
            let facts = BOUND.saturating_sub(told.elapsed());
            tokio::time::sleep(facts.max(self.node().keys_settle_in())).await;
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
