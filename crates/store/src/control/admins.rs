//! Platform admins.

use tenantry_core::admin::Admin;
use tenantry_core::user::SecurityVersion;
use tenantry_core::{AdminId, Email, Timestamp};
use uuid::Uuid;

use crate::changes::Touched;
use crate::{Conn, StoreError};

/// The platform admins.
pub struct Admins<'c>(pub(super) Conn<'c>, pub(super) &'c mut Touched);

/// An admin and the hash of the password, if one is set.
#[derive(Clone)]
pub struct AdminRecord {
    /// The admin.
    pub admin: Admin,
    /// The password's hash in PHC form.
    pub password_hash: Option<String>,
}

row! {
    struct AdminRow {
        id: Uuid,
        email: String,
        full_name: Option<String>,
        password_hash: Option<String>,
        security_version: i64,
        must_change_password: i64,
        disabled_at: Option<i64>,
        created_at: i64,
        last_login_at: Option<i64>,
    }
}

impl TryFrom<AdminRow> for AdminRecord {
    type Error = StoreError;

    fn try_from(row: AdminRow) -> Result<Self, StoreError> {
        Ok(Self {
            admin: Admin {
                id: AdminId::from_uuid(row.id),
                email: row.email.parse().map_err(|_| StoreError::Corrupt {
                    table: "platform_admins",
                    column: "email",
                })?,
                full_name: row.full_name,
                security_version: SecurityVersion(row.security_version),
                must_change_password: row.must_change_password == 1,
                has_password: row.password_hash.is_some(),
                disabled_at: row.disabled_at.map(Timestamp::from_micros),
                created_at: Timestamp::from_micros(row.created_at),
                last_login_at: row.last_login_at.map(Timestamp::from_micros),
            },
            password_hash: row.password_hash,
        })
    }
}

impl Admins<'_> {
    /// Adds an admin; `false` when the address is taken.
    pub async fn add(&mut self, record: &AdminRecord) -> Result<bool, StoreError> {
        let admin = &record.admin;
        let changed = execute!(
            self.0,
            "INSERT INTO platform_admins (id, email, email_key, full_name, password_hash, security_version,
                    must_change_password, disabled_at, created_at, last_login_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (email_key) DO NOTHING",
            admin.id.uuid(),
            admin.email.as_str(),
            admin.email.key(),
            admin.full_name.as_deref(),
            record.password_hash.as_deref(),
            admin.security_version.0,
            i64::from(admin.must_change_password),
            admin.disabled_at.map(Timestamp::micros),
            admin.created_at.micros(),
            admin.last_login_at.map(Timestamp::micros)
        )?;
        Ok(changed == 1)
    }

    /// The admin with this id.
    pub async fn lookup(&mut self, id: AdminId) -> Result<Option<AdminRecord>, StoreError> {
        fetch_optional!(
            self.0,
            AdminRow,
            "SELECT id, email, full_name, password_hash, security_version, must_change_password, disabled_at,
                    created_at, last_login_at
             FROM platform_admins WHERE id = $1",
            id.uuid()
        )?
        .map(AdminRecord::try_from)
        .transpose()
    }

    /// The admin with this address.
    pub async fn find_by_email(
        &mut self,
        email: &Email,
    ) -> Result<Option<AdminRecord>, StoreError> {
        fetch_optional!(
            self.0,
            AdminRow,
            "SELECT id, email, full_name, password_hash, security_version, must_change_password, disabled_at,
                    created_at, last_login_at
             FROM platform_admins WHERE email_key = $1",
            email.key()
        )?
        .map(AdminRecord::try_from)
        .transpose()
    }

    /// Every admin, the oldest first.
    pub async fn list(&mut self) -> Result<Vec<Admin>, StoreError> {
        fetch_all!(
            self.0,
            AdminRow,
            "SELECT id, email, full_name, password_hash, security_version, must_change_password, disabled_at,
                    created_at, last_login_at
             FROM platform_admins ORDER BY created_at, id"
        )?
        .into_iter()
        .map(|row| AdminRecord::try_from(row).map(|record| record.admin))
        .collect()
    }

    /// Sets the name to show, or takes it away; `false` where nobody has this id.
    pub async fn set_full_name(
        &mut self,
        id: AdminId,
        name: Option<&str>,
    ) -> Result<bool, StoreError> {
        self.1.note(id);
        let changed = execute!(
            self.0,
            "UPDATE platform_admins SET full_name = $2 WHERE id = $1",
            id.uuid(),
            name
        )?;
        Ok(changed == 1)
    }

    /// Sets a password and raises the security version; the version that counts from now on.
    pub async fn set_password(&mut self, id: AdminId, hash: &str) -> Result<bool, StoreError> {
        self.1.note(id);
        let changed = execute!(
            self.0,
            "UPDATE platform_admins SET password_hash = $2, must_change_password = 0,
                    security_version = security_version + 1
             WHERE id = $1",
            id.uuid(),
            hash
        )?;
        Ok(changed == 1)
    }

    /// Replaces the password of an admin whose security version is still this one, and raises it;
    /// `false` when it is another by now.
    pub async fn change_password(
        &mut self,
        id: AdminId,
        hash: &str,
        from: SecurityVersion,
    ) -> Result<bool, StoreError> {
        self.1.note(id);
        let changed = execute!(
            self.0,
            "UPDATE platform_admins SET password_hash = $2, must_change_password = 0,
                    security_version = security_version + 1
             WHERE id = $1 AND security_version = $3",
            id.uuid(),
            hash,
            from.0
        )?;
        Ok(changed == 1)
    }

    /// Replaces a hash by a stronger one of the same password.
    pub async fn upgrade_hash(
        &mut self,
        id: AdminId,
        from: &str,
        to: &str,
    ) -> Result<bool, StoreError> {
        let changed = execute!(
            self.0,
            "UPDATE platform_admins SET password_hash = $3 WHERE id = $1 AND password_hash = $2",
            id.uuid(),
            from,
            to
        )?;
        Ok(changed == 1)
    }

    /// Notes a sign-in.
    pub async fn mark_signed_in(&mut self, id: AdminId, now: Timestamp) -> Result<(), StoreError> {
        self.1.note(id);
        execute!(
            self.0,
            "UPDATE platform_admins SET last_login_at = $2 WHERE id = $1",
            id.uuid(),
            now.micros()
        )?;
        Ok(())
    }
}
