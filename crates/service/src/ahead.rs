//! What a clock wrote while it was ahead, in the control database.
//!
//! Sessions and keys see to their own dates, where they are judged (`core::session::AHEAD`, `keyring`).
//! Everything else is put right once a minute by whoever serves: what keeps people waiting, links, and
//! leases of processes that are gone (`docs/decisions/0020-clocks-that-were-ahead.md`).

use crate::{Refusal, Service};

impl Service {
    /// Puts dates right that lie further ahead than they can; how many rows had such.
    pub(crate) async fn put_dates_right(&self) -> Result<u64, Refusal> {
        let pace = self.settings().pace;
        let (pass, between) = (crate::reconcile::LEASE, self.settings().reconcile);
        let mut tx = self.control().begin().await?;
        let mut ahead = tx.ahead();
        let now = ahead.latest(self.clock().now()).await?;
        let put_right = [
            ahead.date_throttle(now).await?,
            ahead.date_secrets(now).await?,
            ahead.date_applications(now).await?,
            ahead.bound_workflows(now, pace.lease, pace.longest).await?,
            ahead.bound_reconciler(now, pass, between).await?,
            ahead.bound_holds(now, crate::credentials::HELD).await?,
            ahead.bound_mails(now, crate::outbox::LATEST).await?,
            ahead.bound_notices(now, crate::webhooks::LATEST).await?,
        ];
        tx.commit().await?;
        let count = put_right.iter().sum();
        if count > 0 {
            tracing::warn!(
                count,
                "dates in the control database lay ahead of its clock and of this machine's, and were put right; \
                 look at the clocks of the machines that serve"
            );
        }
        Ok(count)
    }
}
