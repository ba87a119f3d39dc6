//! A tenant's roles: making all of them, and dropping them once the home is gone.

use sqlx::Row as _;

use super::ddl::Batch;
use super::name::{Common, Placement, RoleKind, RoleName};
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

    pub(super) async fn try_roles(&self, placement: Placement) -> Result<(), ClusterError> {
        let there = self.roles(placement).await?;
        if is_complete(placement, &there) {
            return Ok(());
        }
        let mut batch = Batch::locked(self.version().await?, placement);
        for kind in placement.role_kinds() {
            let role = placement.role(*kind);
            if !there.iter().any(|state| state.kind == *kind) {
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
            .borrow([&owner, &application]);
        for kind in placement.role_kinds() {
            let RoleKind::Login(login) = *kind else {
                continue;
            };
            let (role, group) = (placement.role(*kind), placement.role(login.acts_as()));
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
                    &placement.search_path(login),
                ]);
        }
        batch.give_back([&owner, &application]);
        self.run(batch).await?;
        Ok(())
    }

    /// Whether all of the tenant's roles are there and sound.
    pub async fn has_roles(&self, placement: Placement) -> Result<bool, ClusterError> {
        Ok(is_complete(placement, &self.roles(placement).await?))
    }

    /// Ends the sessions of the tenant's roles and drops them. To be called once the home is gone:
    /// as long as a role owns anything anywhere, [`Trouble::InUse`](super::Trouble::InUse).
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
        if there.is_empty() {
            return Ok(());
        }
        self.take_back_grants(placement).await?;
        let mut batch = Batch::locked(self.version().await?, placement);
        for state in there.iter().rev() {
            batch.add(&[&"DROP ROLE IF EXISTS ", &placement.role(state.kind)]);
        }
        self.run(batch).await?;
        Ok(())
    }

    /// Takes back what applications of other tenants in the same database granted to roles that
    /// own nothing any more.
    async fn take_back_grants(&self, placement: Placement) -> Result<(), ClusterError> {
        let Some(common) = Common::of(placement.isolation) else {
            return Ok(());
        };
        let roles = self.present_roles(placement).await?;
        let left = self.what_is_left(&roles).await?;
        if left.owned || !left.granted {
            return Ok(());
        }
        let lent = self.with_grantors(&roles).await?;
        let mut batch = Batch::locked(self.version().await?, placement);
        batch.borrow(&lent).drop_owned(&roles).give_back(&lent);
        self.run_common(common, batch).await?;
        Ok(())
    }

    /// What roles own or were granted, in any database.
    pub(super) async fn what_is_left(&self, roles: &[RoleName]) -> Result<Left, ClusterError> {
        let names: Vec<String> = roles.iter().map(|role| role.as_str().to_owned()).collect();
        let look = sqlx::query(
            "SELECT COALESCE(bool_or(s.deptype = 'o'), FALSE) AS owned,
                    COALESCE(bool_or(s.deptype <> 'o'), FALSE) AS granted
             FROM pg_shdepend s JOIN pg_roles r ON r.oid = s.refobjid
             WHERE s.refclassid = 'pg_authid'::regclass AND r.rolname = ANY($1)",
        )
        .bind(names);
        let rows = self.look(look).await?;
        let row = rows.first().ok_or(sqlx::Error::RowNotFound)?;
        Ok(Left {
            owned: row.try_get("owned")?,
            granted: row.try_get("granted")?,
        })
    }
}

/// What keeps roles from being dropped.
#[derive(Clone, Copy)]
pub(super) struct Left {
    pub(super) owned: bool,
    pub(super) granted: bool,
}

fn is_complete(placement: Placement, roles: &[RoleState]) -> bool {
    roles.len() == placement.role_kinds().len() && roles.iter().all(|role| role.sound)
}
