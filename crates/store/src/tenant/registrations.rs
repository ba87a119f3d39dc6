//! People who registered and have not shown yet that the address is theirs.
//!
//! Nothing is held for them: whose the address and the username are is decided when they come back,
//! by the table of people.

use tenantry_core::user::Username;
use tenantry_core::{Email, Generation, OneTimeId, TenantId, Timestamp};

use crate::{Conn, StoreError};

/// The registrations of a tenant.
pub struct Registrations<'c> {
    pub(super) conn: Conn<'c>,
    pub(super) tenant: TenantId,
    pub(super) generation: Generation,
}

/// Somebody who registered.
#[derive(Clone)]
pub struct Registration {
    /// The id, which the link carries.
    pub id: OneTimeId,
    /// The address to prove.
    pub email: Email,
    /// The name to sign in with.
    pub username: Username,
    /// The name to show, if any.
    pub full_name: Option<String>,
    /// The password's hash.
    pub password_hash: String,
    /// Until when the link is good.
    pub expires_at: Timestamp,
}

row! {
    struct RegistrationRow {
        email: String,
        username: String,
        full_name: Option<String>,
        password_hash: String,
        expires_at: i64,
    }
}

impl RegistrationRow {
    fn registration(self, id: OneTimeId) -> Result<Registration, StoreError> {
        let corrupt = |column| StoreError::Corrupt {
            table: "tenantry_registrations",
            column,
        };
        Ok(Registration {
            id,
            email: self.email.parse().map_err(|_| corrupt("email"))?,
            username: self.username.parse().map_err(|_| corrupt("username"))?,
            full_name: self.full_name,
            password_hash: self.password_hash,
            expires_at: Timestamp::from_micros(self.expires_at),
        })
    }
}

impl Registrations<'_> {
    /// Notes that somebody registered; adding the same one twice is harmless.
    pub async fn add(
        &mut self,
        registration: &Registration,
        secret_hash: &[u8; 32],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        execute!(
            self.conn,
            "INSERT INTO tenantry_registrations (tenant_id, id, generation, email, email_key, username, full_name,
                    password_hash, secret_hash, created_at, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING",
            self.tenant.uuid(),
            registration.id.uuid(),
            self.generation.number(),
            registration.email.as_str(),
            registration.email.key(),
            registration.username.as_str(),
            registration.full_name.as_deref(),
            registration.password_hash.as_str(),
            secret_hash.as_slice(),
            now.micros(),
            registration.expires_at.micros()
        )?;
        Ok(())
    }

    /// The registration with this secret, if it is good now. Uses nothing up. One that was made further
    /// ahead than it was to count is not good: a clock that was wrong dated it.
    pub async fn find_good(
        &mut self,
        id: OneTimeId,
        secret_hash: &[u8; 32],
        now: Timestamp,
    ) -> Result<Option<Registration>, StoreError> {
        fetch_optional!(
            self.conn,
            RegistrationRow,
            "SELECT email, username, full_name, password_hash, expires_at FROM tenantry_registrations
             WHERE tenant_id = $1 AND id = $2 AND generation = $3 AND secret_hash = $4 AND expires_at > $5
               AND created_at - (expires_at - created_at) <= $5",
            self.tenant.uuid(),
            id.uuid(),
            self.generation.number(),
            secret_hash.as_slice(),
            now.micros()
        )?
        .map(|row| row.registration(id))
        .transpose()
    }

    /// Uses a registration up; at most one caller ever gets it. Belongs in the transaction that
    /// adds the person.
    pub async fn take(
        &mut self,
        id: OneTimeId,
        secret_hash: &[u8; 32],
        now: Timestamp,
    ) -> Result<Option<Registration>, StoreError> {
        fetch_optional!(
            self.conn,
            RegistrationRow,
            "DELETE FROM tenantry_registrations
             WHERE tenant_id = $1 AND id = $2 AND generation = $3 AND secret_hash = $4 AND expires_at > $5
               AND created_at - (expires_at - created_at) <= $5
             RETURNING email, username, full_name, password_hash, expires_at",
            self.tenant.uuid(),
            id.uuid(),
            self.generation.number(),
            secret_hash.as_slice(),
            now.micros()
        )?
        .map(|row| row.registration(id))
        .transpose()
    }

    /// Forgets registrations that ran out before `before`, and all for an address once it is
    /// somebody's; how many.
    pub async fn remove_done(
        &mut self,
        before: Timestamp,
        email: &Email,
    ) -> Result<u64, StoreError> {
        execute!(
            self.conn,
            "DELETE FROM tenantry_registrations WHERE tenant_id = $1
               AND (expires_at <= $2
                    OR (email_key = $3 AND EXISTS (SELECT 1 FROM tenantry_users u
                                                   WHERE u.tenant_id = $1 AND u.email_key = $3)))",
            self.tenant.uuid(),
            before.micros(),
            email.key()
        )
    }

    /// Forgets registrations that ran out; how many.
    pub async fn remove_expired(&mut self, now: Timestamp) -> Result<u64, StoreError> {
        execute!(
            self.conn,
            "DELETE FROM tenantry_registrations WHERE tenant_id = $1 AND expires_at <= $2",
            self.tenant.uuid(),
            now.micros()
        )
    }
}
