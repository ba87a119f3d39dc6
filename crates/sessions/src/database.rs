//! The driver `database`: a row for each session in the control database.

use tenantry_core::session::{EndReason, Handle, Session, Subject};
use tenantry_core::user::SecurityVersion;
use tenantry_core::{DeviceId, Generation, SessionId, TenantId, Timestamp};
use tenantry_store::control::StoredSession;
use tenantry_store::{Control, StoreError};

use crate::tally::Tally;

/// Sessions in the control database.
#[derive(Clone)]
pub struct DatabaseSessions(Control, Tally);

/// One statement in a transaction of its own.
macro_rules! change {
    ($control:expr, |$sessions:ident| $call:expr) => {{
        let mut tx = $control.begin().await?;
        let mut $sessions = tx.sessions();
        let outcome = $call.await?;
        tx.commit().await?;
        Ok(outcome)
    }};
}

impl DatabaseSessions {
    /// The sessions in this control database.
    pub fn new(control: Control) -> Self {
        Self(control, Tally::default())
    }

    pub(crate) const fn tally(&self) -> &Tally {
        &self.1
    }

    pub(crate) async fn add(&self, stored: &StoredSession) -> Result<(), StoreError> {
        change!(self.0, |sessions| sessions.add(stored))
    }

    pub(crate) async fn lookup(
        &self,
        handle: &Handle,
    ) -> Result<Option<StoredSession>, StoreError> {
        self.0.read().await?.sessions().lookup(handle).await
    }

    pub(crate) async fn list(
        &self,
        subject: &Subject,
        now: Timestamp,
        after: Option<(Timestamp, SessionId)>,
        limit: i64,
    ) -> Result<Vec<Session>, StoreError> {
        let mut tx = self.0.read().await?;
        tx.sessions().list(subject, now, after, limit).await
    }

    pub(crate) async fn list_ended(
        &self,
        subject: &Subject,
        reason: EndReason,
        limit: i64,
    ) -> Result<Vec<Session>, StoreError> {
        let mut tx = self.0.read().await?;
        tx.sessions().list_ended(subject, reason, limit).await
    }

    pub(crate) async fn rotate(
        &self,
        handle: &Handle,
        from: &[u8; 32],
        to: &[u8; 32],
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        change!(self.0, |sessions| sessions.rotate(handle, from, to, now))
    }

    pub(crate) async fn carry_over(
        &self,
        handle: &Handle,
        from: SecurityVersion,
    ) -> Result<bool, StoreError> {
        change!(self.0, |sessions| sessions.carry_over(handle, from))
    }

    pub(crate) async fn touch(&self, handle: &Handle, now: Timestamp) -> Result<(), StoreError> {
        change!(self.0, |sessions| sessions.touch(handle, now))
    }

    pub(crate) async fn end(
        &self,
        handle: &Handle,
        reason: EndReason,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        change!(self.0, |sessions| sessions.end(handle, reason, now))
    }

    pub(crate) async fn end_device(
        &self,
        tenant: TenantId,
        generation: Generation,
        device: DeviceId,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        change!(self.0, |sessions| sessions
            .end_device(tenant, generation, device, now))
    }

    pub(crate) async fn end_on_devices(
        &self,
        subject: &Subject,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        change!(self.0, |sessions| sessions.end_on_devices(subject, now))
    }

    pub(crate) async fn end_others(
        &self,
        subject: &Subject,
        keep: Option<SessionId>,
        reason: EndReason,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        change!(self.0, |sessions| sessions
            .end_others(subject, keep, reason, now))
    }

    pub(crate) async fn end_surplus(
        &self,
        subject: &Subject,
        most: u32,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        change!(self.0, |sessions| sessions.end_surplus(subject, most, now))
    }

    pub(crate) async fn end_tenant(
        &self,
        tenant: TenantId,
        up_to: Generation,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        change!(self.0, |sessions| sessions.end_tenant(tenant, up_to, now))
    }

    pub(crate) async fn remove_tenant(&self, tenant: TenantId) -> Result<u64, StoreError> {
        change!(self.0, |sessions| sessions.remove_tenant(tenant))
    }

    pub(crate) async fn count_live(
        &self,
        tenant: TenantId,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let mut tx = self.0.read().await?;
        let count = tx.sessions().count_live(tenant, now).await?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    pub(crate) async fn remove_expired(&self, before: Timestamp) -> Result<u64, StoreError> {
        change!(self.0, |sessions| sessions.remove_expired(before))
    }
}
