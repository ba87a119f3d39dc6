//! Sessions in the control database, by what their tokens say; a token proves itself by its hash.
//!
//! Called by the driver `database` of the sessions crate, and by housekeeping, which clears up also
//! where sessions lie elsewhere by now.

mod ending;
mod limit;

use std::time::Duration;

use tenantry_core::marks::Topic;
use tenantry_core::session::{AHEAD, EndReason, Handle, Session, SessionKind, Subject};
use tenantry_core::user::SecurityVersion;
use tenantry_core::{AdminId, DeviceId, Generation, SessionId, TenantId, Timestamp, UserId};
use uuid::Uuid;

use crate::changes::Touched;
use crate::{Conn, StoreError};

/// The sessions.
pub struct Sessions<'c>(pub(super) Conn<'c>, pub(super) &'c mut Touched);

/// A session as it is stored, with the hash of the token that carries it now.
#[derive(Debug, Clone)]
pub struct StoredSession {
    /// The session.
    pub session: Session,
    /// SHA-256 of the cookie's or refresh token's secret.
    pub token_hash: [u8; 32],
    /// The device it was begun on with a PIN, with which it ends.
    pub device: Option<DeviceId>,
    /// SHA-256 of the stored hash of the PIN it was begun with, which is another once the person has
    /// another PIN. Not known of sessions begun by versions before this was kept.
    pub pin_digest: Option<[u8; 32]>,
    /// Why it was ended; there exactly when it was.
    pub end_reason: Option<EndReason>,
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
        end_reason: Option<String>,
        user_agent: Option<String>,
        device_id: Option<Uuid>,
        pin_digest: Option<Vec<u8>>,
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
            device: row.device_id.map(DeviceId::from_uuid),
            pin_digest: row
                .pin_digest
                .map(|digest| digest.try_into().map_err(|_| corrupt("pin_digest")))
                .transpose()?,
            end_reason: row
                .end_reason
                .map(|reason| reason.parse().map_err(|_| corrupt("end_reason")))
                .transpose()?,
        })
    }
}

/// Tenant, generation and person as the table has them.
fn columns(subject: &Subject) -> (Option<Uuid>, Option<i64>, Uuid) {
    let scope = subject.scope();
    (
        scope.map(|(tenant, _)| tenant.uuid()),
        scope.map(|(_, generation)| generation.number()),
        subject.person(),
    )
}

/// Session, generation and tenant as conditions compare them: 0 is the platform's generation.
fn key(handle: &Handle) -> (Uuid, i64, Option<Uuid>) {
    (
        handle.id.uuid(),
        handle
            .scope
            .map_or(0, |(_, generation)| generation.number()),
        handle.scope.map(|(tenant, _)| tenant.uuid()),
    )
}

impl Sessions<'_> {
    /// Adds a session.
    pub async fn add(&mut self, stored: &StoredSession) -> Result<(), StoreError> {
        let session = &stored.session;
        let (tenant, generation, subject) = columns(&session.subject);
        execute!(
            self.0,
            "INSERT INTO sessions (id, token_hash, kind, tenant_id, generation, subject_id, security_version,
                    created_at, last_seen_at, expires_at, idle_micros, user_agent, device_id, ended_at, end_reason,
                    pin_digest)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
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
            session.user_agent.as_deref(),
            stored.device.map(DeviceId::uuid),
            session.ended_at.map(Timestamp::micros),
            stored.end_reason.map(EndReason::as_str),
            stored.pin_digest.as_ref().map(<[u8; 32]>::as_slice)
        )?;
        Ok(())
    }

    /// The session that a token means, ended or not.
    pub async fn lookup(&mut self, handle: &Handle) -> Result<Option<StoredSession>, StoreError> {
        let (id, generation, tenant) = key(handle);
        fetch_optional!(
            self.0,
            SessionRow,
            "SELECT id, token_hash, kind, tenant_id, generation, subject_id, security_version, created_at,
                    last_seen_at, expires_at, idle_micros, ended_at, end_reason, user_agent, device_id, pin_digest
             FROM sessions
             WHERE id = $1 AND COALESCE(generation, 0) = $2 AND ((tenant_id IS NULL AND $2 = 0) OR tenant_id = $3)",
            id,
            generation,
            tenant
        )?
        .map(StoredSession::try_from)
        .transpose()
    }

    /// A person's sessions that are alive, the latest used first: so many of those that come
    /// after the one with this last use and id.
    pub async fn list(
        &mut self,
        subject: &Subject,
        now: Timestamp,
        after: Option<(Timestamp, SessionId)>,
        limit: i64,
    ) -> Result<Vec<Session>, StoreError> {
        let (tenant, generation, person) = columns(subject);
        let (used, id) = after.map_or((i64::MAX, Uuid::nil()), |(used, id)| {
            (used.micros(), id.uuid())
        });
        fetch_all!(
            self.0,
            SessionRow,
            "SELECT id, token_hash, kind, tenant_id, generation, subject_id, security_version, created_at,
                    last_seen_at, expires_at, idle_micros, ended_at, end_reason, user_agent, device_id, pin_digest
             FROM sessions
             WHERE subject_id = $1 AND COALESCE(generation, 0) = $2 AND ((tenant_id IS NULL AND $2 = 0) OR tenant_id = $3)
               AND ended_at IS NULL AND expires_at > $4 AND last_seen_at > $4 - idle_micros
               AND created_at <= $5 AND last_seen_at <= $5
               AND (last_seen_at < $6 OR (last_seen_at = $6 AND id > $7))
             ORDER BY last_seen_at DESC, id LIMIT $8",
            person,
            generation.unwrap_or(0),
            tenant,
            now.micros(),
            (now + AHEAD).micros(),
            used,
            id,
            limit
        )?
        .into_iter()
        .map(|row| StoredSession::try_from(row).map(|stored| stored.session))
        .collect()
    }

    /// A person's sessions that ended for this reason, the latest end first: so many.
    pub async fn list_ended(
        &mut self,
        subject: &Subject,
        reason: EndReason,
        limit: i64,
    ) -> Result<Vec<Session>, StoreError> {
        let (tenant, generation, person) = columns(subject);
        fetch_all!(
            self.0,
            SessionRow,
            "SELECT id, token_hash, kind, tenant_id, generation, subject_id, security_version, created_at,
                    last_seen_at, expires_at, idle_micros, ended_at, end_reason, user_agent, device_id, pin_digest
             FROM sessions
             WHERE subject_id = $1 AND COALESCE(generation, 0) = $2 AND ((tenant_id IS NULL AND $2 = 0) OR tenant_id = $3)
               AND end_reason = $4
             ORDER BY ended_at DESC, id LIMIT $5",
            person,
            generation.unwrap_or(0),
            tenant,
            reason.as_str(),
            limit
        )?
        .into_iter()
        .map(|row| StoredSession::try_from(row).map(|stored| stored.session))
        .collect()
    }

    /// Replaces the token that carries a session; `false` when it is another by now, or ended.
    pub async fn rotate(
        &mut self,
        handle: &Handle,
        from: &[u8; 32],
        to: &[u8; 32],
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (id, generation, tenant) = key(handle);
        self.1.note(Topic::Session(handle.id));
        let changed = execute!(
            self.0,
            "UPDATE sessions SET token_hash = $5, last_seen_at = $6
             WHERE id = $1 AND COALESCE(generation, 0) = $2 AND ((tenant_id IS NULL AND $2 = 0) OR tenant_id = $3)
               AND token_hash = $4 AND ended_at IS NULL",
            id,
            generation,
            tenant,
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
        handle: &Handle,
        from: SecurityVersion,
    ) -> Result<bool, StoreError> {
        let (id, generation, tenant) = key(handle);
        self.1.note(Topic::Session(handle.id));
        let changed = execute!(
            self.0,
            "UPDATE sessions SET security_version = $5
             WHERE id = $1 AND COALESCE(generation, 0) = $2 AND ((tenant_id IS NULL AND $2 = 0) OR tenant_id = $3)
               AND security_version = $4 AND ended_at IS NULL",
            id,
            generation,
            tenant,
            from.0,
            from.0 + 1
        )?;
        Ok(changed == 1)
    }

    /// Notes that a session was used, which is no change to tell of: whoever keeps it may go on.
    pub async fn touch(&mut self, handle: &Handle, now: Timestamp) -> Result<(), StoreError> {
        let (id, generation, tenant) = key(handle);
        execute!(
            self.0,
            "UPDATE sessions SET last_seen_at = $4
             WHERE id = $1 AND COALESCE(generation, 0) = $2 AND ((tenant_id IS NULL AND $2 = 0) OR tenant_id = $3)
               AND ended_at IS NULL AND last_seen_at < $4",
            id,
            generation,
            tenant,
            now.micros()
        )?;
        Ok(())
    }

    /// Ends a session; `false` when it had ended.
    pub async fn end(
        &mut self,
        handle: &Handle,
        reason: EndReason,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (id, generation, tenant) = key(handle);
        self.1.note(Topic::Session(handle.id));
        let changed = execute!(
            self.0,
            "UPDATE sessions SET ended_at = $4, end_reason = $5
             WHERE id = $1 AND COALESCE(generation, 0) = $2 AND ((tenant_id IS NULL AND $2 = 0) OR tenant_id = $3)
               AND ended_at IS NULL",
            id,
            generation,
            tenant,
            now.micros(),
            reason.as_str()
        )?;
        Ok(changed == 1)
    }

    /// Takes out every trace of a tenant's sessions.
    pub async fn remove_tenant(&mut self, tenant: TenantId) -> Result<u64, StoreError> {
        self.1.note(tenant);
        execute!(
            self.0,
            "DELETE FROM sessions WHERE tenant_id = $1",
            tenant.uuid()
        )
    }

    /// Sessions of a tenant that are alive.
    pub async fn count_live(
        &mut self,
        tenant: TenantId,
        now: Timestamp,
    ) -> Result<i64, StoreError> {
        let row = fetch_one!(
            self.0,
            CountRow,
            "SELECT COUNT(*) AS count FROM sessions
             WHERE tenant_id = $1 AND ended_at IS NULL AND expires_at > $2 AND last_seen_at > $2 - idle_micros
               AND created_at <= $3 AND last_seen_at <= $3",
            tenant.uuid(),
            now.micros(),
            (now + AHEAD).micros()
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
