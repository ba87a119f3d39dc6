//! A database of the tenant's own: making it from the template, opening it, and dropping it.

mod state;

pub(super) use state::{is_bare, is_marker};

use super::ddl::Batch;
use super::error::Trouble;
use super::name::{Login, Placement, RoleKind};
use super::session::Inside;
use super::{Cluster, ClusterError, HomeState};

impl Cluster {
    pub(super) async fn create_own_database(
        &self,
        placement: Placement,
        mut state: Option<HomeState>,
    ) -> Result<(), ClusterError> {
        if state.is_some_and(|state| state.broken) {
            self.drop_own_database(placement).await?;
            state = None;
        }
        if state.is_none() {
            self.clone_template(placement).await?;
        }
        self.dress(placement).await
    }

    async fn clone_template(&self, placement: Placement) -> Result<(), ClusterError> {
        let mut batch = Batch::new(self.version().await?);
        batch.add(&[
            &"CREATE DATABASE ",
            &self.database_name(placement),
            &" TEMPLATE ",
            &self.template_name(),
            &" ALLOW_CONNECTIONS false",
        ]);
        match self.run(batch).await {
            Err(error) if error.is_no_database() => {
                Err(ClusterError::Missing(self.template_name().to_string()))
            }
            outcome => outcome.map(drop),
        }
    }

    /// Owner, marker and rights, and only then connections: in one transaction, so that a database
    /// that accepts connections is never open to PUBLIC.
    pub(super) async fn dress(&self, placement: Placement) -> Result<(), ClusterError> {
        // Looked at again: what is there now may be another's who was quicker.
        let state = self.database_state(placement).await?;
        let name = self.database_name(placement);
        if state.is_none() {
            return Err(ClusterError::Busy(name.to_string()));
        }
        let owner = placement.role(RoleKind::Owner);
        let mut batch = Batch::locked(self.version().await?, placement);
        batch
            .borrow([&owner])
            .add(&[&"ALTER DATABASE ", &name, &" OWNER TO ", &owner])
            .add(&[
                &"COMMENT ON DATABASE ",
                &name,
                &" IS ",
                &self.marker(placement),
            ])
            .add(&[&"REVOKE ALL ON DATABASE ", &name, &" FROM PUBLIC"])
            // The admin gives its membership back and would else be shut out with PUBLIC.
            .add(&[&"GRANT CONNECT ON DATABASE ", &name, &" TO CURRENT_USER"])
            .add(&[&"ALTER DATABASE ", &name, &" ALLOW_CONNECTIONS true"])
            .give_back([&owner]);
        self.run(batch).await?;
        Ok(())
    }

    pub(super) async fn open_own_database(&self, placement: Placement) -> Result<(), ClusterError> {
        let name = self.database_name(placement);
        let owner = placement.role(RoleKind::Owner);
        let application = placement.role(RoleKind::Application);
        let mut batch = Batch::locked(self.version().await?, placement);
        batch
            .borrow([&owner])
            // REASSIGN also takes what the role owns outside this database, which is nothing.
            .add(&[&"REASSIGN OWNED BY ", &self.objects_role(), &" TO ", &owner])
            .add(&[&"REVOKE ALL ON SCHEMA public FROM PUBLIC"]);
        self.furnish(&mut batch, placement);
        batch.add(&[
            &"GRANT TEMPORARY ON DATABASE ",
            &name,
            &" TO ",
            &application,
        ]);
        for slot in Login::SLOTS {
            let slot = placement.role(RoleKind::Login(slot));
            batch.add(&[&"GRANT CONNECT ON DATABASE ", &name, &" TO ", &slot]);
        }
        batch.give_back([&owner]);
        self.run_inside(Inside::Tenant(&name), batch).await?;
        Ok(())
    }

    /// Takes the right to connect from the applications' slots.
    pub(super) async fn close_own_database(
        &self,
        placement: Placement,
        state: HomeState,
    ) -> Result<(), ClusterError> {
        if !state.owned {
            return Ok(());
        }
        let roles = self.roles(placement).await?;
        let owner = placement.role(RoleKind::Owner);
        let mut batch = Batch::locked(self.version().await?, placement);
        batch.borrow([&owner]);
        for slot in Login::SLOTS.map(RoleKind::Login) {
            if roles.iter().any(|role| role.kind == slot) {
                batch.add(&[
                    &"REVOKE CONNECT ON DATABASE ",
                    &self.database_name(placement),
                    &" FROM ",
                    &placement.role(slot),
                ]);
            }
        }
        batch.give_back([&owner]);
        self.run(batch).await?;
        Ok(())
    }

    pub(super) async fn drop_own_database(&self, placement: Placement) -> Result<(), ClusterError> {
        let Some(state) = self.database_state(placement).await? else {
            return Ok(());
        };
        let (name, owner) = (
            self.database_name(placement),
            placement.role(RoleKind::Owner),
        );
        let version = self.version().await?;
        if state.accepts || !state.admins {
            let mut batch = Batch::locked(version, placement);
            if !state.admins {
                batch.borrow([&owner]);
            }
            // One whose drop was interrupted can't be altered otherwise, and lets nobody in.
            if !state.broken {
                batch.add(&[&"ALTER DATABASE ", &name, &" ALLOW_CONNECTIONS false"]);
            }
            if !state.admins {
                // Only an owner may drop it, and DROP DATABASE can't be in one transaction with
                // the loan of the owner's membership.
                batch
                    .add(&[&"ALTER DATABASE ", &name, &" OWNER TO CURRENT_USER"])
                    .give_back([&owner]);
            }
            self.run(batch).await?;
        }
        // FORCE may end only the sessions of roles that the admin is a member of, and is refused
        // (42501) over any other.
        self.try_end_all_sessions(placement, &Login::ALL).await?;
        let mut batch = Batch::new(version);
        batch.add(&[&"DROP DATABASE IF EXISTS ", &name, &" WITH (FORCE)"]);
        match self.run(batch).await {
            Ok(_) => Ok(()),
            Err(error) => Err(self.who_is_in(placement, error).await),
        }
    }

    /// Says why it can't be dropped where somebody is connected whom the admin may not end.
    async fn who_is_in(&self, placement: Placement, error: ClusterError) -> ClusterError {
        if error.trouble() != Trouble::Denied {
            return error;
        }
        match self.others_in(placement).await {
            Ok(Some(by)) => ClusterError::Occupied {
                database: self.database_name(placement).to_string(),
                by,
            },
            // It has left since, or is one of the server's own workers (autovacuum), which ends by
            // itself and has no name.
            Ok(None) => ClusterError::Busy(self.database_name(placement).to_string()),
            Err(_) => error,
        }
    }

    /// The roles connected to the tenant's own database that are neither its own nor the admin's.
    pub(super) async fn others_in(
        &self,
        placement: Placement,
    ) -> Result<Option<String>, ClusterError> {
        let ours: Vec<String> = Login::ALL
            .map(|login| placement.role(RoleKind::Login(login)).as_str().to_owned())
            .to_vec();
        let look = sqlx::query(
            "SELECT string_agg(DISTINCT usename::text, ', ' ORDER BY usename::text) AS names
             FROM pg_stat_activity
             WHERE datname = $1 AND usename <> ALL($2) AND usename <> current_user",
        )
        .bind(self.database_name(placement).as_str().to_owned())
        .bind(ours);
        let rows = self.look(look).await?;
        let row = rows.first().ok_or(sqlx::Error::RowNotFound)?;
        Ok(sqlx::Row::try_get(row, "names")?)
    }
}
