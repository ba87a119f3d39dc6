//! Many sessions end at once. All that have not ended are marked; those that were alive are counted,
//! since one that ran out before ends nobody's work.

use std::time::Duration;

use tenantry_core::marks::Topic;
use tenantry_core::session::{EndReason, Span, Subject};
use tenantry_core::{DeviceId, Generation, SessionId, TenantId, Timestamp};
use uuid::Uuid;

use super::{Sessions, columns};
use crate::StoreError;

row! { struct Ended { created_at: i64, last_seen_at: i64, expires_at: i64, idle_micros: i64 } }

/// How many of these were alive until they were ended.
fn alive(ended: Vec<Ended>, now: Timestamp) -> u64 {
    let spans = ended.into_iter().map(|row| Span {
        created_at: Timestamp::from_micros(row.created_at),
        last_seen_at: Timestamp::from_micros(row.last_seen_at),
        expires_at: Timestamp::from_micros(row.expires_at),
        // One that nobody can use holds for nothing.
        idle: Duration::from_micros(u64::try_from(row.idle_micros).unwrap_or(0)),
    });
    let alive = spans.filter(|span| span.holds(now)).count();
    u64::try_from(alive).unwrap_or(u64::MAX)
}

impl Sessions<'_> {
    /// Ends the sessions that were begun on a tenant's device in this generation; how many were alive.
    pub async fn end_device(
        &mut self,
        tenant: TenantId,
        generation: Generation,
        device: DeviceId,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        self.1.note(tenant);
        let ended = fetch_all!(
            self.0,
            Ended,
            "UPDATE sessions SET ended_at = $4, end_reason = $5
             WHERE tenant_id = $1 AND generation = $2 AND device_id = $3 AND ended_at IS NULL
             RETURNING created_at, last_seen_at, expires_at, idle_micros",
            tenant.uuid(),
            generation.number(),
            device.uuid(),
            now.micros(),
            EndReason::Admin.as_str()
        )?;
        Ok(alive(ended, now))
    }

    /// Ends the sessions that a person of a tenant began with a PIN, on whatever device; how many were
    /// alive.
    pub async fn end_on_devices(
        &mut self,
        subject: &Subject,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let (tenant, generation, person) = columns(subject);
        self.1.note(Topic::Person(person));
        let ended = fetch_all!(
            self.0,
            Ended,
            "UPDATE sessions SET ended_at = $4, end_reason = $5
             WHERE tenant_id = $1 AND generation = $2 AND subject_id = $3
               AND device_id IS NOT NULL AND ended_at IS NULL
             RETURNING created_at, last_seen_at, expires_at, idle_micros",
            tenant,
            generation,
            person,
            now.micros(),
            EndReason::Admin.as_str()
        )?;
        Ok(alive(ended, now))
    }

    /// Ends a person's sessions but one; how many were alive.
    pub async fn end_others(
        &mut self,
        subject: &Subject,
        keep: Option<SessionId>,
        reason: EndReason,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let (tenant, generation, person) = columns(subject);
        self.1.note(Topic::Person(person));
        let ended = fetch_all!(
            self.0,
            Ended,
            "UPDATE sessions SET ended_at = $5, end_reason = $6
             WHERE subject_id = $1 AND COALESCE(generation, 0) = $2 AND ((tenant_id IS NULL AND $2 = 0) OR tenant_id = $3)
               AND id <> $4 AND ended_at IS NULL
             RETURNING created_at, last_seen_at, expires_at, idle_micros",
            person,
            generation.unwrap_or(0),
            tenant,
            keep.map_or(Uuid::nil(), SessionId::uuid),
            now.micros(),
            reason.as_str()
        )?;
        Ok(alive(ended, now))
    }

    /// Ends every session a tenant has from generations up to this one; how many were alive. Those
    /// of a later one are left alone, also by whoever does this too late.
    pub async fn end_tenant(
        &mut self,
        tenant: TenantId,
        up_to: Generation,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        self.1.note(tenant);
        let ended = fetch_all!(
            self.0,
            Ended,
            "UPDATE sessions SET ended_at = $3, end_reason = $4
             WHERE tenant_id = $1 AND generation <= $2 AND ended_at IS NULL
             RETURNING created_at, last_seen_at, expires_at, idle_micros",
            tenant.uuid(),
            up_to.number(),
            now.micros(),
            EndReason::Tenant.as_str()
        )?;
        Ok(alive(ended, now))
    }

    /// Ends every session there is, the platform's too.
    pub async fn end_everything(&mut self, now: Timestamp) -> Result<u64, StoreError> {
        self.1.note(Topic::Everything);
        execute!(
            self.0,
            "UPDATE sessions SET ended_at = $1, end_reason = $2 WHERE ended_at IS NULL",
            now.micros(),
            EndReason::Tenant.as_str()
        )
    }
}
