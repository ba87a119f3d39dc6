//! Changing people: what they are called, what they may do, whether they get in.
//!
//! The rule that one owner who gets in stays is kept by the statements themselves; their
//! transaction has called [`Users::hold`] first, so that two owners can't take each other out at
//! the same moment.

use tenantry_core::user::{SecurityVersion, Username};
use tenantry_core::{Email, Role, Timestamp, UserId};

use super::Users;
use crate::StoreError;

row! { struct CountRow { count: i64 } }
row! { struct TakenRow { what: String } }

/// What is to be different about a person; `None` leaves it as it is.
#[derive(Debug, Clone, Default)]
pub struct Change<'a> {
    /// The address.
    pub email: Option<&'a Email>,
    /// The name to sign in with; `Some(None)` takes it away.
    pub username: Option<Option<&'a Username>>,
    /// The name to show; `Some(None)` takes it away.
    pub full_name: Option<Option<&'a str>>,
    /// What the person may do.
    pub role: Option<Role>,
    /// Since when the person is kept out; `Some(None)` lets the person in again.
    pub disabled_at: Option<Option<Timestamp>>,
    /// Whether the password must be replaced before anything else.
    pub must_change_password: Option<bool>,
}

/// How changing a person ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    /// It is as it should be.
    Yes,
    /// Nobody has this id.
    Gone,
    /// Somebody else in the tenant has the address.
    EmailTaken,
    /// Somebody else in the tenant has the username.
    UsernameTaken,
    /// It would leave the tenant without an owner who gets in.
    LastOwner,
}

impl Users<'_> {
    /// Owners who are not disabled.
    pub async fn count_owners(&mut self) -> Result<i64, StoreError> {
        let row = fetch_one!(
            self.conn,
            CountRow,
            "SELECT COUNT(*) AS count FROM tenantry_users
             WHERE tenant_id = $1 AND role = 'owner' AND disabled_at IS NULL",
            self.tenant.uuid()
        )?;
        Ok(row.count)
    }

    /// Makes whoever else changes the tenant's people wait until this transaction ends.
    pub async fn hold(&mut self) -> Result<(), StoreError> {
        execute!(
            self.conn,
            "UPDATE tenantry_stamp SET stamped_at = stamped_at WHERE tenant_id = $1",
            self.tenant.uuid()
        )?;
        Ok(())
    }

    /// Changes a person. A changed role or address, or being kept out, raises the security version,
    /// which ends what was proved before; another role also takes the PIN away, since whoever set it
    /// for the person may have less power than the role. Of two who want one name at the same moment the second may
    /// meet the constraint itself ([`StoreError::is_unique`]); done again, it is told.
    pub async fn change(&mut self, id: UserId, change: &Change<'_>) -> Result<Changed, StoreError> {
        self.touched.note(id);
        let (set_username, username) = (change.username.is_some(), change.username.flatten());
        let (set_name, name) = (change.full_name.is_some(), change.full_name.flatten());
        let (set_disabled, disabled) = (change.disabled_at.is_some(), change.disabled_at.flatten());
        let changed = execute!(
            self.conn,
            "UPDATE tenantry_users SET
                    email = COALESCE($3, email), email_key = COALESCE($4, email_key),
                    username = CASE WHEN $5 = 1 THEN $6 ELSE username END,
                    username_key = CASE WHEN $5 = 1 THEN $7 ELSE username_key END,
                    full_name = CASE WHEN $8 = 1 THEN $9 ELSE full_name END,
                    role = COALESCE($10, role),
                    pin_hash = CASE WHEN COALESCE($10, role) <> role THEN NULL ELSE pin_hash END,
                    disabled_at = CASE WHEN $11 = 0 THEN disabled_at
                                       WHEN $12 IS NULL THEN NULL
                                       ELSE COALESCE(disabled_at, $12) END,
                    must_change_password = COALESCE($13, must_change_password),
                    security_version = security_version + CASE
                        WHEN COALESCE($10, role) <> role THEN 1
                        WHEN COALESCE($4, email_key) <> email_key THEN 1
                        WHEN $11 = 1 AND (disabled_at IS NULL) <> ($12 IS NULL) THEN 1
                        ELSE 0 END
             WHERE tenant_id = $1 AND id = $2
               AND (role <> 'owner' OR disabled_at IS NOT NULL
                    OR (COALESCE($10, role) = 'owner' AND ($11 = 0 OR $12 IS NULL))
                    OR EXISTS (SELECT 1 FROM tenantry_users o
                               WHERE o.tenant_id = $1 AND o.id <> $2 AND o.role = 'owner'
                                 AND o.disabled_at IS NULL))
               AND NOT EXISTS (SELECT 1 FROM tenantry_users o
                               WHERE o.tenant_id = $1 AND o.id <> $2
                                 AND (o.email_key = $4 OR o.username_key = $7))",
            self.tenant.uuid(),
            id.uuid(),
            change.email.map(Email::as_str),
            change.email.map(Email::key),
            i64::from(set_username),
            username.map(Username::as_str),
            username.map(Username::key),
            i64::from(set_name),
            name,
            change.role.map(tenantry_core::Role::as_str),
            i64::from(set_disabled),
            disabled.map(Timestamp::micros),
            change.must_change_password.map(i64::from)
        )?;
        Ok(match changed {
            0 => self.why_not(id, change).await?,
            _ => Changed::Yes,
        })
    }

    /// Takes a person out, with the one-time secrets; [`Changed::Gone`] where nobody is.
    pub async fn remove(&mut self, id: UserId) -> Result<Changed, StoreError> {
        self.touched.note(id);
        let changed = execute!(
            self.conn,
            "DELETE FROM tenantry_users
             WHERE tenant_id = $1 AND id = $2
               AND (role <> 'owner' OR disabled_at IS NOT NULL
                    OR EXISTS (SELECT 1 FROM tenantry_users o
                               WHERE o.tenant_id = $1 AND o.id <> $2 AND o.role = 'owner'
                                 AND o.disabled_at IS NULL))",
            self.tenant.uuid(),
            id.uuid()
        )?;
        Ok(match changed {
            0 => self.why_not(id, &Change::default()).await?,
            _ => Changed::Yes,
        })
    }

    async fn why_not(&mut self, id: UserId, change: &Change<'_>) -> Result<Changed, StoreError> {
        if self.lookup(id).await?.is_none() {
            return Ok(Changed::Gone);
        }
        let taken = fetch_optional!(
            self.conn,
            TakenRow,
            "SELECT CASE WHEN email_key = $3 THEN 'email' ELSE 'username' END AS what FROM tenantry_users
             WHERE tenant_id = $1 AND id <> $2 AND (email_key = $3 OR username_key = $4)
             ORDER BY CASE WHEN email_key = $3 THEN 0 ELSE 1 END LIMIT 1",
            self.tenant.uuid(),
            id.uuid(),
            change.email.map(Email::key),
            change.username.flatten().map(Username::key)
        )?;
        Ok(match taken {
            Some(row) if row.what == "email" => Changed::EmailTaken,
            Some(_) => Changed::UsernameTaken,
            None => Changed::LastOwner,
        })
    }

    /// Sets the hash of a PIN, or takes it away; `false` where nobody has this id.
    pub async fn set_pin(&mut self, id: UserId, hash: Option<&str>) -> Result<bool, StoreError> {
        self.touched.note(id);
        let changed = execute!(
            self.conn,
            "UPDATE tenantry_users SET pin_hash = $3 WHERE tenant_id = $1 AND id = $2",
            self.tenant.uuid(),
            id.uuid(),
            hash
        )?;
        Ok(changed == 1)
    }

    /// Sets a password and raises the security version, which ends what was proved before. The PIN
    /// goes too: whoever sets a password without the old one may do it because somebody else got in.
    pub async fn set_password(
        &mut self,
        id: UserId,
        hash: &str,
        must_change: bool,
    ) -> Result<bool, StoreError> {
        self.touched.note(id);
        let changed = execute!(
            self.conn,
            "UPDATE tenantry_users SET password_hash = $3, must_change_password = $4, pin_hash = NULL,
                    security_version = security_version + 1
             WHERE tenant_id = $1 AND id = $2",
            self.tenant.uuid(),
            id.uuid(),
            hash,
            i64::from(must_change)
        )?;
        Ok(changed == 1)
    }

    /// Replaces the password of somebody whose security version is still this one, and raises it;
    /// `false` when it is another by now.
    pub async fn change_password(
        &mut self,
        id: UserId,
        hash: &str,
        from: SecurityVersion,
    ) -> Result<bool, StoreError> {
        self.touched.note(id);
        let changed = execute!(
            self.conn,
            "UPDATE tenantry_users SET password_hash = $3, must_change_password = 0,
                    security_version = security_version + 1
             WHERE tenant_id = $1 AND id = $2 AND security_version = $4",
            self.tenant.uuid(),
            id.uuid(),
            hash,
            from.0
        )?;
        Ok(changed == 1)
    }

    /// Replaces a hash by a stronger one of the same password; `false` when it is another by now.
    pub async fn upgrade_hash(
        &mut self,
        id: UserId,
        from: &str,
        to: &str,
    ) -> Result<bool, StoreError> {
        let changed = execute!(
            self.conn,
            "UPDATE tenantry_users SET password_hash = $4 WHERE tenant_id = $1 AND id = $2 AND password_hash = $3",
            self.tenant.uuid(),
            id.uuid(),
            from,
            to
        )?;
        Ok(changed == 1)
    }

    /// Notes a sign-in.
    pub async fn mark_signed_in(&mut self, id: UserId, now: Timestamp) -> Result<(), StoreError> {
        self.touched.note(id);
        execute!(
            self.conn,
            "UPDATE tenantry_users SET last_login_at = $3 WHERE tenant_id = $1 AND id = $2",
            self.tenant.uuid(),
            id.uuid(),
            now.micros()
        )?;
        Ok(())
    }

    /// Keeps a person out from now on; `false` where that is so already.
    pub async fn mark_disabled(&mut self, id: UserId, now: Timestamp) -> Result<bool, StoreError> {
        self.touched.note(id);
        let changed = execute!(
            self.conn,
            "UPDATE tenantry_users SET disabled_at = $3
             WHERE tenant_id = $1 AND id = $2 AND disabled_at IS NULL",
            self.tenant.uuid(),
            id.uuid(),
            now.micros()
        )?;
        Ok(changed == 1)
    }
}
