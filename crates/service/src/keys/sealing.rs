//! Exchanging the key that stored values are sealed with.
//!
//! 1. In one transaction a new data key takes the place of the one that seals, which only opens from
//!    then on. Every process reads that within a second; until then it may go on sealing with the old
//!    one, which does no harm, since all open both. A value that names a key not known yet has the
//!    keys read at once (`Keyring::open_sealed`).
//! 2. All values that name another key than the one that seals are sealed anew (`resealing.rs`). What
//!    is left to do is what the values themselves say, so whoever comes after a crash goes on, and
//!    asking for an exchange once more finishes the one before. Where nothing but values that do not
//!    open is left of it, there is nothing to finish, and a new one begins.
//! 3. Whatever a late process sealed with the old key is found by housekeeping, which looks once a
//!    minute in the first hour and once an hour later.
//! 4. A day after step 1 the old key goes, if no value names it any more, which is seen in the transaction that
//!    removes it. The day is for values that are sealed and not yet written down when that looks: no
//!    transaction takes minutes, but a process can be stopped, or sleep with its machine. A value that
//!    does not open is left as it is, told, and keeps the key it names, and no other.

use std::time::Duration;

use tenantry_core::Timestamp;
use tenantry_core::keys::{DATED_AHEAD, OPENED_AFTER, SealingState};
use tenantry_store::control::SealedDataKey;
use uuid::Uuid;

use super::DamagedValues;
use super::resealing::Resealed;
use crate::{Refusal, Service};

/// How long after somebody began to seal anew, another does not: at first, and in general.
const PAUSES: (Duration, Duration) = (Duration::from_mins(1), Duration::from_hours(1));

/// What came of exchanging the sealing key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealingRotation {
    /// The id of the key that seals.
    pub id: Uuid,
    /// Whether it was made for this; `false` where an exchange that was begun before was finished.
    pub made: bool,
    /// Values that were sealed anew.
    pub resealed: usize,
    /// Values that do not open and were left as they are, by their kind.
    pub damaged: Vec<DamagedValues>,
    /// When the last of the keys before goes that no value names, at the earliest; `None` where there
    /// is none.
    pub gone_at: Option<Timestamp>,
    /// Keys before that stay for as long as values name them.
    pub kept: Vec<Uuid>,
}

impl Service {
    /// Makes a new data key and seals everything with it, or finishes an exchange that was begun
    /// before. Tells meanwhile how many values of how many are done.
    pub async fn rotate_sealing_key(
        &self,
        mut progress: impl FnMut(usize, usize),
    ) -> Result<SealingRotation, Refusal> {
        let before = self.keyring().sealing_key();
        self.follow_keys().await?;
        let mut resealed = Resealed::default();
        if self.count_old_values().await? > 0 {
            resealed = self.seal_anew(&mut progress).await?;
        }
        // Somebody else exchanged it at this moment, or began to and did not finish. Values that do
        // not open are no sign of either: they will be there the next time too.
        let begun = self.keyring().sealing_key() != before || resealed.done > 0;
        let mut made = false;
        if !begun {
            made = self.make_data_key(before).await?;
            resealed = self.seal_anew(&mut progress).await?;
        }
        let (mut gone_at, mut kept) = (None, Vec::new());
        for key in self.retiring_data_keys().await? {
            if self.count_named(key.id).await? > 0 {
                kept.push(key.id);
            } else {
                gone_at = gone_at.max(Some(key.since + OPENED_AFTER));
            }
        }
        Ok(SealingRotation {
            id: self.keyring().sealing_key(),
            made,
            resealed: resealed.done,
            damaged: resealed.damaged,
            gone_at,
            kept,
        })
    }

    /// How many values name this data key.
    pub(super) async fn count_named(&self, key: Uuid) -> Result<usize, Refusal> {
        let mut tx = self.control().read().await?;
        self.count_naming(&mut tx, key).await
    }

    /// Puts a new data key in the place of the one that sealed `before`; `false` where somebody else did at
    /// this moment.
    async fn make_data_key(&self, before: Uuid) -> Result<bool, Refusal> {
        let key = self
            .keyring()
            .draw_data_key(self.clock(), self.entropy())
            .map_err(Refusal::failed("a sealing key could not be made"))?;
        let mut tx = self.control().begin().await?;
        tx.keys().raise_version().await?;
        let now = self.clock().now();
        let made =
            tx.keys().retire_data_key(before, now).await? && tx.keys().add_data_key(&key).await?;
        if made {
            tx.commit().await?;
            tracing::info!(key.id = %key.id, "a new sealing key is in use");
        } else {
            drop(tx);
        }
        self.follow_keys().await?;
        Ok(made)
    }

    async fn retiring_data_keys(&self) -> Result<Vec<SealedDataKey>, Refusal> {
        let mut tx = self.control().read().await?;
        let mut keys = tx.keys().list_data_keys().await?;
        keys.retain(|key| key.state == SealingState::Retiring);
        Ok(keys)
    }

    /// Seals anew what an exchange left, and removes keys that nothing names any more; how much there
    /// was to do.
    pub(super) async fn look_after_sealed(&self) -> Result<usize, Refusal> {
        let retiring = self.retiring_data_keys().await?;
        let Some(newest) = retiring.iter().map(|key| key.since).max() else {
            return Ok(0);
        };
        let now = self.clock().now();
        let young = now.since(newest) < PAUSES.1;
        let pause = if young { PAUSES.0 } else { PAUSES.1 };
        let mut tx = self.control().begin().await?;
        let mine = tx.keys().claim_resealing(pause, now).await?;
        if mine && newest > now + DATED_AHEAD {
            tx.keys().redate_data_keys(now + DATED_AHEAD, now).await?;
            tracing::warn!(
                "a sealing key was dated ahead by a clock that was wrong; it goes a day from now"
            );
        }
        tx.commit().await?;
        if !mine {
            return Ok(0);
        }
        self.follow_keys().await?;
        let resealed = self.seal_anew(&mut |_, _| ()).await?;
        let mut removed = 0;
        for key in retiring {
            if key.since + OPENED_AFTER <= now && self.remove_data_key(&key).await? {
                removed += 1;
            }
        }
        Ok(resealed.done + removed)
    }

    /// Removes a data key, if no value names it.
    async fn remove_data_key(&self, key: &SealedDataKey) -> Result<bool, Refusal> {
        let mut tx = self.control().begin().await?;
        tx.keys().raise_version().await?;
        if self.count_naming(&mut tx, key.id).await? > 0 {
            return Ok(false);
        }
        let removed = tx.keys().remove_data_key(key.id).await?;
        tx.commit().await?;
        self.follow_keys().await?;
        if removed {
            tracing::info!(key.id = %key.id, "a sealing key that nothing names any more is removed");
        }
        Ok(removed)
    }
}
