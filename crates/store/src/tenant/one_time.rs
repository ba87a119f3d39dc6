//! One-time secrets of a tenant's people.

use tenantry_core::one_time::Purpose;
use tenantry_core::{Generation, OneTimeId, TenantId, Timestamp, UserId};
use uuid::Uuid;

use crate::control::StoredSecret;
use crate::{Conn, StoreError};

/// The one-time secrets. One that was made further ahead than it was to count is not good: a clock that
/// was wrong dated it, and it would be good until that day.
pub struct Secrets<'c> {
    pub(super) conn: Conn<'c>,
    pub(super) tenant: TenantId,
    pub(super) generation: Generation,
}

/// Whose secret it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretOwner {
    /// The person.
    pub user: UserId,
    /// Until when the secret is good.
    pub expires_at: Timestamp,
    /// What it is about beside its owner.
    pub payload: Option<String>,
}

row! { struct OwnerRow { user_id: Uuid, expires_at: i64, payload: Option<String> } }

impl From<OwnerRow> for SecretOwner {
    fn from(row: OwnerRow) -> Self {
        Self {
            user: UserId::from_uuid(row.user_id),
            expires_at: Timestamp::from_micros(row.expires_at),
            payload: row.payload,
        }
    }
}

impl Secrets<'_> {
    /// Adds a person's secret, bound to the generation and to the security version the person has
    /// now. It takes the place of the one of the same purpose from before; adding the same one
    /// twice is harmless.
    pub async fn add(&mut self, user: UserId, secret: &StoredSecret) -> Result<(), StoreError> {
        self.add_about(user, secret, None).await
    }

    /// As [`add`](Self::add), with what the secret is about beside its owner.
    pub async fn add_about(
        &mut self,
        user: UserId,
        secret: &StoredSecret,
        payload: Option<&str>,
    ) -> Result<(), StoreError> {
        execute!(
            self.conn,
            "INSERT INTO tenantry_one_time_secrets (tenant_id, id, generation, user_id, purpose, secret_hash,
                    security_version, created_at, expires_at, payload)
             SELECT u.tenant_id, $3, $4, u.id, $5, $6, u.security_version, $7, $8, $9
             FROM tenantry_users u WHERE u.tenant_id = $1 AND u.id = $2
             ON CONFLICT (tenant_id, user_id, purpose) DO UPDATE
             SET id = excluded.id, generation = excluded.generation, secret_hash = excluded.secret_hash,
                 security_version = excluded.security_version, created_at = excluded.created_at,
                 expires_at = excluded.expires_at, payload = excluded.payload, used_at = NULL
             WHERE tenantry_one_time_secrets.id <> excluded.id",
            self.tenant.uuid(),
            user.uuid(),
            secret.id.uuid(),
            self.generation.number(),
            secret.purpose.as_str(),
            secret.hash.as_slice(),
            secret.created_at.micros(),
            secret.expires_at.micros(),
            payload
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
    ) -> Result<Option<SecretOwner>, StoreError> {
        let row = fetch_optional!(
            self.conn,
            OwnerRow,
            "SELECT s.user_id, s.expires_at, s.payload FROM tenantry_one_time_secrets s
             JOIN tenantry_users u ON u.tenant_id = s.tenant_id AND u.id = s.user_id
                  AND u.security_version = s.security_version
             WHERE s.tenant_id = $1 AND s.id = $2 AND s.generation = $3 AND s.purpose = $4 AND s.secret_hash = $5
               AND s.used_at IS NULL AND s.expires_at > $6 AND u.disabled_at IS NULL
               AND s.created_at - (s.expires_at - s.created_at) <= $6",
            self.tenant.uuid(),
            id.uuid(),
            self.generation.number(),
            purpose.as_str(),
            hash.as_slice(),
            now.micros()
        )?;
        Ok(row.map(SecretOwner::from))
    }

    /// Uses a secret up; whose it was, if it was good. At most one caller ever gets an answer.
    /// Belongs in the transaction of what it permits.
    pub async fn use_up(
        &mut self,
        id: OneTimeId,
        purpose: Purpose,
        hash: &[u8; 32],
        now: Timestamp,
    ) -> Result<Option<SecretOwner>, StoreError> {
        let row = fetch_optional!(
            self.conn,
            OwnerRow,
            "UPDATE tenantry_one_time_secrets SET used_at = $6
             WHERE tenant_id = $1 AND id = $2 AND generation = $3 AND purpose = $4 AND secret_hash = $5
               AND used_at IS NULL AND expires_at > $6 AND created_at - (expires_at - created_at) <= $6
               AND security_version = (SELECT u.security_version FROM tenantry_users u
                    WHERE u.tenant_id = tenantry_one_time_secrets.tenant_id
                      AND u.id = tenantry_one_time_secrets.user_id AND u.disabled_at IS NULL)
             RETURNING user_id, expires_at, payload",
            self.tenant.uuid(),
            id.uuid(),
            self.generation.number(),
            purpose.as_str(),
            hash.as_slice(),
            now.micros()
        )?;
        Ok(row.map(SecretOwner::from))
    }

    /// Gives a secret back that was used up at `used_at`, as what it permits did not happen.
    pub async fn give_back(
        &mut self,
        id: OneTimeId,
        purpose: Purpose,
        used_at: Timestamp,
    ) -> Result<bool, StoreError> {
        let changed = execute!(
            self.conn,
            "UPDATE tenantry_one_time_secrets SET used_at = NULL
             WHERE tenant_id = $1 AND id = $2 AND generation = $3 AND purpose = $4 AND used_at = $5",
            self.tenant.uuid(),
            id.uuid(),
            self.generation.number(),
            purpose.as_str(),
            used_at.micros()
        )?;
        Ok(changed == 1)
    }

    /// Voids everybody's secrets of a purpose: what one of them permits is done once for all.
    pub async fn void(&mut self, purpose: Purpose, now: Timestamp) -> Result<u64, StoreError> {
        Ok(execute!(
            self.conn,
            "UPDATE tenantry_one_time_secrets SET used_at = $3
             WHERE tenant_id = $1 AND purpose = $2 AND used_at IS NULL",
            self.tenant.uuid(),
            purpose.as_str(),
            now.micros()
        )?)
    }

    /// Voids every secret of a person: what they were sent to is no longer the person's.
    pub async fn void_all(&mut self, user: UserId, now: Timestamp) -> Result<u64, StoreError> {
        execute!(
            self.conn,
            "UPDATE tenantry_one_time_secrets SET used_at = $3
             WHERE tenant_id = $1 AND user_id = $2 AND used_at IS NULL",
            self.tenant.uuid(),
            user.uuid(),
            now.micros()
        )
    }
}
