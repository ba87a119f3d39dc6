//! Sessions, by id; a token names the id and proves itself by its hash.

use std::time::Duration;

use tenantry_core::session::{EndReason, Session, SessionKind, Subject};
use tenantry_core::user::SecurityVersion;
use tenantry_core::{AdminId, DeviceId, Generation, SessionId, TenantId, Timestamp, UserId};
use uuid::Uuid;

use crate::{Conn, StoreError};

/// The sessions.
pub struct Sessions<'c>(pub(super) Conn<'c>);

/// A session and the hash of the token that carries it now.
#[derive(Debug, Clone)]
pub struct StoredSession {
    /// The session.
    pub session: Session,
    /// SHA-256 of the cookie's or refresh token's secret.
    pub token_hash: [u8; 32],
}

row! {
    struct SessionRow {
        id: Uuid,
        token_hash: Vec<u8>,
        kind: String,
        tenant_id: Option<Uuid>,
        generation: Option<i64>,
        subject_id: Uuid,
        security_version: i64,
        created_at: i64,
        last_seen_at: i64,
        expires_at: i64,
        idle_micros: i64,
        ended_at: Option<i64>,
        user_agent: Option<String>,
    }
}

row! { struct CountRow { count: i64 } }

impl TryFrom<SessionRow> for StoredSession {
    type Error = StoreError;

    fn try_from(row: SessionRow) -> Result<Self, StoreError> {
        let corrupt = |column| StoreError::Corrupt {
            table: "sessions",
            column,
        };
        let subject = match (row.tenant_id, row.generation) {
            (Some(tenant), Some(generation)) => Subject::User {
                tenant: TenantId::from_uuid(tenant),
                generation: Generation::new(generation).ok_or_else(|| corrupt("generation"))?,
                user: UserId::from_uuid(row.subject_id),
            },
            (None, None) => Subject::Admin(AdminId::from_uuid(row.subject_id)),
            _ => return Err(corrupt("tenant_id")),
        };
        Ok(Self {
            session: Session {
                id: SessionId::from_uuid(row.id),
                subject,
                security_version: SecurityVersion(row.security_version),
                kind: row
                    .kind
                    .parse::<SessionKind>()
                    .map_err(|_| corrupt("kind"))?,
                created_at: Timestamp::from_micros(row.created_at),
                last_seen_at: Timestamp::from_micros(row.last_seen_at),
                expires_at: Timestamp::from_micros(row.expires_at),
                idle: Duration::from_micros(
                    u64::try_from(row.idle_micros).map_err(|_| corrupt("idle_micros"))?,
                ),
                ended_at: row.ended_at.map(Timestamp::from_micros),
                user_agent: row.user_agent,
            },
            token_hash: row
                .token_hash
                .try_into()
                .map_err(|_| corrupt("token_hash"))?,
        })
    }
}

/// Tenant, generation and person as the table has them.
fn columns(subject: &Subject) -> (Option<Uuid>, Option<i64>, Uuid) {
    match subject {
        Subject::User {
            tenant,
            generation,
            user,
        } => (Some(tenant.uuid()), Some(generation.number()), user.uuid()),
        Subject::Admin(admin) => (None, None, admin.uuid()),
    }
}

impl Sessions<'_> {
    /// Adds a session.
    pub async fn add(&mut self, stored: &StoredSession) -> Result<(), StoreError> {
        let session = &stored.session;
        let (tenant, generation, subject) = columns(&session.subject);
        execute!(
            self.0,
            "INSERT INTO sessions (id, token_hash, kind, tenant_id, generation, subject_id, security_version,
                    created_at, last_seen_at, expires_at, idle_micros, user_agent)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
            session.id.uuid(),
            stored.token_hash.as_slice(),
            session.kind.as_str(),
            tenant,
            generation,
            subject,
            session.security_version.0,
            session.created_at.micros(),
            session.last_seen_at.micros(),
            session.expires_at.micros(),
            i64::try_from(session.idle.as_micros()).unwrap_or(i64::MAX),
            session.user_agent.as_deref()
        )?;
        Ok(())
    }

    /// Notes the device that a session was begun on, with which it ends.
    pub async fn bind(&mut self, id: SessionId, device: DeviceId) -> Result<bool, StoreError> {
        let changed = execute!(
            self.0,
            "UPDATE sessions SET device_id = $2 WHERE id = $1",
            id.uuid(),
            device.uuid()
        )?;
        Ok(changed == 1)
    }

    /// Ends the sessions that were begun on a tenant's device; how many.
    pub async fn end_device(
        &mut self,
        tenant: TenantId,
        device: DeviceId,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        execute!(
            self.0,
            "UPDATE sessions SET ended_at = $3, end_reason = $4
             WHERE tenant_id = $1 AND device_id = $2 AND ended_at IS NULL",
            tenant.uuid(),
            device.uuid(),
            now.micros(),
            EndReason::Admin.as_str()
        )
    }

    /// Ends the sessions that a person of a tenant began with a PIN, on whatever device; how many.
    pub async fn end_on_devices(
        &mut self,
        tenant: TenantId,
        user: UserId,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        execute!(
            self.0,
            "UPDATE sessions SET ended_at = $3, end_reason = $4
             WHERE tenant_id = $1 AND subject_id = $2 AND device_id IS NOT NULL AND ended_at IS NULL",
            tenant.uuid(),
            user.uuid(),
            now.micros(),
            EndReason::Admin.as_str()
        )
    }

    /// The session with this id, ended or not.
    pub async fn lookup(&mut self, id: SessionId) -> Result<Option<StoredSession>, StoreError> {
        fetch_optional!(
            self.0,
            SessionRow,
            "SELECT id, token_hash, kind, tenant_id, generation, subject_id, security_version, created_at,
                    last_seen_at, expires_at, idle_micros, ended_at, user_agent
             FROM sessions WHERE id = $1",
            id.uuid()
        )?
        .map(StoredSession::try_from)
        .transpose()
    }

    /// A person's sessions that have not ended, the latest used first.
    pub async fn list(
        &mut self,
        subject: &Subject,
        now: Timestamp,
    ) -> Result<Vec<Session>, StoreError> {
        let (tenant, generation, person) = columns(subject);
        fetch_all!(
            self.0,
            SessionRow,
            "SELECT id, token_hash, kind, tenant_id, generation, subject_id, security_version, created_at,
                    last_seen_at, expires_at, idle_micros, ended_at, user_agent
             FROM sessions
             WHERE subject_id = $1 AND COALESCE(generation, 0) = COALESCE($2, 0)
               AND ((tenant_id IS NULL AND $3 = 1) OR tenant_id = $4)
               AND ended_at IS NULL AND expires_at > $5 AND last_seen_at > $5 - idle_micros
             ORDER BY last_seen_at DESC, id",
            person,
            generation,
            i64::from(tenant.is_none()),
            tenant,
            now.micros()
        )?
        .into_iter()
        .map(|row| StoredSession::try_from(row).map(|stored| stored.session))
        .collect()
    }

    /// Replaces the token that carries a session; `false` when it is another by now, or ended.
    pub async fn rotate(
        &mut self,
        id: SessionId,
        from: &[u8; 32],
        to: &[u8; 32],
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let changed = execute!(
            self.0,
            "UPDATE sessions SET token_hash = $3, last_seen_at = $4
             WHERE id = $1 AND token_hash = $2 AND ended_at IS NULL",
            id.uuid(),
            from.as_slice(),
            to.as_slice(),
            now.micros()
        )?;
        Ok(changed == 1)
    }

    /// Lets a session live on over a change that raised its person's security version by one;
    /// `false` when it had another version.
    pub async fn carry_over(
        &mut self,
        id: SessionId,
        from: SecurityVersion,
    ) -> Result<bool, StoreError> {
        let changed = execute!(
            self.0,
            "UPDATE sessions SET security_version = $3 WHERE id = $1 AND security_version = $2 AND ended_at IS NULL",
            id.uuid(),
            from.0,
            from.0 + 1
        )?;
        Ok(changed == 1)
    }

    /// Notes that a session was used.
    pub async fn touch(&mut self, id: SessionId, now: Timestamp) -> Result<(), StoreError> {
        execute!(
            self.0,
            "UPDATE sessions SET last_seen_at = $2 WHERE id = $1 AND ended_at IS NULL AND last_seen_at < $2",
            id.uuid(),
            now.micros()
        )?;
        Ok(())
    }

    /// Ends a session; `false` when it had ended.
    pub async fn end(
        &mut self,
        id: SessionId,
        reason: EndReason,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let changed = execute!(
            self.0,
            "UPDATE sessions SET ended_at = $2, end_reason = $3 WHERE id = $1 AND ended_at IS NULL",
            id.uuid(),
            now.micros(),
            reason.as_str()
        )?;
        Ok(changed == 1)
    }

    /// Ends a person's sessions but one; how many.
    pub async fn end_others(
        &mut self,
        subject: &Subject,
        keep: Option<SessionId>,
        reason: EndReason,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let (tenant, _, person) = columns(subject);
        execute!(
            self.0,
            "UPDATE sessions SET ended_at = $5, end_reason = $6
             WHERE subject_id = $1 AND ((tenant_id IS NULL AND $2 = 1) OR tenant_id = $3)
               AND id <> $4 AND ended_at IS NULL",
            person,
            i64::from(tenant.is_none()),
            tenant,
            keep.map_or(Uuid::nil(), SessionId::uuid),
            now.micros(),
            reason.as_str()
        )
    }

    /// Ends every session a tenant has from generations up to this one; how many. Those of a later
    /// one are left alone, also by whoever does this too late.
    pub async fn end_tenant(
        &mut self,
        tenant: TenantId,
        up_to: Generation,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        execute!(
            self.0,
            "UPDATE sessions SET ended_at = $3, end_reason = $4
             WHERE tenant_id = $1 AND generation <= $2 AND ended_at IS NULL",
            tenant.uuid(),
            up_to.number(),
            now.micros(),
            EndReason::Tenant.as_str()
        )
    }

    /// Takes out every trace of a tenant's sessions.
    pub async fn remove_tenant(&mut self, tenant: TenantId) -> Result<u64, StoreError> {
        execute!(
            self.0,
            "DELETE FROM sessions WHERE tenant_id = $1",
            tenant.uuid()
        )
    }

    /// Sessions of a tenant that have not ended.
    pub async fn count_live(
        &mut self,
        tenant: TenantId,
        now: Timestamp,
    ) -> Result<i64, StoreError> {
        let row = fetch_one!(
            self.0,
            CountRow,
            "SELECT COUNT(*) AS count FROM sessions WHERE tenant_id = $1 AND ended_at IS NULL AND expires_at > $2",
            tenant.uuid(),
            now.micros()
        )?;
        Ok(row.count)
    }

    /// Forgets sessions that ran out before `before`.
    pub async fn remove_expired(&mut self, before: Timestamp) -> Result<u64, StoreError> {
        execute!(
            self.0,
            "DELETE FROM sessions WHERE expires_at < $1",
            before.micros()
        )
    }
}
