//! Bringing a home that an older program made to what the present one needs.

use tenantry_core::tenant::Isolation;

use super::ddl::Batch;
use super::name::{Placement, RoleKind};
use super::{Cluster, ClusterError, HomeState};

impl Cluster {
    /// Brings the identity tables to the present schema, as their owner, and makes what
    /// applications see anew: the view may show more than before. Can be repeated. Shared tables
    /// are brought up to date for all tenants at once. The stamp is the caller's.
    pub async fn upgrade(&self, placement: Placement) -> Result<(), ClusterError> {
        let mut patience = self.patience();
        loop {
            match self.try_upgrade(placement).await {
                Ok(()) => return Ok(()),
                Err(error) => patience.bear(error).await?,
            }
        }
    }

    async fn try_upgrade(&self, placement: Placement) -> Result<(), ClusterError> {
        let state = self.home(placement).await?;
        if !state.is_some_and(|state: HomeState| state.is_made()) {
            return Err(ClusterError::Missing(self.database_shown(placement)));
        }
        let version = self.version().await?;
        let owner = placement.role(RoleKind::Owner);
        match placement.isolation {
            Isolation::Database | Isolation::Schema => {
                let mut before = Batch::locked(version, placement);
                before.borrow([&owner]);
                if placement.isolation == Isolation::Database {
                    let objects = self.objects_role();
                    before.add(&[&"REASSIGN OWNED BY ", &objects, &" TO ", &owner]);
                }
                before.act_as(&owner, &placement.identity_schema());
                let mut after = Batch::new(version);
                after.add(&[&"RESET ROLE"]);
                self.furnish(&mut after, placement);
                after.give_back([&owner]);
                self.migrate_between(before, placement, after).await
            }
            Isolation::Shared => {
                self.try_base(Isolation::Shared).await?;
                let mut batch = Batch::locked(version, placement);
                batch.borrow([&owner]);
                self.furnish(&mut batch, placement);
                batch.give_back([&owner]);
                self.run_at(placement, batch).await?;
                Ok(())
            }
        }
    }
}
