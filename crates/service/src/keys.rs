//! Exchanging keys while everything goes on: the key that signs access tokens, by schedule or when
//! somebody says so, and the key that stored values are sealed with, when somebody says so.
//!
//! Both live in the control database, so that any process may exchange them and all follow
//! (`keyring.rs`). Each change is one transaction whose first statement raises their number, and that
//! at most one key signs, one will, and one seals is said by unique indexes: of many who exchange at
//! once, one does. The master key is not exchanged: the hashes of the directory, codes, tokens and
//! the audit's chain come from it too.

mod damaged;
mod resealing;
mod sealing;
mod signing;

use std::time::Duration;

use tenantry_core::Timestamp;
use tenantry_core::keys::{OPENED_AFTER, SealingState, SigningState};
use tenantry_core::marks::Topic;
use tenantry_store::control::SealedSigningKey;

use crate::{Refusal, Service};

pub use damaged::DamagedValues;
pub use sealing::SealingRotation;
pub use signing::SigningRotation;

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// Signing access tokens.
    Signing,
    /// Sealing what is stored.
    Sealing,
}

impl KeyKind {
    /// As it is shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Signing => "signing",
            Self::Sealing => "sealing",
        }
    }
}

/// A key as it is shown: nothing of it is secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyView {
    /// What it is for.
    pub kind: KeyKind,
    /// Its name: of a signing key the `kid` of its tokens, of a sealing key the id that stands with
    /// each value.
    pub id: String,
    /// Where it stands: `next`, `active`, `retiring`, `retired`.
    pub state: &'static str,
    /// Since when.
    pub since: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its state changes by itself, at the earliest; `None` where it does not, as that of a
    /// sealing key which values name.
    pub until: Option<Timestamp>,
    /// How many values name a sealing key that seals no more: it stays for as long as any does.
    pub values: Option<usize>,
}

/// When a signing key's state changes by itself.
fn changes_at(key: &SealedSigningKey, rotate: Option<Duration>) -> Option<Timestamp> {
    match key.state.next() {
        Some((_, after)) => Some(key.since + after),
        None => rotate
            .filter(|_| key.state == SigningState::Active)
            .map(|after| key.since + after),
    }
}

impl Service {
    /// Every key, the oldest first: those that sign, then those that seal.
    pub async fn list_keys(&self) -> Result<Vec<KeyView>, Refusal> {
        let mut tx = self.control().read().await?;
        let signing = tx.keys().list_signing_keys().await?;
        let sealing = tx.keys().list_data_keys().await?;
        let rotate = self.settings().rotate_signing;
        let signing = signing.into_iter().map(|key| KeyView {
            until: changes_at(&key, rotate),
            kind: KeyKind::Signing,
            id: key.kid,
            state: key.state.as_str(),
            since: key.since,
            created_at: key.created_at,
            values: None,
        });
        let mut keys: Vec<KeyView> = signing.collect();
        for key in sealing {
            let values = match key.state {
                SealingState::Retiring => Some(self.count_naming(&mut tx, key.id).await?),
                SealingState::Active => None,
            };
            keys.push(KeyView {
                kind: KeyKind::Sealing,
                id: key.id.to_string(),
                state: key.state.as_str(),
                since: key.since,
                created_at: key.created_at,
                until: (values == Some(0)).then(|| key.since + OPENED_AFTER),
                values,
            });
        }
        Ok(keys)
    }

    /// Reads the keys anew where another process changed them; whether one did.
    pub async fn follow_keys(&self) -> Result<bool, Refusal> {
        self.keyring()
            .follow()
            .await
            .map_err(Refusal::failed("the keys could not be read anew"))
    }

    /// Takes up here what this process changed about the keys that sign, and tells others to do so.
    pub(crate) async fn keys_changed(&self) -> Result<(), Refusal> {
        self.node().note_keys_changed();
        // Whoever hears of everything looks at the keys too.
        self.control().changes().tell(Topic::Everything);
        self.follow_keys().await.map(drop)
    }

    /// Does what is due about keys: begins the exchange of a signing key that is old enough, carries
    /// on one that was begun, seals anew what an exchange left. How much there was to do.
    pub async fn look_after_keys(&self) -> Result<usize, Refusal> {
        let changed = self.look_after_signing_keys().await?;
        Ok(changed + Box::pin(self.look_after_sealed()).await?)
    }
}
