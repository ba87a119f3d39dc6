//! How many sessions a person may have at once.

use tenantry_core::session::Session;

use crate::{Refusal, Service};

impl Service {
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
