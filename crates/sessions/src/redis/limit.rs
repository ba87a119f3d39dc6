//! A person's sessions that are too many.

use std::collections::HashMap;

use ::redis::{Pipeline, cmd};
use tenantry_core::Timestamp;
use tenantry_core::session::{EndReason, Subject};

use super::{PAGE, RedisSessions, read};
use crate::SessionError;
use crate::limit::surplus_of;

impl RedisSessions {
    /// Ends all but the `most` that were used last; how many. Nothing leads from a person to sessions that are over
    /// any more, so that somebody who signs in and out all day costs what is new.
    pub(crate) async fn end_surplus(
        &self,
        subject: &Subject,
        most: u32,
        now: Timestamp,
    ) -> Result<u64, SessionError> {
        let keys = self.keys(subject.scope());
        let lead = keys.of_person(subject.person());
        let (mut alive, mut over) = (Vec::new(), Vec::new());
        for page in self.members(&lead).await?.chunks(PAGE) {
            let mut asked = Pipeline::with_capacity(page.len());
            for id in page {
                asked.cmd("HGETALL").arg(keys.session(*id));
            }
            let found: Vec<HashMap<String, String>> = self.redis.pipeline(&asked).await?;
            for (id, found) in page.iter().zip(&found) {
                match read(&keys.handle(*id), &keys.session(*id), found) {
                    Ok(Some(stored)) if stored.session.ended_at.is_none() => {
                        alive.push(stored.session);
                    }
                    Ok(_) => over.push(id.to_string()),
                    // Nobody can use it, so it counts for nothing.
                    Err(error) => tracing::error!(%error, "a session is not counted"),
                }
            }
        }
        for page in over.chunks(PAGE) {
            let mut removed = cmd("ZREM");
            removed.arg(&lead).arg(page);
            self.redis.query::<i64>(&removed).await?;
        }
        alive.retain(|session| session.is_alive(now) && session.subject == *subject);
        let surplus = surplus_of(alive, most);
        let why = (EndReason::Limit, now);
        Ok(self.end_these(&keys, &surplus, why, false).await?.alive)
    }
}
