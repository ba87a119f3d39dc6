//! Settling what a crash left in the directory: entries that were reserved and never confirmed.

use tenantry_store::control::DirectoryEntry;

use crate::directory::{IN_FLIGHT, Tell};
use crate::refusal::Chain;
use crate::{Refusal, Service};

/// How many entries are read at once.
const PAGE: i64 = 200;

impl Service {
    /// Confirms reserved entries whose person is in the tenant's database, and takes out those
    /// whose person is not; how many.
    pub(super) async fn settle_directory(&self) -> Result<usize, Refusal> {
        let before = self.clock().now() - IN_FLIGHT;
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
                match self.settle_entry(entry).await {
                    Ok(done) => settled += usize::from(done),
                    // One tenant's trouble leaves the others' entries.
                    Err(error) => {
                        tracing::debug!(tenant.id = %entry.tenant, error = %Chain(&error), "a directory entry can't be settled now");
                    }
                }
            }
        }
    }

    /// The person of one entry; `false` where the tenant lives another life by now.
    async fn settle_entry(&self, entry: &DirectoryEntry) -> Result<bool, Refusal> {
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
        self.settle_and_tell(&ctx, entry.user, None, Tell::Found)
            .await?;
        Ok(true)
    }
}
