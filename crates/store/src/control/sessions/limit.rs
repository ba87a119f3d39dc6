//! How many sessions a person may have.

use tenantry_core::Timestamp;
use tenantry_core::marks::Topic;
use tenantry_core::session::{AHEAD, EndReason, Subject};

use super::{Sessions, columns};
use crate::StoreError;

impl Sessions<'_> {
    /// Ends a person's live sessions but the `most` that were used last; how many. Of several that
    /// were used at one moment the later one counts as used later, so that all who do this have the
    /// same order.
    pub async fn end_surplus(
        &mut self,
        subject: &Subject,
        most: u32,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let (tenant, generation, person) = columns(subject);
        // SQLite knows no offset without a limit; nobody has so many sessions.
        let ended = execute!(
            self.0,
            "UPDATE sessions SET ended_at = $4, end_reason = $7
             WHERE ended_at IS NULL AND id IN (
                 SELECT id FROM sessions
                 WHERE subject_id = $1 AND COALESCE(generation, 0) = $2
                   AND ((tenant_id IS NULL AND $2 = 0) OR tenant_id = $3)
                   AND ended_at IS NULL AND expires_at > $4 AND last_seen_at > $4 - idle_micros
                   AND created_at <= $5 AND last_seen_at <= $5
                 ORDER BY last_seen_at DESC, id DESC LIMIT 1000000 OFFSET $6)",
            person,
            generation.unwrap_or(0),
            tenant,
            now.micros(),
            (now + AHEAD).micros(),
            i64::from(most),
            EndReason::Limit.as_str()
        )?;
        // Nearly every sign-in ends none, and makes nobody look anew.
        if ended > 0 {
            self.1.note(Topic::Person(person));
        }
        Ok(ended)
    }
}
