//! Data keys and signing keys, as they lie sealed.

use tenantry_core::Timestamp;
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
}

/// A signing key, its seed sealed under a data key.
#[derive(Debug, Clone)]
pub struct SealedSigningKey {
    /// Its thumbprint (RFC 7638).
    pub kid: String,
    /// The seed, sealed.
    pub sealed_seed: Vec<u8>,
    /// The public key.
    pub public_key: Vec<u8>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Since when it signs nothing more.
    pub retired_at: Option<Timestamp>,
}

row! { struct DataKeyRow { id: Uuid, sealed_key: Vec<u8> } }
row! {
    struct SigningKeyRow {
        kid: String,
        sealed_seed: Vec<u8>,
        public_key: Vec<u8>,
        created_at: i64,
        retired_at: Option<i64>,
    }
}

impl Keys<'_> {
    /// Adds a data key.
    pub async fn add_data_key(
        &mut self,
        key: &SealedDataKey,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        execute!(
            self.0,
            "INSERT INTO data_keys (id, sealed_key, created_at) VALUES ($1, $2, $3)",
            key.id,
            key.sealed.as_slice(),
            now.micros()
        )?;
        Ok(())
    }

    /// Every data key, the newest last.
    pub async fn list_data_keys(&mut self) -> Result<Vec<SealedDataKey>, StoreError> {
        let rows = fetch_all!(
            self.0,
            DataKeyRow,
            "SELECT id, sealed_key FROM data_keys ORDER BY created_at, id"
        )?;
        Ok(rows
            .into_iter()
            .map(|row| SealedDataKey {
                id: row.id,
                sealed: row.sealed_key,
            })
            .collect())
    }

    /// Adds a signing key.
    pub async fn add_signing_key(&mut self, key: &SealedSigningKey) -> Result<(), StoreError> {
        execute!(
            self.0,
            "INSERT INTO signing_keys (kid, sealed_seed, public_key, created_at, retired_at)
             VALUES ($1, $2, $3, $4, $5)",
            key.kid.as_str(),
            key.sealed_seed.as_slice(),
            key.public_key.as_slice(),
            key.created_at.micros(),
            key.retired_at.map(Timestamp::micros)
        )?;
        Ok(())
    }

    /// Every signing key, the newest last.
    pub async fn list_signing_keys(&mut self) -> Result<Vec<SealedSigningKey>, StoreError> {
        let rows = fetch_all!(
            self.0,
            SigningKeyRow,
            "SELECT kid, sealed_seed, public_key, created_at, retired_at FROM signing_keys ORDER BY created_at, kid"
        )?;
        Ok(rows
            .into_iter()
            .map(|row| SealedSigningKey {
                kid: row.kid,
                sealed_seed: row.sealed_seed,
                public_key: row.public_key,
                created_at: Timestamp::from_micros(row.created_at),
                retired_at: row.retired_at.map(Timestamp::from_micros),
            })
            .collect())
    }
}
