//! Making a tenant's part of the directory anew.

use tenantry_core::tenant::Tenant;
use tenantry_store::control::{DirectoryEntry, EntryState};

use crate::directory::kind_of;
use crate::{Refusal, Service};

/// How many rows are read at once.
const PAGE: i64 = 500;

impl Service {
    /// Makes a tenant's directory entries anew from its own people; how many there are.
    pub async fn rebuild_directory(&self, tenant: &Tenant) -> Result<usize, Refusal> {
        let ctx = self.enter_whatever_its_status(tenant.id).await?;
        // What is reserved or settled from here on is newer than what is read below, and stays.
        let begun = self.clock().now();
        let mut people = Vec::new();
        let mut after = None;
        loop {
            let mut tx = self
                .pools()
                .read(&ctx)
                .await
                .map_err(Refusal::tenant(&ctx))?;
            let page = tx
                .users()
                .list(after, PAGE)
                .await
                .map_err(Refusal::tenant(&ctx))?;
            after = page.last().map(|person| person.id);
            if after.is_none() {
                break;
            }
            people.extend(page);
        }
        let global = self.unique_everywhere();
        let now = self.clock().now();
        let mut tx = self.control().begin().await?;
        // Looked at under the lock: people of an earlier life must not come back into it.
        let now_there = tx
            .tenants()
            .lookup(tenant.id)
            .await?
            .map(|tenant| tenant.generation);
        let busy = tx.workflows().find_unfinished(tenant.id).await?.is_some();
        if now_there != Some(ctx.generation()) || busy {
            return Err(Refusal::Conflict(
                "work on this tenant is under way; try again when it is done".to_owned(),
            ));
        }
        tx.directory().remove_older(tenant.id, begun).await?;
        let mut placed = 0;
        for person in &people {
            let entry = DirectoryEntry {
                tenant: tenant.id,
                generation: ctx.generation(),
                user: person.id,
                address_hash: self.keyring().directory().hash(&person.email.key()),
                kind: kind_of(person.role),
                state: EntryState::Confirmed,
            };
            // An address another tenant holds stays there: an entry can never be taken over.
            if tx.directory().reserve(&entry, global, now).await?
                == tenantry_store::control::Reservation::Held
            {
                tx.directory().confirm(tenant.id, person.id).await?;
                placed += 1;
            }
        }
        tx.commit().await?;
        Ok(placed)
    }
}
