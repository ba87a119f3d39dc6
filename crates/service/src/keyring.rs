//! The installation's keys: one master key outside, everything else sealed under it.
//!
//! Owns the open keys of this process and keeps them those of the registry: whoever changes keys
//! raises a number there, which is looked at twice a second, and at once where a token or a value names
//! a key that is not known here. No token counts by keys that nobody looked at for a second, however
//! long this process stood still. What changes keys is in [`crate::keys`].

mod opening;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tenantry_claims::Claims;
use tenantry_core::keys::SigningState;
use tenantry_core::{Clock, Entropy, Secret, Timestamp};
use tenantry_keys::audit::AuditKey;
use tenantry_keys::code::CodeKey;
use tenantry_keys::csrf::CsrfKey;
use tenantry_keys::directory::DirectoryKey;
use tenantry_keys::sealing::{MasterKey, SealError, Sealer};
use tenantry_keys::signing::{Jwks, SignError, SigningKey, VerifyError, VerifyingKeys};
use tenantry_keys::token::TokenKey;
use tenantry_store::clusters::Unseal;
use tenantry_store::control::{SealedDataKey, SealedSigningKey};
use tenantry_store::{Control, StoreError};
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use crate::facts::LOOK;
use crate::moment::Moment;
use crate::refusal::Chain;
use crate::{Refusal, Settings};

pub(crate) use opening::{KEY_CHECK_CONTEXT, signing_context};

/// How long after a look for an unfamiliar `kid` there is no other: whoever sends made-up names causes
/// one small statement in that time.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// For how long keys count after a look at their number. The background looks twice in that time
/// (`housekeeping.rs`); where it could not, since this process stood still or the look failed, the next
/// token waits for one.
pub(crate) const COUNT: Duration = Duration::from_secs(1);

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
    /// The control database says nothing.
    #[error(
        "the control database did not answer in time; see that its server is reached and at work, then try again"
    )]
    Silent,
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

/// Why a sealed value could not be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UnsealError {
    /// It does not open, and never will.
    #[error(transparent)]
    Sealed(#[from] SealError),
    /// It names a key that is not known here, and the keys could not be read just now.
    #[error("the keys could not be read anew")]
    Keys(#[source] KeyringError),
}

/// The keys that are exchanged, as they were at one moment.
struct Keys {
    /// The number of the last change that is seen here.
    version: i64,
    sealer: Sealer,
    /// The data key that new values are sealed with.
    sealing: Uuid,
    signing: SigningKey,
    verifying: VerifyingKeys,
}

/// The installation's keys, open.
pub(crate) struct Keyring {
    control: Control,
    master: MasterKey,
    tokens: TokenKey,
    directory: DirectoryKey,
    codes: CodeKey,
    csrf: CsrfKey,
    audit: AuditKey,
    keys: RwLock<Arc<Keys>>,
    epoch: AtomicU64,
    /// Access tokens that were verified.
    verified: AtomicU64,
    /// Held while keys are read anew, so that older ones never take the place of newer ones. When they
    /// could last not be read.
    reading: Mutex<Option<Moment>>,
    /// When was begun to find out that these are the registry's keys.
    seen: RwLock<Moment>,
    /// When a `kid` was last looked for that was not known.
    looked: Mutex<Option<Timestamp>>,
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
        let seen = Moment::now();
        let keys = opening::open(control, master, settings, clock, entropy).await?;
        Ok(Self {
            control: control.clone(),
            master: master.clone(),
            tokens: master.token_key(),
            directory: master.directory_key(),
            codes: master.code_key(),
            csrf: master.csrf_key(),
            audit: master.audit_key(),
            keys: RwLock::new(Arc::new(keys)),
            epoch: AtomicU64::new(0),
            verified: AtomicU64::new(0),
            reading: Mutex::new(None),
            seen: RwLock::new(seen),
            looked: Mutex::new(None),
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

    /// Draws a data key, to be stored as the one that seals.
    pub(crate) fn draw_data_key(
        &self,
        clock: &Clock,
        entropy: &Entropy,
    ) -> Result<SealedDataKey, SealError> {
        opening::draw_data_key(&self.master, clock, entropy).map(|(stored, _)| stored)
    }

    /// Draws a signing key, to be stored in this state.
    pub(crate) fn draw_signing_key(
        &self,
        state: SigningState,
        clock: &Clock,
        entropy: &Entropy,
    ) -> Result<SealedSigningKey, KeyringError> {
        opening::draw_signing_key(&self.keys().sealer, state, clock, entropy)
    }

    fn keys(&self) -> Arc<Keys> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The data key that new values are sealed with.
    pub(crate) fn sealing_key(&self) -> Uuid {
        self.keys().sealing
    }

    /// Seals a value for one place.
    pub(crate) fn seal(
        &self,
        plain: &[u8],
        context: &[u8],
        entropy: &Entropy,
    ) -> Result<Vec<u8>, SealError> {
        self.keys().sealer.seal(plain, context, entropy)
    }

    /// Opens a value sealed for one place. One that names a key which another process made just now
    /// has the keys read anew: such a key is written down before anything is sealed with it.
    pub(crate) async fn open_sealed(
        &self,
        sealed: &[u8],
        context: &[u8],
    ) -> Result<Secret<Vec<u8>>, UnsealError> {
        match self.keys().sealer.open(sealed, context) {
            Err(SealError::UnknownKey(_)) => {}
            opened => return Ok(opened?),
        }
        self.follow().await.map_err(UnsealError::Keys)?;
        Ok(self.keys().sealer.open(sealed, context)?)
    }

    /// Whether a value was sealed with the key that new values are sealed with.
    pub(crate) fn is_current(&self, sealed: &[u8]) -> Result<bool, SealError> {
        self.keys().sealer.is_current(sealed)
    }

    /// Opens sealed texts, for what holds no key itself.
    pub(crate) fn unsealer(self: &Arc<Self>) -> Unseal {
        let keyring = Arc::clone(self);
        Arc::new(move |sealed, context| {
            let keyring = Arc::clone(&keyring);
            let (sealed, context) = (sealed.to_vec(), context.to_vec());
            Box::pin(async move {
                let opened = keyring.open_sealed(&sealed, &context).await.ok()?;
                let text = String::from_utf8(opened.expose().clone()).ok()?;
                Some(Secret::new(text))
            })
        })
    }

    pub(crate) fn sign(&self, claims: &Claims) -> Result<Secret<String>, SignError> {
        self.keys().signing.sign(claims)
    }

    /// What an access token says, where one of the keys known here signed it.
    fn verify_known(
        &self,
        token: &str,
        issuer: &str,
        now: Timestamp,
    ) -> Result<Claims, VerifyError> {
        self.verified.fetch_add(1, Ordering::Relaxed);
        self.keys().verifying.verify(token, issuer, issuer, now)
    }

    /// What an access token says, if it is genuine and good now. One that names a key which is not
    /// known here has the keys looked at, once a second at most, and waits for that until then.
    pub(crate) async fn verify(
        &self,
        token: &str,
        issuer: &str,
        now: Timestamp,
        until: Instant,
    ) -> Result<Claims, VerifyError> {
        let seen = self.keys().version;
        match self.verify_known(token, issuer, now) {
            Err(VerifyError::UnknownKey) if self.are_others_there(seen, now, until).await => {
                self.verify_known(token, issuer, now)
            }
            verified => verified,
        }
    }

    /// Whether there are other keys than those of the version that was `seen`, by now.
    async fn are_others_there(&self, seen: i64, now: Timestamp, until: Instant) -> bool {
        // Whoever comes while somebody looks waits for what he finds.
        let Ok(mut looked) = timeout_at(until, self.looked.lock()).await else {
            return false;
        };
        if self.keys().version != seen {
            return true;
        }
        // A clock that was set back does not keep anybody from looking.
        if looked.is_some_and(|looked| now >= looked && now.since(looked) < LOOK_AGAIN) {
            return false;
        }
        *looked = Some(now);
        match self.follow_by(until).await {
            Ok(changed) => changed,
            Err(error) => {
                tracing::warn!(error = %Chain(&error), "the keys could not be looked at for an unfamiliar name");
                false
            }
        }
    }

    /// How often an access token was verified, since the start.
    pub(crate) fn verified(&self) -> u64 {
        self.verified.load(Ordering::Relaxed)
    }

    /// The public keys of access tokens (RFC 7517).
    pub(crate) fn jwks(&self) -> Jwks {
        self.keys().verifying.jwks()
    }

    /// A number that is another one whenever a key of access tokens stopped being good, to be
    /// compared by whoever remembers that a token was.
    pub(crate) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// Reads the keys anew where they changed; whether they did. Waits for [`LOOK`] at the longest, its
    /// turn included.
    pub(crate) async fn follow(&self) -> Result<bool, KeyringError> {
        self.follow_by(Instant::now() + LOOK).await
    }

    async fn follow_by(&self, until: Instant) -> Result<bool, KeyringError> {
        let mut failed = self.turn(until).await?;
        self.look(&mut failed, until).await
    }

    /// Waits for the turn to read keys anew, and no longer than until then.
    async fn turn(&self, until: Instant) -> Result<MutexGuard<'_, Option<Moment>>, KeyringError> {
        let turn = timeout_at(until, self.reading.lock()).await;
        turn.map_err(|_| KeyringError::Silent)
    }

    /// Whether the keys here are those of a moment ago. Whoever remembers that a token was good asks
    /// this before [`Self::epoch`].
    pub(crate) fn is_seen(&self) -> bool {
        let seen = *self.seen.read().unwrap_or_else(PoisonError::into_inner);
        seen.elapsed() < COUNT
    }

    /// Looks at the keys' number where nobody did for a second, before a token is verified. Waits no
    /// longer than until then, its turn included.
    pub(crate) async fn keep_up(&self, until: Instant) -> Result<(), Refusal> {
        if self.is_seen() {
            return Ok(());
        }
        match self.look_once(until).await {
            Ok(()) => Ok(()),
            Err(KeyringError::Silent) => Err(Refusal::Busy(LOOK_AGAIN)),
            Err(KeyringError::Store(error)) => Err(error.into()),
            Err(error) => Err(Refusal::failed("the keys could not be read anew")(error)),
        }
    }

    /// Of many who come at once, one looks, and the others take his word, also that it can't be done:
    /// were each to find out for himself, a database in trouble would be asked by all of them.
    async fn look_once(&self, until: Instant) -> Result<(), KeyringError> {
        let asked = Moment::now();
        let mut failed = self.turn(until).await?;
        if self.is_seen() {
            return Ok(());
        }
        if failed.is_some_and(|failed| failed >= asked) {
            return Err(KeyringError::Silent);
        }
        self.look(&mut failed, until).await.map(drop)
    }

    /// Reads the keys anew where they changed; whether they did. For whoever has the turn, who leaves
    /// word where it failed.
    async fn look(
        &self,
        failed: &mut Option<Moment>,
        until: Instant,
    ) -> Result<bool, KeyringError> {
        let seen = Moment::now();
        let changed = timeout_at(until, self.read_changed()).await;
        let changed = changed.unwrap_or(Err(KeyringError::Silent));
        if changed.is_ok() {
            *self.seen.write().unwrap_or_else(PoisonError::into_inner) = seen;
        } else {
            *failed = Some(Moment::now());
        }
        changed
    }

    async fn read_changed(&self) -> Result<bool, KeyringError> {
        let mut tx = self.control.read().await?;
        let before = self.keys();
        if tx.keys().version().await? == before.version {
            return Ok(false);
        }
        let keys = opening::read(&mut tx, &self.master).await?;
        drop(tx);
        let gone = {
            let still = keys.verifying.jwks();
            let before = before.verifying.jwks();
            before.keys.iter().any(|key| !still.keys.contains(key))
        };
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
        if gone {
            // After the keys are in place: whoever sees the number verifies with them.
            self.epoch.fetch_add(1, Ordering::Release);
        }
        tracing::debug!("the keys changed and were read anew");
        Ok(true)
    }
}
