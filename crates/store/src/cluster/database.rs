//! A tenant's database: making it from the template, and dropping it.

use super::ddl::Batch;
use super::error::Trouble;
use super::name::{Login, Placement, RoleKind};
use super::{Cluster, ClusterError};

impl Cluster {
    /// Makes the tenant's database, owned by its owner role, with our marker and no right for
    /// PUBLIC. Only the admin and the tenant's owner may connect; [`open_database`] lets in the
    /// applications. Needs the template and the roles.
    ///
    /// [`open_database`]: Self::open_database
    pub async fn create_database(&self, placement: Placement) -> Result<(), ClusterError> {
        let mut patience = self.patience();
        loop {
            match self.try_create(placement).await {
                Ok(()) => return Ok(()),
                Err(error) => patience.bear(error).await?,
            }
        }
    }

    async fn try_create(&self, placement: Placement) -> Result<(), ClusterError> {
        let mut state = self.database(placement).await?;
        if state.is_some_and(|state| state.is_made()) {
            return Ok(());
        }
        let owner = placement.role(RoleKind::Owner);
        let roles = self.roles(placement).await?;
        if !roles.iter().any(|role| role.kind == RoleKind::Owner) {
            return Err(ClusterError::Missing(owner.to_string()));
        }
        if state.is_some_and(|state| state.broken) {
            self.try_drop(placement).await?;
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
            &placement.database(),
            &" TEMPLATE ",
            &self.template_name(),
            &" ALLOW_CONNECTIONS false",
        ]);
        match self.run(batch).await {
            Err(error) if error.sqlstate().as_deref() == Some("3D000") => {
                Err(ClusterError::Missing(self.template_name().to_string()))
            }
            outcome => outcome.map(drop),
        }
    }

    /// Owner, marker and rights, and only then connections: in one transaction, so that a database
    /// that accepts connections is never open to PUBLIC.
    async fn dress(&self, placement: Placement) -> Result<(), ClusterError> {
        // Looked at again: what is there now may be another's who was quicker.
        let state = self.database(placement).await?;
        let name = placement.database();
        if state.is_none() {
            return Err(ClusterError::Busy(name.to_string()));
        }
        let owner = placement.role(RoleKind::Owner);
        let mut batch = Batch::locked(self.version().await?, placement);
        batch
            .borrow(&[&owner])
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
            .give_back(&[&owner]);
        self.run(batch).await?;
        Ok(())
    }

    /// Whether the tenant's database is made.
    pub async fn has_database(&self, placement: Placement) -> Result<bool, ClusterError> {
        let state = self.database(placement).await?;
        Ok(state.is_some_and(|state| state.is_made()))
    }

    /// Drops the tenant's database, whoever of the tenant is connected; nothing where there is
    /// none.
    pub async fn drop_database(&self, placement: Placement) -> Result<(), ClusterError> {
        let mut patience = self.patience();
        loop {
            match self.try_drop(placement).await {
                Ok(()) => return Ok(()),
                Err(error) => patience.bear(error).await?,
            }
        }
    }

    async fn try_drop(&self, placement: Placement) -> Result<(), ClusterError> {
        let Some(state) = self.database(placement).await? else {
            return Ok(());
        };
        let (name, owner) = (placement.database(), placement.role(RoleKind::Owner));
        let version = self.version().await?;
        if state.accepts || !state.admins {
            let mut batch = Batch::locked(version, placement);
            if !state.admins {
                batch.borrow(&[&owner]);
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
                    .give_back(&[&owner]);
            }
            self.run(batch).await?;
        }
        // FORCE may end only the sessions of roles that the admin is a member of, and is refused
        // (42501) over any other.
        for role in self.roles(placement).await? {
            if let RoleKind::Login(login) = role.kind {
                self.try_end_sessions(placement, login).await?;
            }
        }
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
        let ours: Vec<String> = Login::ALL
            .map(|login| placement.role(RoleKind::Login(login)).as_str().to_owned())
            .to_vec();
        let look = sqlx::query(
            "SELECT DISTINCT usename::text AS name FROM pg_stat_activity
             WHERE datname = $1 AND usename <> ALL($2) AND usename <> current_user ORDER BY 1",
        )
        .bind(placement.database().as_str().to_owned())
        .bind(ours);
        let Ok(rows) = self.look(look).await else {
            return error;
        };
        let names: Vec<String> = rows
            .iter()
            .filter_map(|row| sqlx::Row::try_get(row, "name").ok())
            .collect();
        if names.is_empty() {
            // It has left since, or is one of the server's own workers (autovacuum), which ends by
            // itself and has no name.
            return ClusterError::Busy(placement.database().to_string());
        }
        ClusterError::Occupied {
            database: placement.database().to_string(),
            by: names.join(", "),
        }
    }
}
