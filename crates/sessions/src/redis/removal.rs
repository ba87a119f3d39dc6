//! Nothing is left of a tenant.

use ::redis::Pipeline;
use tenantry_core::{DeviceId, SessionId, TenantId};
use uuid::Uuid;

use super::keys::Keys;
use super::{PAGE, RedisSessions, scripts};
use crate::SessionError;
use crate::record::{DEVICE, PERSON};

impl RedisSessions {
    /// Takes out every trace of a tenant's sessions, also of those that a switch voided.
    pub(crate) async fn remove_tenant(&self, tenant: TenantId) -> Result<u64, SessionError> {
        let mut removed = 0;
        for switches in 0..=self.switches.now() {
            for keys in self.generations(switches, tenant).await? {
                removed += self.remove_generation(&keys).await?;
            }
        }
        Ok(removed)
    }

    async fn remove_generation(&self, keys: &Keys) -> Result<u64, SessionError> {
        let mut removed = 0;
        loop {
            let ids = self.members(&keys.sessions()).await?;
            if ids.is_empty() {
                break;
            }
            for page in ids.chunks(PAGE) {
                removed += self.remove(keys, page).await?;
            }
        }
        let mut forgotten = scripts::FORGET.prepare_invoke();
        forgotten
            .key(keys.generations())
            .key(keys.sessions())
            .arg(keys.generation());
        self.redis.script::<i64>(&forgotten).await?;
        Ok(removed)
    }

    /// Removes these sessions and what leads to them. What leads to all of a generation's goes last:
    /// whoever dies before that finds them again.
    async fn remove(&self, keys: &Keys, ids: &[SessionId]) -> Result<u64, SessionError> {
        let found = self.fields(keys, ids, &[PERSON, DEVICE]).await?;
        let mut gone = Pipeline::with_capacity(ids.len() * 3 + 1);
        for (id, found) in ids.iter().zip(found) {
            let lead = |place: usize| found.get(place)?.as_deref()?.parse::<Uuid>().ok();
            if let Some(person) = lead(0) {
                gone.cmd("ZREM")
                    .arg(keys.of_person(person))
                    .arg(id.to_string());
            }
            if let Some(device) = lead(1) {
                let device = DeviceId::from_uuid(device);
                gone.cmd("ZREM")
                    .arg(keys.of_device(device))
                    .arg(id.to_string());
            }
        }
        // A pipeline without commands has no answer.
        if !gone.is_empty() {
            self.redis.pipeline::<Vec<i64>>(&gone).await?;
        }
        let mut gone = Pipeline::with_capacity(2);
        let sessions: Vec<String> = ids.iter().map(|id| keys.session(*id)).collect();
        let members: Vec<String> = ids.iter().map(SessionId::to_string).collect();
        gone.cmd("DEL").arg(sessions);
        gone.cmd("ZREM").arg(keys.sessions()).arg(members);
        let (removed, _): (u64, i64) = self.redis.pipeline(&gone).await?;
        Ok(removed)
    }

    /// Some fields of each of these sessions; none of one that is gone.
    async fn fields(
        &self,
        keys: &Keys,
        ids: &[SessionId],
        names: &[&str],
    ) -> Result<Vec<Vec<Option<String>>>, SessionError> {
        let mut asked = Pipeline::with_capacity(ids.len());
        for id in ids {
            asked.cmd("HMGET").arg(keys.session(*id)).arg(names);
        }
        Ok(self.redis.pipeline(&asked).await?)
    }
}
