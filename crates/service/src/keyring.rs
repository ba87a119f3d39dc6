//! The installation's keys: one master key outside, everything else sealed under it.

use std::sync::{Arc, PoisonError, RwLock};

use tenantry_claims::Claims;
use tenantry_core::{Clock, Entropy, Secret, Timestamp};
use tenantry_keys::audit::AuditKey;
use tenantry_keys::code::CodeKey;
use tenantry_keys::csrf::CsrfKey;
use tenantry_keys::directory::DirectoryKey;
use tenantry_keys::sealing::{DataKey, MasterKey, SealError, Sealer};
use tenantry_keys::signing::{
    Jwks, SignError, SigningKey, VerifyError, VerifyingKey, VerifyingKeys,
};
use tenantry_keys::token::TokenKey;
use tenantry_store::clusters::Unseal;
use tenantry_store::control::{InstanceRow, SealedDataKey, SealedSigningKey};
use tenantry_store::{Control, ControlTx, StoreError};

use crate::Settings;

/// A value whose seal tells the right master key from a wrong one.
const KEY_CHECK: &[u8] = b"tenantry";

/// Why the keys could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// The control database.
    #[error("the keys could not be read or written")]
    Store(#[from] StoreError),
    /// The master key is another one.
    #[error(
        "TENANTRY_MASTER_KEY is not the key this data was sealed with; put the right key back (by default it lies in DATA_DIR/master.key)"
    )]
    WrongMasterKey,
    /// A key is damaged.
    #[error("a stored key can't be used; restore the control database from a backup")]
    Damaged(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The uniqueness of addresses was decided otherwise.
    #[error(
        "TENANTRY_EMAIL_UNIQUENESS is {wanted}, but this installation was begun with {fixed}; it can't be changed once there are people"
    )]
    Uniqueness {
        /// What the settings say.
        wanted: &'static str,
        /// What the installation was begun with.
        fixed: &'static str,
    },
}

/// Signing and verifying access tokens.
struct Signing {
    newest: SigningKey,
    all: VerifyingKeys,
}

/// The installation's keys, open.
pub(crate) struct Keyring {
    sealer: Arc<Sealer>,
    tokens: TokenKey,
    directory: DirectoryKey,
    codes: CodeKey,
    csrf: CsrfKey,
    audit: AuditKey,
    signing: RwLock<Signing>,
}

impl Keyring {
    /// Opens the keys, or makes them on the first start.
    pub(crate) async fn open(
        control: &Control,
        master: &MasterKey,
        settings: &Settings,
        clock: &Clock,
        entropy: &Entropy,
    ) -> Result<Self, KeyringError> {
        let mut tx = control.begin().await?;
        let begun = match tx.instance().find().await? {
            Some(_) => None,
            None => begin_installation(&mut tx, master, settings, clock, entropy).await?,
        };
        let sealer = if let Some(sealer) = begun {
            sealer
        } else {
            // Begun before, or by another process at this very moment.
            let instance = tx
                .instance()
                .find()
                .await?
                .ok_or(KeyringError::WrongMasterKey)?;
            open_existing(&mut tx, &instance, master, settings).await?
        };
        let signing = open_signing(&mut tx, &sealer, clock, entropy).await?;
        tx.commit().await?;
        Ok(Self {
            sealer: Arc::new(sealer),
            tokens: master.token_key(),
            directory: master.directory_key(),
            codes: master.code_key(),
            csrf: master.csrf_key(),
            audit: master.audit_key(),
            signing: RwLock::new(signing),
        })
    }

    /// Makes and reads bound tokens.
    pub(crate) fn tokens(&self) -> &TokenKey {
        &self.tokens
    }

    /// Hashes addresses for the directory.
    pub(crate) fn directory(&self) -> &DirectoryKey {
        &self.directory
    }

    /// Hashes one-time codes.
    pub(crate) fn codes(&self) -> &CodeKey {
        &self.codes
    }

    /// Makes and checks CSRF tokens.
    pub(crate) fn csrf(&self) -> &CsrfKey {
        &self.csrf
    }

    /// Chains the audit.
    pub(crate) fn audit(&self) -> &AuditKey {
        &self.audit
    }

    /// Seals a value for one place.
    pub(crate) fn seal(
        &self,
        plain: &[u8],
        context: &[u8],
        entropy: &Entropy,
    ) -> Result<Vec<u8>, SealError> {
        self.sealer.seal(plain, context, entropy)
    }

    /// Opens a value sealed for one place.
    pub(crate) fn open_sealed(
        &self,
        sealed: &[u8],
        context: &[u8],
    ) -> Result<Secret<Vec<u8>>, SealError> {
        self.sealer.open(sealed, context)
    }

    /// Opens sealed texts, for what holds no key itself.
    pub(crate) fn unsealer(&self) -> Unseal {
        let sealer = Arc::clone(&self.sealer);
        Arc::new(move |sealed, context| {
            let opened = sealer.open(sealed, context).ok()?;
            let text = String::from_utf8(opened.expose().clone()).ok()?;
            Some(Secret::new(text))
        })
    }

    pub(crate) fn sign(&self, claims: &Claims) -> Result<Secret<String>, SignError> {
        self.signing
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .newest
            .sign(claims)
    }

    pub(crate) fn verify(
        &self,
        token: &str,
        issuer: &str,
        now: Timestamp,
    ) -> Result<Claims, VerifyError> {
        self.signing
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .all
            .verify(token, issuer, issuer, now)
    }

    /// The public keys of access tokens (RFC 7517).
    pub(crate) fn jwks(&self) -> Jwks {
        self.signing
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .all
            .jwks()
    }
}

async fn open_existing(
    tx: &mut ControlTx,
    instance: &InstanceRow,
    master: &MasterKey,
    settings: &Settings,
) -> Result<Sealer, KeyringError> {
    let mut keys = Vec::new();
    for stored in tx.keys().list_data_keys().await? {
        keys.push(
            DataKey::open(stored.id, &stored.sealed, master)
                .map_err(|_| KeyringError::WrongMasterKey)?,
        );
    }
    let sealer = Sealer::new(&keys).map_err(|error| KeyringError::Damaged(error.into()))?;
    sealer
        .open(&instance.key_check, b"instance")
        .map_err(|_| KeyringError::WrongMasterKey)?;
    if instance.email_uniqueness != settings.email_uniqueness {
        return Err(KeyringError::Uniqueness {
            wanted: settings.email_uniqueness.as_str(),
            fixed: instance.email_uniqueness.as_str(),
        });
    }
    Ok(sealer)
}

async fn begin_installation(
    tx: &mut ControlTx,
    master: &MasterKey,
    settings: &Settings,
    clock: &Clock,
    entropy: &Entropy,
) -> Result<Option<Sealer>, KeyringError> {
    let damaged = |error: SealError| KeyringError::Damaged(error.into());
    let key = DataKey::generate(clock, entropy);
    let sealed = key.seal(master, entropy).map_err(damaged)?;
    let sealer = Sealer::new(std::slice::from_ref(&key)).map_err(damaged)?;
    let key_check = sealer
        .seal(KEY_CHECK, b"instance", entropy)
        .map_err(damaged)?;
    let instance = InstanceRow {
        key_check,
        email_uniqueness: settings.email_uniqueness,
    };
    if !tx.instance().add(&instance, clock.now()).await? {
        return Ok(None);
    }
    tx.keys()
        .add_data_key(
            &SealedDataKey {
                id: key.id(),
                sealed,
            },
            clock.now(),
        )
        .await?;
    Ok(Some(sealer))
}

async fn open_signing(
    tx: &mut ControlTx,
    sealer: &Sealer,
    clock: &Clock,
    entropy: &Entropy,
) -> Result<Signing, KeyringError> {
    let mut stored = tx.keys().list_signing_keys().await?;
    if stored.iter().all(|key| key.retired_at.is_some()) {
        let (key, seed) =
            SigningKey::generate(entropy).map_err(|error| KeyringError::Damaged(error.into()))?;
        let sealed_seed = sealer
            .seal(seed.expose().as_slice(), &context(key.kid()), entropy)
            .map_err(|error| KeyringError::Damaged(error.into()))?;
        let sealed = SealedSigningKey {
            kid: key.kid().to_owned(),
            sealed_seed,
            public_key: key.verifying().as_bytes().to_vec(),
            created_at: clock.now(),
            retired_at: None,
        };
        tx.keys().add_signing_key(&sealed).await?;
        stored.push(sealed);
    }
    let mut all = Vec::new();
    let mut newest = None;
    for key in stored {
        all.push(
            VerifyingKey::from_bytes(&key.public_key)
                .map_err(|error| KeyringError::Damaged(error.into()))?,
        );
        if key.retired_at.is_none() {
            let seed = sealer
                .open(&key.sealed_seed, &context(&key.kid))
                .map_err(|error| KeyringError::Damaged(error.into()))?;
            newest = Some(
                SigningKey::from_seed(seed.expose())
                    .map_err(|error| KeyringError::Damaged(error.into()))?,
            );
        }
    }
    let newest = newest.ok_or_else(|| KeyringError::Damaged("no signing key is in use".into()))?;
    Ok(Signing {
        newest,
        all: all.into_iter().collect(),
    })
}

fn context(kid: &str) -> Vec<u8> {
    format!("signing:{kid}").into_bytes()
}
