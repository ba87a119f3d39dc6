//! Exchanging the key that signs access tokens.
//!
//! A new key is published first and signs ten minutes later; the old one stays published for another
//! fifteen. So nobody who verifies, here or in an application, meets a token of a key he had no time
//! to fetch, and no token ends before its time. A key that somebody else may have is taken out at
//! once instead: what it signed is refused from then on, and whoever held such a token refreshes.

use tenantry_core::Timestamp;
use tenantry_core::keys::{DATED_AHEAD, PUBLISHED_BEFORE, REMEMBERED, SigningState};
use tenantry_store::ControlTx;
use tenantry_store::control::SealedSigningKey;

use super::changes_at;
use crate::{Refusal, Service};

/// What came of exchanging the signing key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningRotation {
    /// The name of the new key.
    pub kid: String,
    /// Where it stands: it signs, or it will.
    pub state: SigningState,
    /// From when on it signs.
    pub signs_at: Timestamp,
    /// Whether it was made for this; `false` where an exchange was under way.
    pub made: bool,
    /// Keys that were taken out at once.
    pub revoked: u64,
}

fn there(keys: &[SealedSigningKey], state: SigningState) -> Result<&SealedSigningKey, Refusal> {
    let found = keys.iter().find(|key| key.state == state);
    found.ok_or_else(|| {
        Refusal::failed("the signing keys are not as they were left")(format!(
            "there is no key in state {state}"
        ))
    })
}

impl Service {
    /// Begins to exchange the signing key: a new one is published, and signs in ten minutes. Where
    /// an exchange is under way, that one is told.
    pub async fn rotate_signing_key(&self) -> Result<SigningRotation, Refusal> {
        let key = self.draw_signing_key(SigningState::Next)?;
        let mut tx = self.control().begin().await?;
        tx.keys().raise_version().await?;
        let redated = redate(&mut tx, self.clock().now()).await?;
        let made = tx.keys().add_signing_key(&key).await?;
        let keys = tx.keys().list_signing_keys().await?;
        if made || redated > 0 {
            tx.commit().await?;
            self.keys_changed().await?;
        } else {
            drop(tx);
            self.follow_keys().await?;
        }
        let next = there(&keys, SigningState::Next)?;
        if made {
            tracing::info!(key.id = %next.kid, "a new signing key is published and signs in ten minutes");
        }
        Ok(SigningRotation {
            kid: next.kid.clone(),
            state: next.state,
            signs_at: next.since + PUBLISHED_BEFORE,
            made,
            revoked: 0,
        })
    }

    /// Takes every signing key out at once and signs with a new one: for a key that somebody else may
    /// have. What they signed is refused by each process within a second, and by applications that
    /// keep the public keys within five minutes. Whatever happened to the keys meanwhile, none of
    /// before stays: of two who do this at once, the later takes out the key of the other.
    pub async fn replace_signing_key(&self) -> Result<SigningRotation, Refusal> {
        let key = self.draw_signing_key(SigningState::Active)?;
        let mut tx = self.control().begin().await?;
        tx.keys().raise_version().await?;
        let revoked = tx.keys().revoke_signing_keys(self.clock().now()).await?;
        if !tx.keys().add_signing_key(&key).await? {
            return Err(Refusal::failed("a signing key could not be replaced")(
                "another one signs although all were taken out".to_owned(),
            ));
        }
        tx.commit().await?;
        self.keys_changed().await?;
        tracing::warn!(key.id = %key.kid, revoked, "every signing key was taken out, and a new one signs");
        Ok(SigningRotation {
            kid: key.kid,
            state: key.state,
            signs_at: key.since,
            made: true,
            revoked,
        })
    }

    fn draw_signing_key(&self, state: SigningState) -> Result<SealedSigningKey, Refusal> {
        self.keyring()
            .draw_signing_key(state, self.clock(), self.entropy())
            .map_err(Refusal::failed("a signing key could not be made"))
    }

    /// Begins what is due by schedule, and carries on what was begun; how many keys changed.
    pub(super) async fn look_after_signing_keys(&self) -> Result<usize, Refusal> {
        let now = self.clock().now();
        let rotate = self.settings().rotate_signing;
        let due = |key: &SealedSigningKey| {
            changes_at(key, rotate).is_some_and(|at| at <= now)
                || key.since > now + DATED_AHEAD
                || (key.state == SigningState::Retired && key.since + REMEMBERED < now)
        };
        let mut tx = self.control().read().await?;
        let keys = tx.keys().list_signing_keys().await?;
        drop(tx);
        if !keys.iter().any(due) {
            return Ok(0);
        }
        let mut tx = self.control().begin().await?;
        tx.keys().raise_version().await?;
        // What is put right here has its whole time before it.
        let mut changed = redate(&mut tx, now).await?;
        // Another process may have done it since.
        let keys = tx.keys().list_signing_keys().await?;
        let mut begins = false;
        for key in keys.iter().filter(|key| due(key)) {
            match key.state {
                SigningState::Next => changed += promote(&mut tx, &keys, key, now).await?,
                SigningState::Retiring => {
                    let to = SigningState::Retired;
                    changed += usize::from(tx.keys().change_signing_state(key, to, now).await?);
                    tracing::info!(key.id = %key.kid, "a signing key is retired: what it signed has run out");
                }
                SigningState::Active => {
                    begins = keys.iter().all(|key| key.state != SigningState::Next);
                }
                SigningState::Retired => {
                    let forgotten = tx.keys().remove_retired(now - REMEMBERED).await?;
                    changed += usize::from(forgotten > 0);
                }
            }
        }
        if changed > 0 {
            tx.commit().await?;
            self.keys_changed().await?;
        } else {
            drop(tx);
        }
        if begins && self.rotate_signing_key().await?.made {
            self.note_own_act("key.rotate", None).await;
            changed += 1;
        }
        Ok(changed)
    }
}

/// Puts the dates right that a clock which was wrong wrote far ahead; how many. What is to follow would
/// wait until then, be it a key that is to sign or one that is to go.
async fn redate(tx: &mut ControlTx, now: Timestamp) -> Result<usize, Refusal> {
    let redated = tx
        .keys()
        .redate_signing_keys(now + DATED_AHEAD, now)
        .await?;
    if redated > 0 {
        tracing::warn!(
            keys = redated,
            "signing keys were dated ahead by a clock that was wrong; their time begins now"
        );
    }
    Ok(usize::try_from(redated).unwrap_or(usize::MAX))
}

/// Lets the next key sign, and the one before it nothing more.
async fn promote(
    tx: &mut ControlTx,
    keys: &[SealedSigningKey],
    next: &SealedSigningKey,
    now: Timestamp,
) -> Result<usize, Refusal> {
    // First the one before: at most one key signs.
    if let Some(before) = keys.iter().find(|key| key.state == SigningState::Active) {
        let to = SigningState::Retiring;
        tx.keys().change_signing_state(before, to, now).await?;
    }
    let to = SigningState::Active;
    let promoted = tx.keys().change_signing_state(next, to, now).await?;
    tracing::info!(key.id = %next.kid, "the next signing key signs");
    Ok(usize::from(promoted))
}
