//! Data keys and signing keys, as they lie sealed, and the states they pass through.

use std::time::Duration;

use tenantry_core::Timestamp;
use tenantry_core::keys::{SealingState, SigningState};
use uuid::Uuid;

use crate::{Conn, StoreError};

/// The keys.
pub struct Keys<'c>(pub(super) Conn<'c>);

/// A data key, sealed under the master key.
#[derive(Debug, Clone)]
pub struct SealedDataKey {
    /// The id that stands with each value sealed by it.
    pub id: Uuid,
    /// The key, sealed.
    pub sealed: Vec<u8>,
    /// Where it stands.
    pub state: SealingState,
    /// Since when.
    pub since: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A signing key, its seed sealed under a data key.
#[derive(Debug, Clone)]
pub struct SealedSigningKey {
    /// Its thumbprint (RFC 7638).
    pub kid: String,
    /// The seed, sealed; gone once the key is retired.
    pub sealed_seed: Option<Vec<u8>>,
    /// The public key.
    pub public_key: Vec<u8>,
    /// Where it stands.
    pub state: SigningState,
    /// Since when.
    pub since: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
}

row! {
    struct DataKeyRow { id: Uuid, sealed_key: Vec<u8>, state: String, since: i64, created_at: i64 }
}
row! {
    struct SigningKeyRow {
        kid: String,
        sealed_seed: Option<Vec<u8>>,
        public_key: Vec<u8>,
        state: String,
        since: i64,
        created_at: i64,
    }
}
row! { struct VersionRow { value: i64 } }

impl TryFrom<DataKeyRow> for SealedDataKey {
    type Error = StoreError;

    fn try_from(row: DataKeyRow) -> Result<Self, StoreError> {
        let (table, column) = ("data_keys", "state");
        let state = row.state.parse();
        Ok(Self {
            id: row.id,
            sealed: row.sealed_key,
            state: state.map_err(|_| StoreError::Corrupt { table, column })?,
            since: Timestamp::from_micros(row.since),
            created_at: Timestamp::from_micros(row.created_at),
        })
    }
}

impl TryFrom<SigningKeyRow> for SealedSigningKey {
    type Error = StoreError;

    fn try_from(row: SigningKeyRow) -> Result<Self, StoreError> {
        let (table, column) = ("signing_keys", "state");
        let state = row.state.parse();
        Ok(Self {
            kid: row.kid,
            sealed_seed: row.sealed_seed,
            public_key: row.public_key,
            state: state.map_err(|_| StoreError::Corrupt { table, column })?,
            since: Timestamp::from_micros(row.since),
            created_at: Timestamp::from_micros(row.created_at),
        })
    }
}

impl Keys<'_> {
    /// The number that each change of the keys raises.
    pub async fn version(&mut self) -> Result<i64, StoreError> {
        let row = fetch_one!(
            self.0,
            VersionRow,
            "SELECT value FROM counters WHERE name = 'keys'"
        )?;
        Ok(row.value)
    }

    /// Raises that number. The first statement of each transaction that changes keys: it also makes
    /// them wait for each other.
    pub async fn raise_version(&mut self) -> Result<i64, StoreError> {
        let row = fetch_one!(
            self.0,
            VersionRow,
            "UPDATE counters SET value = value + 1 WHERE name = 'keys' RETURNING value"
        )?;
        Ok(row.value)
    }

    /// Adds a data key; `false` where it would be a second active one.
    pub async fn add_data_key(&mut self, key: &SealedDataKey) -> Result<bool, StoreError> {
        let changed = execute!(
            self.0,
            "INSERT INTO data_keys (id, sealed_key, state, since, created_at)
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
            key.id,
            key.sealed.as_slice(),
            key.state.as_str(),
            key.since.micros(),
            key.created_at.micros()
        )?;
        Ok(changed == 1)
    }

    /// Every data key, the oldest first.
    pub async fn list_data_keys(&mut self) -> Result<Vec<SealedDataKey>, StoreError> {
        fetch_all!(
            self.0,
            DataKeyRow,
            "SELECT id, sealed_key, state, since, created_at FROM data_keys ORDER BY created_at, id"
        )?
        .into_iter()
        .map(SealedDataKey::try_from)
        .collect()
    }

    /// Lets a data key seal nothing more; `false` where it is not the active one by now.
    pub async fn retire_data_key(&mut self, id: Uuid, now: Timestamp) -> Result<bool, StoreError> {
        let changed = execute!(
            self.0,
            "UPDATE data_keys SET state = 'retiring', since = $2 WHERE id = $1 AND state = 'active'",
            id,
            now.micros()
        )?;
        Ok(changed == 1)
    }

    /// Makes it this process's turn to seal anew what names a retiring data key; `false` where there
    /// is none, or it was somebody's turn less than `pause` ago. A turn further ahead than that was
    /// taken by a clock that was wrong, and is nobody's.
    pub async fn claim_resealing(
        &mut self,
        pause: Duration,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let changed = execute!(
            self.0,
            "UPDATE data_keys SET looked_at = $2
             WHERE state = 'retiring' AND (looked_at IS NULL OR looked_at <= $1 OR looked_at > $3)",
            (now - pause).micros(),
            now.micros(),
            (now + pause).micros()
        )?;
        Ok(changed > 0)
    }

    /// Puts the date of each retiring data key right that lies ahead of `latest`: it is retiring since
    /// now; how many.
    pub async fn redate_data_keys(
        &mut self,
        latest: Timestamp,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        execute!(
            self.0,
            "UPDATE data_keys SET since = $2 WHERE state = 'retiring' AND since > $1",
            latest.micros(),
            now.micros()
        )
    }

    /// Puts the date of each signing key right that lies ahead of `latest`: it is in its state since
    /// now; how many.
    pub async fn redate_signing_keys(
        &mut self,
        latest: Timestamp,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        execute!(
            self.0,
            "UPDATE signing_keys SET since = $2 WHERE since > $1",
            latest.micros(),
            now.micros()
        )
    }

    /// Removes a retiring data key. What names it is lost, so that there must be nothing.
    pub async fn remove_data_key(&mut self, id: Uuid) -> Result<bool, StoreError> {
        let changed = execute!(
            self.0,
            "DELETE FROM data_keys WHERE id = $1 AND state = 'retiring'",
            id
        )?;
        Ok(changed == 1)
    }

    /// Adds a signing key; `false` where it would be a second one that signs, or that will.
    pub async fn add_signing_key(&mut self, key: &SealedSigningKey) -> Result<bool, StoreError> {
        let changed = execute!(
            self.0,
            "INSERT INTO signing_keys (kid, sealed_seed, public_key, state, since, created_at)
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
            key.kid.as_str(),
            key.sealed_seed.as_deref(),
            key.public_key.as_slice(),
            key.state.as_str(),
            key.since.micros(),
            key.created_at.micros()
        )?;
        Ok(changed == 1)
    }

    /// Every signing key, the oldest first.
    pub async fn list_signing_keys(&mut self) -> Result<Vec<SealedSigningKey>, StoreError> {
        fetch_all!(
            self.0,
            SigningKeyRow,
            "SELECT kid, sealed_seed, public_key, state, since, created_at FROM signing_keys
             ORDER BY created_at, kid"
        )?
        .into_iter()
        .map(SealedSigningKey::try_from)
        .collect()
    }

    /// Changes a signing key's state from the one it was read in; `false` when it is another by now.
    /// A key that retires loses its seed.
    pub async fn change_signing_state(
        &mut self,
        key: &SealedSigningKey,
        to: SigningState,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let changed = execute!(
            self.0,
            "UPDATE signing_keys SET state = $3, since = $4,
                    sealed_seed = CASE WHEN $3 = 'retired' THEN NULL ELSE sealed_seed END
             WHERE kid = $1 AND state = $2",
            key.kid.as_str(),
            key.state.as_str(),
            to.as_str(),
            now.micros()
        )?;
        Ok(changed == 1)
    }

    /// Retires every signing key at once; how many.
    pub async fn revoke_signing_keys(&mut self, now: Timestamp) -> Result<u64, StoreError> {
        execute!(
            self.0,
            "UPDATE signing_keys SET state = 'retired', since = $1, sealed_seed = NULL
             WHERE state <> 'retired'",
            now.micros()
        )
    }

    /// Forgets signing keys that retired before `before`; how many.
    pub async fn remove_retired(&mut self, before: Timestamp) -> Result<u64, StoreError> {
        execute!(
            self.0,
            "DELETE FROM signing_keys WHERE state = 'retired' AND since < $1",
            before.micros()
        )
    }
}
