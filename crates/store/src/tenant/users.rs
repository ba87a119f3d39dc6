//! A tenant's people.

mod changes;

use tenantry_core::user::{SecurityVersion, User, Username};
use tenantry_core::{Email, Role, TenantId, Timestamp, UserId};
use uuid::Uuid;

pub use changes::{Change, Changed};

use crate::changes::Touched;
use crate::{Conn, StoreError};

/// The people of one tenant.
pub struct Users<'c> {
    pub(super) conn: Conn<'c>,
    pub(super) tenant: TenantId,
    pub(super) touched: &'c mut Touched,
}

/// A person and the hashes of the secrets that are set.
#[derive(Clone)]
pub struct UserRecord {
    /// The person.
    pub user: User,
    /// The password's hash.
    pub password_hash: Option<String>,
    /// The PIN's hash.
    pub pin_hash: Option<String>,
}

/// A person to add.
pub struct NewUser<'a> {
    /// The id.
    pub id: UserId,
    /// The address.
    pub email: &'a Email,
    /// The name to sign in with, if any.
    pub username: Option<&'a Username>,
    /// The name to show, if any.
    pub full_name: Option<&'a str>,
    /// What the person may do.
    pub role: Role,
    /// The password's hash, if one is set.
    pub password_hash: Option<&'a str>,
    /// The password must be replaced before anything else.
    pub must_change_password: bool,
    /// When the person is added.
    pub created_at: Timestamp,
}

/// How adding a person ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    /// The person is there, now or already.
    Yes,
    /// Somebody in the tenant has the address.
    EmailTaken,
    /// Somebody in the tenant has the username.
    UsernameTaken,
}

row! {
    struct UserRow {
        id: Uuid,
        email: String,
        username: Option<String>,
        full_name: Option<String>,
        role: String,
        password_hash: Option<String>,
        pin_hash: Option<String>,
        security_version: i64,
        must_change_password: i64,
        disabled_at: Option<i64>,
        created_at: i64,
        last_login_at: Option<i64>,
    }
}

row! { struct IdRow { id: Uuid } }

/// The people for whom a condition holds.
macro_rules! person {
    ($condition:literal) => {
        concat!(
            "SELECT id, email, username, full_name, role, password_hash, pin_hash, security_version,
                    must_change_password, disabled_at, created_at, last_login_at
             FROM tenantry_users WHERE ",
            $condition
        )
    };
}

impl TryFrom<UserRow> for UserRecord {
    type Error = StoreError;

    fn try_from(row: UserRow) -> Result<Self, StoreError> {
        let corrupt = |column| StoreError::Corrupt {
            table: "tenantry_users",
            column,
        };
        Ok(Self {
            user: User {
                id: UserId::from_uuid(row.id),
                email: row.email.parse().map_err(|_| corrupt("email"))?,
                username: row.username,
                full_name: row.full_name,
                role: row.role.parse().map_err(|_| corrupt("role"))?,
                security_version: SecurityVersion(row.security_version),
                must_change_password: row.must_change_password == 1,
                has_password: row.password_hash.is_some(),
                has_pin: row.pin_hash.is_some(),
                disabled_at: row.disabled_at.map(Timestamp::from_micros),
                created_at: Timestamp::from_micros(row.created_at),
                last_login_at: row.last_login_at.map(Timestamp::from_micros),
            },
            password_hash: row.password_hash,
            pin_hash: row.pin_hash,
        })
    }
}

impl Users<'_> {
    /// Adds a person; the table's own constraints decide. Adding the same id twice is harmless.
    pub async fn add(&mut self, user: &NewUser<'_>) -> Result<Added, StoreError> {
        let changed = execute!(
            self.conn,
            "INSERT INTO tenantry_users (tenant_id, id, email, email_key, username, username_key, full_name, role,
                    password_hash, security_version, must_change_password, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1, $10, $11) ON CONFLICT DO NOTHING",
            self.tenant.uuid(),
            user.id.uuid(),
            user.email.as_str(),
            user.email.key(),
            user.username.map(Username::as_str),
            user.username.map(Username::key),
            user.full_name,
            user.role.as_str(),
            user.password_hash,
            i64::from(user.must_change_password),
            user.created_at.micros()
        )?;
        if changed == 1 || self.lookup(user.id).await?.is_some() {
            return Ok(Added::Yes);
        }
        let holder = fetch_optional!(
            self.conn,
            IdRow,
            "SELECT id FROM tenantry_users WHERE tenant_id = $1 AND email_key = $2",
            self.tenant.uuid(),
            user.email.key()
        )?;
        Ok(if holder.is_some_and(|row| row.id != user.id.uuid()) {
            Added::EmailTaken
        } else {
            Added::UsernameTaken
        })
    }

    /// The person with this id.
    pub async fn lookup(&mut self, id: UserId) -> Result<Option<UserRecord>, StoreError> {
        fetch_optional!(
            self.conn,
            UserRow,
            person!("tenant_id = $1 AND id = $2"),
            self.tenant.uuid(),
            id.uuid()
        )?
        .map(UserRecord::try_from)
        .transpose()
    }

    /// The person with this address.
    pub async fn find_by_email(&mut self, email: &Email) -> Result<Option<UserRecord>, StoreError> {
        fetch_optional!(
            self.conn,
            UserRow,
            person!("tenant_id = $1 AND email_key = $2"),
            self.tenant.uuid(),
            email.key()
        )?
        .map(UserRecord::try_from)
        .transpose()
    }

    /// The person with this username.
    pub async fn find_by_username(
        &mut self,
        username: &Username,
    ) -> Result<Option<UserRecord>, StoreError> {
        fetch_optional!(
            self.conn,
            UserRow,
            person!("tenant_id = $1 AND username_key = $2"),
            self.tenant.uuid(),
            username.key()
        )?
        .map(UserRecord::try_from)
        .transpose()
    }

    /// People in the order of their ids, after the one with the id `after`.
    pub async fn list(
        &mut self,
        after: Option<UserId>,
        limit: i64,
    ) -> Result<Vec<User>, StoreError> {
        fetch_all!(
            self.conn,
            UserRow,
            person!("tenant_id = $1 AND id > $2 ORDER BY id LIMIT $3"),
            self.tenant.uuid(),
            after.map_or(Uuid::nil(), UserId::uuid),
            limit
        )?
        .into_iter()
        .map(|row| UserRecord::try_from(row).map(|record| record.user))
        .collect()
    }

    /// The owners who are not disabled, whoever was there first first.
    pub async fn list_owners(&mut self) -> Result<Vec<User>, StoreError> {
        fetch_all!(
            self.conn,
            UserRow,
            person!("tenant_id = $1 AND role = 'owner' AND disabled_at IS NULL ORDER BY id"),
            self.tenant.uuid()
        )?
        .into_iter()
        .map(|row| UserRecord::try_from(row).map(|record| record.user))
        .collect()
    }
}
