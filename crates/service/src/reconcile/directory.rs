//! Settling what a crash left in the directory: entries that were reserved and never confirmed.

use std::time::Duration;

use tenantry_core::Timestamp;
use tenantry_store::control::DirectoryEntry;

use crate::refusal::Chain;
use crate::{Refusal, Service};

/// How old a reservation must be. Whoever made it confirms it within one request; a request takes
/// seconds.
const SETTLED: Duration = Duration::from_mins(10);

/// How many entries are read at once.
const PAGE: i64 = 200;

impl Service {
    /// Confirms reserved entries whose person is in the tenant's database, and takes out those
    /// whose person is not; how many.
    pub(super) async fn settle_directory(&self) -> Result<usize, Refusal> {
        let before = self.clock().now() - SETTLED;
        let (mut settled, mut after) = (0, None);
        loop {
            let entries = {
                let mut control = self.control().read().await?;
                control
                    .directory()
                    .list_unsettled(before, after, PAGE)
                    .await?
            };
            let Some(last) = entries.last() else {
                return Ok(settled);
            };
            after = Some((last.tenant, last.user));
            for entry in &entries {
                match self.settle_entry(entry, before).await {
                    Ok(done) => settled += usize::from(done),
                    // One tenant's trouble leaves the others' entries.
                    Err(error) => {
                        tracing::debug!(tenant.id = %entry.tenant, error = %Chain(&error), "a directory entry can't be settled now");
                    }
                }
            }
        }
    }

    /// One entry; `false` where it was settled by another or carries another address, which is for
    /// `repair`.
    async fn settle_entry(
        &self,
        entry: &DirectoryEntry,
        before: Timestamp,
    ) -> Result<bool, Refusal> {
        let ctx = {
            let mut control = self.control().read().await?;
            control
                .tenants()
                .enter_regardless_of_status(entry.tenant)
                .await?
        };
        let Some(ctx) = ctx.filter(|ctx| ctx.generation() == entry.generation) else {
            return Ok(false);
        };
        // Which also reads the stamp: what lies in a wrong place settles nothing.
        let unreadable = "the tenant's database can't be read";
        let tenant = self.pools().read(&ctx).await;
        let mut tenant = tenant.map_err(Refusal::failed(unreadable))?;
        let person = tenant.users().lookup(entry.user).await;
        drop(tenant);
        let mut tx = self.control().begin().await?;
        let settled = match person.map_err(Refusal::failed(unreadable))? {
            None => tx.directory().remove_unsettled(entry, before).await?,
            Some(person) => {
                let hash = self.keyring().directory().hash(&person.user.email.key());
                hash == entry.address_hash
                    && tx.directory().confirm(entry.tenant, entry.user).await?
            }
        };
        tx.commit().await?;
        Ok(settled)
    }
}
