//! Sessions end.

use tenantry_core::session::{EndReason, Subject};
use tenantry_core::{DeviceId, Generation, SessionId, TenantId, Timestamp};

use super::keys::Keys;
use super::{PAGE, RedisSessions, scripts};
use crate::SessionError;
use crate::record::{self, DEVICE, SpanFields};

/// What ending sessions came to.
#[derive(Default)]
pub(super) struct Ended {
    /// Those that had not ended.
    pub(super) marked: u64,
    /// Of these, those that were alive.
    pub(super) alive: u64,
}

impl RedisSessions {
    pub(crate) async fn end_device(
        &self,
        tenant: TenantId,
        generation: Generation,
        device: DeviceId,
        now: Timestamp,
    ) -> Result<u64, SessionError> {
        let keys = self.keys(Some((tenant, generation)));
        let ids = self.members(&keys.of_device(device)).await?;
        let why = (EndReason::Admin, now);
        Ok(self.end_these(&keys, &ids, why, true).await?.alive)
    }

    pub(crate) async fn end_on_devices(
        &self,
        subject: &Subject,
        now: Timestamp,
    ) -> Result<u64, SessionError> {
        let keys = self.keys(subject.scope());
        let ids = self.members(&keys.of_person(subject.person())).await?;
        let why = (EndReason::Admin, now);
        Ok(self.end_these(&keys, &ids, why, true).await?.alive)
    }

    pub(crate) async fn end_others(
        &self,
        subject: &Subject,
        keep: Option<SessionId>,
        reason: EndReason,
        now: Timestamp,
    ) -> Result<u64, SessionError> {
        let keys = self.keys(subject.scope());
        let mut ids = self.members(&keys.of_person(subject.person())).await?;
        ids.retain(|id| Some(*id) != keep);
        let ended = self.end_these(&keys, &ids, (reason, now), false).await?;
        Ok(ended.alive)
    }

    pub(crate) async fn end_tenant(
        &self,
        tenant: TenantId,
        up_to: Generation,
        now: Timestamp,
    ) -> Result<u64, SessionError> {
        let why = (EndReason::Tenant, now);
        let mut ended = 0;
        for keys in self.generations(self.switches.now(), tenant).await? {
            if keys.generation() > up_to.number() {
                continue;
            }
            let ids = self.members(&keys.sessions()).await?;
            ended += self.end_these(&keys, &ids, why, false).await?.alive;
        }
        Ok(ended)
    }

    /// Ends these sessions, or of these only those on devices; how many.
    pub(super) async fn end_these(
        &self,
        keys: &Keys,
        ids: &[SessionId],
        (reason, now): (EndReason, Timestamp),
        on_devices: bool,
    ) -> Result<Ended, SessionError> {
        let mut ended = Ended::default();
        for page in ids.chunks(PAGE) {
            let mut asked = scripts::END.prepare_invoke();
            for id in page {
                asked.key(keys.session(*id));
            }
            asked
                .arg(now.micros())
                .arg(reason.as_str())
                .arg(if on_devices { DEVICE } else { "id" });
            for fields in self.redis.script::<Vec<SpanFields>>(&asked).await? {
                let is_alive = record::span(&fields).is_some_and(|span| span.holds(now));
                ended.marked += 1;
                ended.alive += u64::from(is_alive);
            }
        }
        Ok(ended)
    }
}
