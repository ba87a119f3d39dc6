//! One-time secrets of platform admins, and of choosing one of several tenants.

use tenantry_core::one_time::Purpose;
use tenantry_core::{AdminId, OneTimeId, Timestamp};
use uuid::Uuid;

use crate::{Conn, StoreError};

/// The one-time secrets outside any tenant.
pub struct AdminSecrets<'c>(pub(super) Conn<'c>);

/// A one-time secret as it is stored: everything but the secret.
#[derive(Debug, Clone)]
pub struct StoredSecret {
    /// The id, which the token names.
    pub id: OneTimeId,
    /// What it is good for.
    pub purpose: Purpose,
    /// SHA-256 of the secret.
    pub hash: [u8; 32],
    /// When it was made.
    pub created_at: Timestamp,
    /// Until when it is good.
    pub expires_at: Timestamp,
}

row! { struct AdminRow { admin_id: Uuid } }
row! { struct PayloadRow { payload: String } }

impl AdminSecrets<'_> {
    /// Adds an admin's secret, bound to the security version the admin has now. It takes the place
    /// of the one of the same purpose from before; adding the same one twice is harmless.
    pub async fn add(&mut self, admin: AdminId, secret: &StoredSecret) -> Result<(), StoreError> {
        execute!(
            self.0,
            "INSERT INTO one_time_secrets (id, admin_id, purpose, secret_hash, security_version, created_at, expires_at)
             SELECT $1, a.id, $3, $4, a.security_version, $5, $6 FROM platform_admins a WHERE a.id = $2
             ON CONFLICT (admin_id, purpose) DO UPDATE
             SET id = excluded.id, secret_hash = excluded.secret_hash, security_version = excluded.security_version,
                 created_at = excluded.created_at, expires_at = excluded.expires_at, used_at = NULL
             WHERE one_time_secrets.id <> excluded.id",
            secret.id.uuid(),
            admin.uuid(),
            secret.purpose.as_str(),
            secret.hash.as_slice(),
            secret.created_at.micros(),
            secret.expires_at.micros()
        )?;
        Ok(())
    }

    /// Whose secret this is, if it is good now. Uses nothing up.
    pub async fn find_good(
        &mut self,
        id: OneTimeId,
        purpose: Purpose,
        hash: &[u8; 32],
        now: Timestamp,
    ) -> Result<Option<AdminId>, StoreError> {
        let row = fetch_optional!(
            self.0,
            AdminRow,
            "SELECT s.admin_id FROM one_time_secrets s
             JOIN platform_admins a ON a.id = s.admin_id AND a.security_version = s.security_version
             WHERE s.id = $1 AND s.purpose = $2 AND s.secret_hash = $3 AND s.used_at IS NULL
               AND s.expires_at > $4 AND a.disabled_at IS NULL",
            id.uuid(),
            purpose.as_str(),
            hash.as_slice(),
            now.micros()
        )?;
        Ok(row.map(|row| AdminId::from_uuid(row.admin_id)))
    }

    /// Uses a secret up; whose it was, if it was good. At most one caller ever gets an answer.
    pub async fn use_up(
        &mut self,
        id: OneTimeId,
        purpose: Purpose,
        hash: &[u8; 32],
        now: Timestamp,
    ) -> Result<Option<AdminId>, StoreError> {
        let row = fetch_optional!(
            self.0,
            AdminRow,
            "UPDATE one_time_secrets SET used_at = $4
             WHERE id = $1 AND purpose = $2 AND secret_hash = $3 AND used_at IS NULL AND expires_at > $4
               AND security_version = (SELECT a.security_version FROM platform_admins a
                                       WHERE a.id = admin_id AND a.disabled_at IS NULL)
             RETURNING admin_id",
            id.uuid(),
            purpose.as_str(),
            hash.as_slice(),
            now.micros()
        )?;
        Ok(row.map(|row| AdminId::from_uuid(row.admin_id)))
    }

    /// Adds a selection: proof that a password fitted in the tenants the payload lists.
    pub async fn add_selection(
        &mut self,
        secret: &StoredSecret,
        payload: &str,
    ) -> Result<(), StoreError> {
        execute!(
            self.0,
            "INSERT INTO one_time_secrets (id, purpose, secret_hash, security_version, payload, created_at, expires_at)
             VALUES ($1, $2, $3, 0, $4, $5, $6)",
            secret.id.uuid(),
            secret.purpose.as_str(),
            secret.hash.as_slice(),
            payload,
            secret.created_at.micros(),
            secret.expires_at.micros()
        )?;
        Ok(())
    }

    /// What a selection lists, if it is good now. Uses nothing up.
    pub async fn find_selection(
        &mut self,
        id: OneTimeId,
        hash: &[u8; 32],
        now: Timestamp,
    ) -> Result<Option<String>, StoreError> {
        let row = fetch_optional!(
            self.0,
            PayloadRow,
            "SELECT payload FROM one_time_secrets
             WHERE id = $1 AND purpose = 'selection' AND secret_hash = $2 AND used_at IS NULL AND expires_at > $3",
            id.uuid(),
            hash.as_slice(),
            now.micros()
        )?;
        Ok(row.map(|row| row.payload))
    }

    /// Uses a selection up; what it lists, if it was good.
    pub async fn use_up_selection(
        &mut self,
        id: OneTimeId,
        hash: &[u8; 32],
        now: Timestamp,
    ) -> Result<Option<String>, StoreError> {
        let row = fetch_optional!(
            self.0,
            PayloadRow,
            "UPDATE one_time_secrets SET used_at = $3
             WHERE id = $1 AND purpose = 'selection' AND secret_hash = $2 AND used_at IS NULL AND expires_at > $3
             RETURNING payload",
            id.uuid(),
            hash.as_slice(),
            now.micros()
        )?;
        Ok(row.map(|row| row.payload))
    }

    /// Forgets what ran out before `before`.
    pub async fn remove_expired(&mut self, before: Timestamp) -> Result<u64, StoreError> {
        execute!(
            self.0,
            "DELETE FROM one_time_secrets WHERE expires_at < $1",
            before.micros()
        )
    }
}
