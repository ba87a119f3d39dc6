//! Dates that a clock wrote while it was ahead, put right.
//!
//! Every process dates what it writes by its own clock. Where that was a day ahead for a while, somebody
//! would be kept waiting for a day, a link would count a day longer, and work that its process left
//! would be taken up a day later. What lies ahead is dated anew as if it were written now, or brought
//! down to the latest that it could be then. The service calls this now and then; a row that is right is
//! never touched.

use std::time::Duration;

use tenantry_core::Timestamp;

use crate::{Conn, StoreError};

/// How far the clocks of two nodes differ that are both right. What lies no further ahead is left.
const APART: Duration = Duration::from_mins(5);

/// What lies ahead.
pub struct Ahead<'c>(pub(super) Conn<'c>);

impl Ahead<'_> {
    /// The later of this time and that of the database's server, where there is one. What lies ahead
    /// of both was written by a clock that was wrong; by itself, a process whose own clock is behind
    /// would take everybody's dates for such, and lift what keeps a guesser waiting.
    pub async fn latest(&mut self, now: Timestamp) -> Result<Timestamp, StoreError> {
        let server = self.0.server_time().await?;
        Ok(server.map_or(now, |server| server.max(now)))
    }

    /// Dates wrong tries anew: what waits for a pause waits as long from now. What is blocked until
    /// somebody lifts it stays so.
    pub async fn date_throttle(&mut self, now: Timestamp) -> Result<u64, StoreError> {
        execute!(
            self.0,
            "UPDATE throttle
             SET blocked_until = CASE WHEN blocked_until = $3 THEN blocked_until
                                      ELSE blocked_until - (last_at - $1) END,
                 last_at = $1
             WHERE last_at > $2",
            now.micros(),
            (now + APART).micros(),
            i64::MAX
        )
    }

    /// Dates one-time secrets anew: each counts as long from now as it was to count.
    pub async fn date_secrets(&mut self, now: Timestamp) -> Result<u64, StoreError> {
        execute!(
            self.0,
            "UPDATE one_time_secrets SET expires_at = expires_at - (created_at - $1), created_at = $1
             WHERE expires_at > $2 AND created_at > $2",
            now.micros(),
            (now + APART).micros()
        )
    }

    /// Dates applications anew whose address is still to be proven.
    pub async fn date_applications(&mut self, now: Timestamp) -> Result<u64, StoreError> {
        execute!(
            self.0,
            "UPDATE tenant_applications SET expires_at = expires_at - (created_at - $1), created_at = $1
             WHERE state = 'pending_proof' AND created_at > $2",
            now.micros(),
            (now + APART).micros()
        )
    }

    /// Brings down leases of runs, and when runs go on: to this long from now. Whoever is at a run
    /// renews the lease before it has passed, whatever his clock shows.
    pub async fn bound_workflows(
        &mut self,
        now: Timestamp,
        lease: Duration,
        pause: Duration,
    ) -> Result<u64, StoreError> {
        execute!(
            self.0,
            "UPDATE workflows
             SET lease_until = CASE WHEN lease_until > $1 THEN $1 ELSE lease_until END,
                 next_run_at = CASE WHEN next_run_at > $2 THEN $2 ELSE next_run_at END
             WHERE state IN ('running', 'undoing') AND (lease_until > $3 OR next_run_at > $4)",
            (now + lease).micros(),
            (now + pause).micros(),
            (now + lease + APART).micros(),
            (now + pause + APART).micros()
        )
    }

    /// The same for the reconciler's turn, and for when its next pass is due.
    pub async fn bound_reconciler(
        &mut self,
        now: Timestamp,
        lease: Duration,
        pause: Duration,
    ) -> Result<u64, StoreError> {
        execute!(
            self.0,
            "UPDATE reconciler
             SET lease_until = CASE WHEN lease_until > $1 THEN $1 ELSE lease_until END,
                 next_at = CASE WHEN next_at > $2 THEN $2 ELSE next_at END
             WHERE id = 1 AND (lease_until > $3 OR next_at > $4)",
            (now + lease).micros(),
            (now + pause).micros(),
            (now + lease + APART).micros(),
            (now + pause + APART).micros()
        )
    }

    /// Brings down holds of secrets of tenants' databases.
    pub async fn bound_holds(&mut self, now: Timestamp, held: Duration) -> Result<u64, StoreError> {
        execute!(
            self.0,
            "UPDATE tenant_database_users SET held_until = $1 WHERE held_until > $2",
            (now + held).micros(),
            (now + held + APART).micros()
        )
    }

    /// Brings down when mails are tried, for the first time or again.
    pub async fn bound_mails(
        &mut self,
        now: Timestamp,
        longest: Duration,
    ) -> Result<u64, StoreError> {
        execute!(
            self.0,
            "UPDATE outbox SET next_attempt_at = $1
             WHERE sent_at IS NULL AND failed_at IS NULL AND next_attempt_at > $2",
            (now + longest).micros(),
            (now + longest + APART).micros()
        )
    }

    /// The same for notices to receivers outside.
    pub async fn bound_notices(
        &mut self,
        now: Timestamp,
        longest: Duration,
    ) -> Result<u64, StoreError> {
        execute!(
            self.0,
            "UPDATE webhook_deliveries SET next_attempt_at = $1
             WHERE delivered_at IS NULL AND failed_at IS NULL AND next_attempt_at > $2",
            (now + longest).micros(),
            (now + longest + APART).micros()
        )
    }
}
