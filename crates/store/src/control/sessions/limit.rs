//! How many sessions a person may have.

use tenantry_core::session::Subject;
use tenantry_core::{SessionId, Timestamp};
use uuid::Uuid;

use super::{Sessions, columns};
use crate::StoreError;

row! { struct IdRow { id: Uuid } }

impl Sessions<'_> {
    /// A person's live sessions but the `most` that were used last. Of several that were used at one
    /// moment the later one counts as used later, so that all who ask have the same order.
    pub async fn list_surplus(
        &mut self,
        subject: &Subject,
        most: u32,
        now: Timestamp,
    ) -> Result<Vec<SessionId>, StoreError> {
        let (tenant, generation, person) = columns(subject);
        // SQLite knows no offset without a limit; nobody has so many sessions.
        let rows = fetch_all!(
            self.0,
            IdRow,
            "SELECT id FROM sessions
             WHERE subject_id = $1 AND COALESCE(generation, 0) = $2
               AND ((tenant_id IS NULL AND $2 = 0) OR tenant_id = $3)
               AND ended_at IS NULL AND expires_at > $4 AND last_seen_at > $4 - idle_micros
             ORDER BY last_seen_at DESC, id DESC LIMIT 1000000 OFFSET $5",
            person,
            generation.unwrap_or(0),
            tenant,
            now.micros(),
            i64::from(most)
        )?;
        Ok(rows
            .into_iter()
            .map(|row| SessionId::from_uuid(row.id))
            .collect())
    }
}
