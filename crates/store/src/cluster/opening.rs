//! Opening a tenant's database to its applications: what was the template's becomes the tenant's,
//! applications get their schema and view, and only then may their slots connect.

use super::ddl::Batch;
use super::name::{Login, Placement, RoleKind};
use super::session::Inside;
use super::{Cluster, ClusterError};

impl Cluster {
    /// Hands everything in the database to the tenant's owner, sets up what applications see, and
    /// lets their slots connect: one transaction, so all of it or none. Puts right what somebody
    /// changed since.
    pub async fn open_database(&self, placement: Placement) -> Result<(), ClusterError> {
        let mut patience = self.patience();
        loop {
            match self.try_open(placement).await {
                Ok(()) => return Ok(()),
                Err(error) => patience.bear(error).await?,
            }
        }
    }

    async fn try_open(&self, placement: Placement) -> Result<(), ClusterError> {
        let name = placement.database();
        let state = self.database(placement).await?;
        let Some(state) = state.filter(super::DatabaseState::is_made) else {
            return Err(ClusterError::Missing(name.to_string()));
        };
        if state.is_open() {
            return Ok(());
        }
        if let Some(missing) = self.missing_role(placement).await? {
            return Err(ClusterError::Missing(placement.role(missing).to_string()));
        }
        let owner = placement.role(RoleKind::Owner);
        let application = placement.role(RoleKind::Application);
        let mut batch = Batch::locked(self.version().await?, placement);
        batch
            .borrow(&[&owner])
            // REASSIGN also takes what the role owns outside this database, which is nothing.
            .add(&[&"REASSIGN OWNED BY ", &self.objects_role(), &" TO ", &owner])
            .add(&[&"CREATE SCHEMA IF NOT EXISTS app AUTHORIZATION ", &owner])
            .app_users()
            .add(&[&"ALTER VIEW app.users OWNER TO ", &owner])
            .add(&[&"REVOKE ALL ON SCHEMA public FROM PUBLIC"])
            .add(&[&"GRANT USAGE, CREATE ON SCHEMA app TO ", &application])
            .add(&[&"GRANT SELECT ON app.users TO ", &application])
            .add(&[
                &"GRANT TEMPORARY ON DATABASE ",
                &name,
                &" TO ",
                &application,
            ]);
        for slot in [Login::A, Login::B] {
            let slot = placement.role(RoleKind::Login(slot));
            batch.add(&[&"GRANT CONNECT ON DATABASE ", &name, &" TO ", &slot]);
        }
        batch.give_back(&[&owner]);
        self.run_inside(Inside::Tenant(&name), batch).await?;
        Ok(())
    }

    async fn missing_role(&self, placement: Placement) -> Result<Option<RoleKind>, ClusterError> {
        let roles = self.roles(placement).await?;
        Ok(RoleKind::ALL
            .into_iter()
            .find(|kind| !roles.iter().any(|role| role.kind == *kind)))
    }

    /// Whether the tenant's database is made and open to its applications.
    pub async fn is_open(&self, placement: Placement) -> Result<bool, ClusterError> {
        let state = self.database(placement).await?;
        Ok(state.is_some_and(|state| state.is_open()))
    }

    /// Takes from the applications' slots the right to connect and ends their sessions. What is in
    /// the database stays as it is. Nothing where there is no database.
    pub async fn close_database(&self, placement: Placement) -> Result<(), ClusterError> {
        let mut patience = self.patience();
        loop {
            match self.try_close(placement).await {
                Ok(()) => return Ok(()),
                Err(error) => patience.bear(error).await?,
            }
        }
    }

    async fn try_close(&self, placement: Placement) -> Result<(), ClusterError> {
        let Some(state) = self.database(placement).await? else {
            return Ok(());
        };
        let roles = self.roles(placement).await?;
        let owner = placement.role(RoleKind::Owner);
        let slots: Vec<Login> = roles
            .iter()
            .filter_map(|role| match role.kind {
                RoleKind::Login(login @ (Login::A | Login::B)) => Some(login),
                RoleKind::Login(Login::Service) | RoleKind::Owner | RoleKind::Application => None,
            })
            .collect();
        if state.owned {
            let mut batch = Batch::locked(self.version().await?, placement);
            batch.borrow(&[&owner]);
            for slot in &slots {
                let slot = placement.role(RoleKind::Login(*slot));
                batch.add(&[
                    &"REVOKE CONNECT ON DATABASE ",
                    &placement.database(),
                    &" FROM ",
                    &slot,
                ]);
            }
            batch.give_back(&[&owner]);
            self.run(batch).await?;
        }
        for slot in slots {
            self.try_end_sessions(placement, slot).await?;
        }
        Ok(())
    }
}
