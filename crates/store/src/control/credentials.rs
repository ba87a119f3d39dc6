//! The roles that sign in to tenant databases: which secret each has, and had.

use tenantry_core::credential::{CredentialState, Slot};
use tenantry_core::{Generation, TenantId, Timestamp};
use uuid::Uuid;

use crate::{Conn, StoreError};

/// The history of tenants' database users.
pub struct Credentials<'c>(pub(super) Conn<'c>);

/// A secret that a role has or had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// The tenant.
    pub tenant: TenantId,
    /// The generation.
    pub generation: Generation,
    /// Which secret of the generation this is, from 1.
    pub serial: i64,
    /// Whose it is.
    pub slot: Slot,
    /// The role's name.
    pub name: String,
    /// Whether it counts.
    pub state: CredentialState,
    /// The secret, sealed; gone once it is retired.
    pub sealed_secret: Option<Vec<u8>>,
    /// When it was drawn.
    pub created_at: Timestamp,
    /// When it was first found to work.
    pub activated_at: Option<Timestamp>,
    /// Since when nobody uses it any more while its successor is in use; for one that retires.
    pub quiet_since: Option<Timestamp>,
    /// When it stopped working.
    pub retired_at: Option<Timestamp>,
}

/// A secret to write down before it is given to a role.
pub struct NewCredential<'a> {
    /// The tenant.
    pub tenant: TenantId,
    /// The generation.
    pub generation: Generation,
    /// Which secret of the generation this is; one more than the last.
    pub serial: i64,
    /// Whose it is.
    pub slot: Slot,
    /// The role's name.
    pub name: &'a str,
    /// The secret, sealed.
    pub sealed_secret: &'a [u8],
}

row! {
    struct CredentialRow {
        tenant_id: Uuid,
        generation: i64,
        serial: i64,
        slot: String,
        name: String,
        state: String,
        sealed_secret: Option<Vec<u8>>,
        created_at: i64,
        activated_at: Option<i64>,
        quiet_since: Option<i64>,
        retired_at: Option<i64>,
    }
}

/// Secrets, whosever they are; what follows chooses among them.
macro_rules! secrets {
    ($($which:literal)+) => {
        concat!(
            "SELECT u.tenant_id, u.generation, u.serial, u.slot, u.name, u.state, u.sealed_secret,
                    u.created_at, u.activated_at, u.quiet_since, u.retired_at
             FROM tenant_database_users u ",
            $($which),+
        )
    };
}

/// Secrets of the present generation of tenants `t`.
macro_rules! present_secrets {
    ($which:literal) => {
        secrets!(
            "JOIN tenants t ON t.id = u.tenant_id AND t.generation = u.generation "
            $which
        )
    };
}

impl TryFrom<CredentialRow> for Credential {
    type Error = StoreError;

    fn try_from(row: CredentialRow) -> Result<Self, StoreError> {
        let corrupt = |column| StoreError::Corrupt {
            table: "tenant_database_users",
            column,
        };
        Ok(Self {
            tenant: TenantId::from_uuid(row.tenant_id),
            generation: Generation::new(row.generation).ok_or_else(|| corrupt("generation"))?,
            serial: row.serial,
            slot: row.slot.parse().map_err(|_| corrupt("slot"))?,
            name: row.name,
            state: row.state.parse().map_err(|_| corrupt("state"))?,
            sealed_secret: row.sealed_secret,
            created_at: Timestamp::from_micros(row.created_at),
            activated_at: row.activated_at.map(Timestamp::from_micros),
            quiet_since: row.quiet_since.map(Timestamp::from_micros),
            retired_at: row.retired_at.map(Timestamp::from_micros),
        })
    }
}

fn read(rows: Vec<CredentialRow>) -> Result<Vec<Credential>, StoreError> {
    rows.into_iter().map(Credential::try_from).collect()
}

impl Credentials<'_> {
    /// Writes a secret down as `pending`; `false` when that serial, slot or state is taken.
    pub async fn add(
        &mut self,
        new: &NewCredential<'_>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let changed = execute!(
            self.0,
            "INSERT INTO tenant_database_users
                 (tenant_id, generation, serial, slot, name, state, sealed_secret, created_at)
             VALUES ($1, $2, $3, $4, $5, 'pending', $6, $7) ON CONFLICT DO NOTHING",
            new.tenant.uuid(),
            new.generation.number(),
            new.serial,
            new.slot.as_str(),
            new.name,
            new.sealed_secret,
            now.micros(),
        )?;
        Ok(changed == 1)
    }

    /// Every secret of one generation, the newest first.
    pub async fn list(
        &mut self,
        tenant: TenantId,
        generation: Generation,
    ) -> Result<Vec<Credential>, StoreError> {
        read(fetch_all!(
            self.0,
            CredentialRow,
            secrets!(
                "WHERE tenant_id = $1 AND generation = $2
                 ORDER BY serial DESC"
            ),
            tenant.uuid(),
            generation.number()
        )?)
    }

    /// The secrets of a slot that its role may have: the one that counts, and after it the one that
    /// is about to take its place.
    pub async fn usable(
        &mut self,
        tenant: TenantId,
        generation: Generation,
        slot: Slot,
    ) -> Result<Vec<Credential>, StoreError> {
        read(fetch_all!(
            self.0,
            CredentialRow,
            secrets!(
                "WHERE tenant_id = $1 AND generation = $2 AND slot = $3 AND state IN ('pending', 'active')
                 ORDER BY state, serial DESC"
            ),
            tenant.uuid(),
            generation.number(),
            slot.as_str()
        )?)
    }

    /// The secret of a slot that counts; where there is none yet, the one that is about to.
    pub async fn current(
        &mut self,
        tenant: TenantId,
        generation: Generation,
        slot: Slot,
    ) -> Result<Option<Credential>, StoreError> {
        let usable = self.usable(tenant, generation, slot).await?;
        Ok(usable.into_iter().next())
    }

    /// Applications' secrets on their way out, of the present generation of tenants that are or may
    /// come back in use; in the order of tenants, of which each has at most one.
    pub async fn list_retiring(
        &mut self,
        after: Option<TenantId>,
        limit: i64,
    ) -> Result<Vec<Credential>, StoreError> {
        read(fetch_all!(
            self.0,
            CredentialRow,
            present_secrets!(
                "WHERE u.state = 'retiring' AND u.tenant_id > $1
                   AND t.status IN ('active', 'suspended', 'deleted')
                 ORDER BY u.tenant_id LIMIT $2"
            ),
            after.map_or(Uuid::nil(), TenantId::uuid),
            limit
        )?)
    }

    /// The server's own secrets that count since before a moment and have no successor yet, of
    /// tenants in use, the oldest first.
    pub async fn list_service_older(
        &mut self,
        before: Timestamp,
        limit: i64,
    ) -> Result<Vec<Credential>, StoreError> {
        read(fetch_all!(
            self.0,
            CredentialRow,
            present_secrets!(
                "WHERE u.slot = 'service' AND u.state = 'active' AND u.activated_at < $1
                   AND t.status IN ('active', 'suspended')
                   AND NOT EXISTS (SELECT 1 FROM tenant_database_users n
                        WHERE n.tenant_id = u.tenant_id AND n.generation = u.generation
                          AND n.slot = 'service' AND n.state = 'pending')
                 ORDER BY u.activated_at LIMIT $2"
            ),
            before.micros(),
            limit
        )?)
    }

    /// The server's own secrets that are to take the place of one that counts, of tenants in use;
    /// in the order of tenants, of which each has at most one.
    pub async fn list_service_changing(
        &mut self,
        after: Option<TenantId>,
        limit: i64,
    ) -> Result<Vec<Credential>, StoreError> {
        read(fetch_all!(
            self.0,
            CredentialRow,
            present_secrets!(
                "WHERE u.slot = 'service' AND u.state = 'pending' AND u.tenant_id > $1
                   AND t.status IN ('active', 'suspended')
                   AND EXISTS (SELECT 1 FROM tenant_database_users n
                        WHERE n.tenant_id = u.tenant_id AND n.generation = u.generation
                          AND n.slot = 'service' AND n.state = 'active')
                 ORDER BY u.tenant_id LIMIT $2"
            ),
            after.map_or(Uuid::nil(), TenantId::uuid),
            limit
        )?)
    }

    /// Applications' secrets of tenants in use that count since before a moment, that no other is
    /// draining beside, and that nobody was reminded of since another; the oldest first.
    pub async fn list_to_remind(
        &mut self,
        before: Timestamp,
        reminded_before: Timestamp,
        limit: i64,
    ) -> Result<Vec<Credential>, StoreError> {
        read(fetch_all!(
            self.0,
            CredentialRow,
            present_secrets!(
                "WHERE u.slot IN ('a', 'b') AND u.state = 'active' AND u.activated_at < $1
                   AND (u.reminded_at IS NULL OR u.reminded_at < $2) AND t.status = 'active'
                   AND NOT EXISTS (SELECT 1 FROM tenant_database_users n
                        WHERE n.tenant_id = u.tenant_id AND n.generation = u.generation
                          AND n.slot <> 'service' AND n.state IN ('pending', 'retiring'))
                 ORDER BY u.activated_at LIMIT $3"
            ),
            before.micros(),
            reminded_before.micros(),
            limit
        )?)
    }

    /// Notes that somebody is reminded of a secret's age; `false` when somebody was since
    /// `reminded_before`, or it counts no more.
    pub async fn mark_reminded(
        &mut self,
        credential: &Credential,
        reminded_before: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let changed = execute!(
            self.0,
            "UPDATE tenant_database_users SET reminded_at = $5
             WHERE tenant_id = $1 AND generation = $2 AND serial = $3 AND state = 'active'
               AND (reminded_at IS NULL OR reminded_at < $4)",
            credential.tenant.uuid(),
            credential.generation.number(),
            credential.serial,
            reminded_before.micros(),
            now.micros()
        )?;
        Ok(changed == 1)
    }

    /// Makes what is done to a secret's role one process's alone until a moment; `false` where it is
    /// another's, or the secret is in another state by now. The hold stays with the secret when its
    /// state changes. Nobody else may give the role a secret meanwhile, or take it from it.
    pub async fn hold(
        &mut self,
        credential: &Credential,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        let changed = execute!(
            self.0,
            "UPDATE tenant_database_users SET held_until = $6
             WHERE tenant_id = $1 AND generation = $2 AND serial = $3 AND state = $4
               AND (held_until IS NULL OR held_until <= $5)",
            credential.tenant.uuid(),
            credential.generation.number(),
            credential.serial,
            credential.state.as_str(),
            now.micros(),
            until.micros()
        )?;
        Ok(changed == 1)
    }

    /// Gives up a hold that was taken until this moment; `false` where it is somebody else's by now.
    pub async fn release(
        &mut self,
        credential: &Credential,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        let changed = execute!(
            self.0,
            "UPDATE tenant_database_users SET held_until = NULL
             WHERE tenant_id = $1 AND generation = $2 AND serial = $3 AND held_until = $4",
            credential.tenant.uuid(),
            credential.generation.number(),
            credential.serial,
            until.micros()
        )?;
        Ok(changed == 1)
    }

    /// Notes since when nobody uses a secret that retires, or that somebody does (`None`).
    pub async fn mark_quiet(
        &mut self,
        credential: &Credential,
        since: Option<Timestamp>,
    ) -> Result<bool, StoreError> {
        let changed = execute!(
            self.0,
            "UPDATE tenant_database_users SET quiet_since = $4
             WHERE tenant_id = $1 AND generation = $2 AND serial = $3 AND state = 'retiring'",
            credential.tenant.uuid(),
            credential.generation.number(),
            credential.serial,
            since.map(Timestamp::micros)
        )?;
        Ok(changed == 1)
    }

    /// Changes the state of one secret from the one it was read in; `false` when it is another by
    /// now.
    pub async fn change_state(
        &mut self,
        credential: &Credential,
        to: CredentialState,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let changed = execute!(
            self.0,
            "UPDATE tenant_database_users SET state = $5,
                    activated_at = CASE WHEN $5 = 'active' THEN $6 ELSE activated_at END,
                    retired_at = CASE WHEN $5 = 'retired' THEN $6 ELSE retired_at END,
                    sealed_secret = CASE WHEN $5 = 'retired' THEN NULL ELSE sealed_secret END
             WHERE tenant_id = $1 AND generation = $2 AND serial = $3 AND state = $4",
            credential.tenant.uuid(),
            credential.generation.number(),
            credential.serial,
            credential.state.as_str(),
            to.as_str(),
            now.micros()
        )?;
        Ok(changed == 1)
    }
}
