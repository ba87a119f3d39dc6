//! Opening the keys as they are stored, and making them on the first start.

use tenantry_core::keys::{SealingState, SigningState};
use tenantry_core::{Clock, Entropy};
use tenantry_keys::sealing::{DataKey, MasterKey, SealError, Sealer};
use tenantry_keys::signing::{SigningKey, VerifyingKey};
use tenantry_store::control::{InstanceRow, SealedDataKey, SealedSigningKey};
use tenantry_store::{Control, ControlTx};
use uuid::Uuid;

use super::{KeyringError, Keys};
use crate::Settings;

/// A value whose seal tells the right master key from a wrong one.
const KEY_CHECK: &[u8] = b"tenantry";

/// What that value is sealed for.
pub(crate) const KEY_CHECK_CONTEXT: &[u8] = b"instance";

/// What the seed of a signing key is sealed for.
pub(crate) fn signing_context(kid: &str) -> Vec<u8> {
    format!("signing:{kid}").into_bytes()
}

fn damaged<E: Into<Box<dyn std::error::Error + Send + Sync>>>(error: E) -> KeyringError {
    KeyringError::Damaged(error.into())
}

/// Opens the keys of an installation, or begins one.
pub(super) async fn open(
    control: &Control,
    master: &MasterKey,
    settings: &Settings,
    clock: &Clock,
    entropy: &Entropy,
) -> Result<Keys, KeyringError> {
    let mut tx = control.begin().await?;
    if tx.instance().find().await?.is_none() {
        begin_installation(&mut tx, master, settings, clock, entropy).await?;
    }
    // Begun now, before, or by another process at this very moment.
    let instance = tx.instance().find().await?;
    let instance = instance.ok_or(KeyringError::WrongMasterKey)?;
    if instance.email_uniqueness != settings.email_uniqueness {
        // Only once the key is the right one: a wrong key is the graver mistake.
        open_sealer(&mut tx, master, &instance).await?;
        return Err(KeyringError::Uniqueness {
            wanted: settings.email_uniqueness.as_str(),
            fixed: instance.email_uniqueness.as_str(),
        });
    }
    let (sealer, _) = open_sealer(&mut tx, master, &instance).await?;
    let signing = tx.keys().list_signing_keys().await?;
    if signing.iter().all(|key| key.state != SigningState::Active) {
        let sealed = draw_signing_key(&sealer, SigningState::Active, clock, entropy)?;
        if tx.keys().add_signing_key(&sealed).await? {
            tx.keys().raise_version().await?;
        }
    }
    let keys = read(&mut tx, master).await?;
    tx.commit().await?;
    Ok(keys)
}

/// The keys as they are stored.
pub(super) async fn read(tx: &mut ControlTx, master: &MasterKey) -> Result<Keys, KeyringError> {
    // In this order: what changes in between is newer than the version says, and read again; and a
    // data key is there before anything is sealed with it.
    let version = tx.keys().version().await?;
    let stored = tx.keys().list_signing_keys().await?;
    let (sealer, sealing) = read_sealer(tx, master).await?;
    let mut verifying = Vec::new();
    let mut signing = None;
    for key in stored.iter().filter(|key| key.state.verifies()) {
        verifying.push(VerifyingKey::from_bytes(&key.public_key).map_err(damaged)?);
        if key.state == SigningState::Active {
            let seed = key
                .sealed_seed
                .as_deref()
                .ok_or_else(|| damaged("the key that signs has no seed"))?;
            let seed = sealer
                .open(seed, &signing_context(&key.kid))
                .map_err(damaged)?;
            signing = Some(SigningKey::from_seed(seed.expose()).map_err(damaged)?);
        }
    }
    Ok(Keys {
        version,
        sealer,
        sealing,
        signing: signing.ok_or_else(|| damaged("no signing key is in use"))?,
        verifying: verifying.into_iter().collect(),
    })
}

/// The sealer, after seeing that the master key is the right one.
async fn open_sealer(
    tx: &mut ControlTx,
    master: &MasterKey,
    instance: &InstanceRow,
) -> Result<(Sealer, Uuid), KeyringError> {
    let (sealer, sealing) = read_sealer(tx, master).await?;
    sealer
        .open(&instance.key_check, KEY_CHECK_CONTEXT)
        .map_err(|_| KeyringError::WrongMasterKey)?;
    Ok((sealer, sealing))
}

async fn read_sealer(
    tx: &mut ControlTx,
    master: &MasterKey,
) -> Result<(Sealer, Uuid), KeyringError> {
    let mut stored = tx.keys().list_data_keys().await?;
    // The one that seals comes last.
    stored.sort_by_key(|key| key.state == SealingState::Active);
    let mut keys = Vec::with_capacity(stored.len());
    for key in &stored {
        let opened = DataKey::open(key.id, &key.sealed, master);
        keys.push(opened.map_err(|_| KeyringError::WrongMasterKey)?);
    }
    let sealing = stored.last().map(|key| key.id);
    let sealing = sealing.ok_or_else(|| damaged(SealError::NoDataKey))?;
    Ok((Sealer::new(&keys).map_err(damaged)?, sealing))
}

/// Draws a data key, to be stored.
pub(crate) fn draw_data_key(
    master: &MasterKey,
    clock: &Clock,
    entropy: &Entropy,
) -> Result<(SealedDataKey, DataKey), SealError> {
    let key = DataKey::generate(clock, entropy);
    let stored = SealedDataKey {
        id: key.id(),
        sealed: key.seal(master, entropy)?,
        state: SealingState::Active,
        since: clock.now(),
        created_at: clock.now(),
    };
    Ok((stored, key))
}

/// Draws a signing key, to be stored in this state.
pub(crate) fn draw_signing_key(
    sealer: &Sealer,
    state: SigningState,
    clock: &Clock,
    entropy: &Entropy,
) -> Result<SealedSigningKey, KeyringError> {
    let (key, seed) = SigningKey::generate(entropy).map_err(damaged)?;
    let sealed_seed = sealer
        .seal(
            seed.expose().as_slice(),
            &signing_context(key.kid()),
            entropy,
        )
        .map_err(damaged)?;
    Ok(SealedSigningKey {
        kid: key.kid().to_owned(),
        sealed_seed: Some(sealed_seed),
        public_key: key.verifying().as_bytes().to_vec(),
        state,
        since: clock.now(),
        created_at: clock.now(),
    })
}

/// Writes the record and the first data key of an installation, unless another process did.
async fn begin_installation(
    tx: &mut ControlTx,
    master: &MasterKey,
    settings: &Settings,
    clock: &Clock,
    entropy: &Entropy,
) -> Result<(), KeyringError> {
    let (stored, key) = draw_data_key(master, clock, entropy).map_err(damaged)?;
    let sealer = Sealer::new(std::slice::from_ref(&key)).map_err(damaged)?;
    let key_check = sealer
        .seal(KEY_CHECK, KEY_CHECK_CONTEXT, entropy)
        .map_err(damaged)?;
    let instance = InstanceRow {
        key_check,
        email_uniqueness: settings.email_uniqueness,
    };
    if tx.instance().add(&instance, clock.now()).await? {
        tx.keys().add_data_key(&stored).await?;
    }
    Ok(())
}
