//! Rows of the tenant's own in tables with others: what is its alone is the schema of its
//! applications.

use tenantry_core::Secret;

use super::credentials::Verifier;
use super::ddl::Batch;
use super::name::{Common, Placement, RoleKind};
use super::{Cluster, ClusterError};

impl Cluster {
    /// The schema of applications stands for the home: it is made first and dropped last.
    pub(super) async fn create_shared(&self, placement: Placement) -> Result<(), ClusterError> {
        let without_base = |error| self.without_base(Common::Shared, error);
        self.delete_earlier_rows(placement)
            .await
            .map_err(without_base)?;
        let owner = placement.role(RoleKind::Owner);
        let mut batch = Batch::locked(self.version().await?, placement);
        batch.borrow([&owner]);
        self.own_schema(&mut batch, placement, &placement.application_schema());
        batch.give_back([&owner]);
        self.run_common(Common::Shared, batch)
            .await
            .map_err(without_base)?;
        Ok(())
    }

    pub(super) async fn open_shared(&self, placement: Placement) -> Result<(), ClusterError> {
        let owner = placement.role(RoleKind::Owner);
        let application = placement.role(RoleKind::Application);
        let mut batch = Batch::locked(self.version().await?, placement);
        batch.borrow([&owner]);
        self.furnish(&mut batch, placement);
        batch
            .grant_rights(&self.guests_role(Common::Shared), &application)
            .give_back([&owner]);
        self.run_common(Common::Shared, batch).await?;
        Ok(())
    }

    /// Gives the login that serves all tenants in shared tables this password and lets it sign in.
    /// Can be repeated; the sessions it has stay. Needs the base.
    pub async fn set_shared_password(&self, password: &Secret<String>) -> Result<(), ClusterError> {
        let verifier = Verifier::of(password);
        let mut patience = self.patience();
        loop {
            match self.try_set_shared_password(&verifier).await {
                Ok(()) => return Ok(()),
                Err(error) => patience.bear(error).await?,
            }
        }
    }

    async fn try_set_shared_password(&self, verifier: &Verifier) -> Result<(), ClusterError> {
        let role = self.service_role();
        if !self.has_common_role(&role).await? {
            return Err(ClusterError::Missing(role.to_string()));
        }
        let mut batch = Batch::new(self.version().await?);
        batch.add(&[&"ALTER ROLE ", &role, &" LOGIN PASSWORD ", verifier]);
        self.run(batch).await?;
        Ok(())
    }
}
