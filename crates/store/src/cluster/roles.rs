//! A tenant's roles: making all five, and dropping them once the database is gone.

use super::ddl::Batch;
use super::name::{Placement, RoleKind};
use super::{Cluster, ClusterError, RoleState};

impl Cluster {
    /// Makes the tenant's roles, or what is missing of them, and puts right their attributes,
    /// memberships and settings. None of them can sign in until it is given a password; one that
    /// can is left as it is.
    pub async fn ensure_roles(&self, placement: Placement) -> Result<(), ClusterError> {
        let mut patience = self.patience();
        loop {
            match self.try_roles(placement).await {
                Ok(()) => return Ok(()),
                Err(error) => patience.bear(error).await?,
            }
        }
    }

    async fn try_roles(&self, placement: Placement) -> Result<(), ClusterError> {
        let there = self.roles(placement).await?;
        if is_complete(&there) {
            return Ok(());
        }
        let mut batch = Batch::locked(self.version().await?, placement);
        for kind in RoleKind::ALL {
            let role = placement.role(kind);
            if !there.iter().any(|state| state.kind == kind) {
                batch.add(&[&"CREATE ROLE ", &role, &" NOLOGIN"]).add(&[
                    &"COMMENT ON ROLE ",
                    &role,
                    &" IS ",
                    &self.marker(placement),
                ]);
            }
        }
        // What a superuser alone may take away (SUPERUSER and the like) is not touched: only a
        // superuser can have given it, and the check tells.
        let owner = placement.role(RoleKind::Owner);
        let application = placement.role(RoleKind::Application);
        batch
            .add(&[&"ALTER ROLE ", &owner, &" NOLOGIN PASSWORD NULL"])
            .add(&[&"ALTER ROLE ", &application, &" NOLOGIN PASSWORD NULL"])
            .borrow(&[&owner, &application]);
        for kind in RoleKind::ALL {
            let RoleKind::Login(login) = kind else {
                continue;
            };
            let (role, group) = (placement.role(kind), placement.role(login.acts_as()));
            batch
                .grant(&group, &role)
                .add(&[
                    &"ALTER ROLE ",
                    &role,
                    &" CONNECTION LIMIT ",
                    &self.bounds.per_login,
                ])
                .add(&[&"ALTER ROLE ", &role, &" SET role = ", &group])
                .add(&[
                    &"ALTER ROLE ",
                    &role,
                    &" SET search_path = ",
                    &login.search_path(),
                ]);
        }
        batch.give_back(&[&owner, &application]);
        self.run(batch).await?;
        Ok(())
    }

    /// Whether all of the tenant's roles are there and sound.
    pub async fn has_roles(&self, placement: Placement) -> Result<bool, ClusterError> {
        Ok(is_complete(&self.roles(placement).await?))
    }

    /// Ends the sessions of the tenant's roles and drops them. To be called once the database is
    /// gone: as long as a role owns anything anywhere, [`Trouble::InUse`](super::Trouble::InUse).
    pub async fn drop_roles(&self, placement: Placement) -> Result<(), ClusterError> {
        let mut patience = self.patience();
        loop {
            match self.try_drop_roles(placement).await {
                Ok(()) => return Ok(()),
                Err(error) => patience.bear(error).await?,
            }
        }
    }

    async fn try_drop_roles(&self, placement: Placement) -> Result<(), ClusterError> {
        let there = self.roles(placement).await?;
        // A role is dropped also while it is connected, and its session lives on; so first nobody
        // may come in any more, then whoever is in has to go.
        for state in &there {
            if let RoleKind::Login(login) = state.kind {
                self.try_disable(placement, login).await?;
                self.try_end_sessions(placement, login).await?;
            }
        }
        let mut batch = Batch::locked(self.version().await?, placement);
        for state in there.iter().rev() {
            batch.add(&[&"DROP ROLE IF EXISTS ", &placement.role(state.kind)]);
        }
        if !there.is_empty() {
            self.run(batch).await?;
        }
        Ok(())
    }
}

fn is_complete(roles: &[RoleState]) -> bool {
    roles.len() == RoleKind::ALL.len() && roles.iter().all(|role| role.sound)
}
