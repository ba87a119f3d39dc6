//! How many sessions a person may have at once.

use std::time::Duration;

use tenantry_core::Timestamp;
use tenantry_core::session::{AHEAD, Session, Subject};

use crate::{Refusal, Service};

impl Service {
    /// When a session that begins now is to count as used: later than the person's others, also where
    /// another node's clock is ahead of ours, so that it is not itself the one too many.
    pub(super) async fn after_all_others(
        &self,
        subject: &Subject,
        now: Timestamp,
    ) -> Result<Timestamp, Refusal> {
        if self.settings().sessions_per_user.is_none() {
            return Ok(now);
        }
        let latest = self.sessions_store().list(subject, now, None, 1).await?;
        let after = |latest: &Session| latest.last_seen_at + Duration::from_micros(1);
        let after = latest.first().map_or(now, after);
        Ok(after.clamp(now, now + AHEAD))
    }

    /// Ends the sessions of a person that are too many now that this one has begun: those that were
    /// used longest ago.
    pub(super) async fn keep_to_limit(&self, begun: &Session) -> Result<(), Refusal> {
        let Some(most) = self.settings().sessions_per_user else {
            return Ok(());
        };
        let (subject, now) = (&begun.subject, self.clock().now());
        let ended = self.sessions_store().end_surplus(subject, most.get(), now);
        let ended = ended.await?;
        if ended > 0 {
            tracing::debug!(session.id = %begun.id, ended, "as many sessions as a person may have; those used longest ago are ended");
        }
        Ok(())
    }
}
