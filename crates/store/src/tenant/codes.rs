//! One-time codes: six digits that a person types.
//!
//! Few digits are soon guessed, so each code has few tries, counted before anything is compared,
//! and by a statement that lets no more through however many come at once.

use tenantry_core::user::SecurityVersion;
use tenantry_core::{Generation, TenantId, Timestamp, UserId};

use crate::{Conn, StoreError};

/// The one-time codes of a tenant's people.
pub struct Codes<'c> {
    pub(super) conn: Conn<'c>,
    pub(super) tenant: TenantId,
    pub(super) generation: Generation,
}

row! { struct CodeRow { code_hash: Vec<u8>, security_version: i64 } }

impl Codes<'_> {
    /// Gives a person a code, bound to the generation and to the security version the person has
    /// now; the one from before counts no more. `false` where nobody has this id.
    pub async fn set(
        &mut self,
        user: UserId,
        code_hash: &[u8; 32],
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<bool, StoreError> {
        let changed = execute!(
            self.conn,
            "INSERT INTO tenantry_codes (tenant_id, user_id, generation, code_hash, security_version, tries,
                    created_at, expires_at)
             SELECT u.tenant_id, u.id, $3, $4, u.security_version, 0, $5, $6
             FROM tenantry_users u WHERE u.tenant_id = $1 AND u.id = $2
             ON CONFLICT (tenant_id, user_id) DO UPDATE
             SET generation = excluded.generation, code_hash = excluded.code_hash,
                 security_version = excluded.security_version, tries = 0,
                 created_at = excluded.created_at, expires_at = excluded.expires_at, used_at = NULL",
            self.tenant.uuid(),
            user.uuid(),
            self.generation.number(),
            code_hash.as_slice(),
            now.micros(),
            expires_at.micros()
        )?;
        Ok(changed == 1)
    }

    /// Counts one try at a person's code; the hash to compare with and the security version it is
    /// bound to, where a code is good and has tries left. One that was made further ahead than it was
    /// to count is not good: a clock that was wrong dated it.
    pub async fn count_try(
        &mut self,
        user: UserId,
        most: i64,
        now: Timestamp,
    ) -> Result<Option<([u8; 32], SecurityVersion)>, StoreError> {
        let row = fetch_optional!(
            self.conn,
            CodeRow,
            "UPDATE tenantry_codes SET tries = tries + 1
             WHERE tenant_id = $1 AND user_id = $2 AND generation = $3 AND tries < $4
               AND used_at IS NULL AND expires_at > $5 AND created_at - (expires_at - created_at) <= $5
               AND security_version = (SELECT u.security_version FROM tenantry_users u
                    WHERE u.tenant_id = tenantry_codes.tenant_id AND u.id = tenantry_codes.user_id
                      AND u.disabled_at IS NULL)
             RETURNING code_hash, security_version",
            self.tenant.uuid(),
            user.uuid(),
            self.generation.number(),
            most,
            now.micros()
        )?;
        row.map(|row| {
            let hash = row.code_hash.try_into().map_err(|_| StoreError::Corrupt {
                table: "tenantry_codes",
                column: "code_hash",
            })?;
            Ok((hash, SecurityVersion(row.security_version)))
        })
        .transpose()
    }

    /// Uses a code up that was compared and fitted; `false` where somebody was faster, or it is
    /// another by now.
    pub async fn use_up(
        &mut self,
        user: UserId,
        code_hash: &[u8; 32],
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let changed = execute!(
            self.conn,
            "UPDATE tenantry_codes SET used_at = $4
             WHERE tenant_id = $1 AND user_id = $2 AND code_hash = $3 AND used_at IS NULL",
            self.tenant.uuid(),
            user.uuid(),
            code_hash.as_slice(),
            now.micros()
        )?;
        Ok(changed == 1)
    }
}
