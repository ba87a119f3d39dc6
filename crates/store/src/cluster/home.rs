//! A tenant's home: making, opening, closing and dropping what holds its rows, whatever its
//! isolation.

use tenantry_core::tenant::Isolation;

use super::name::{Login, Placement, RoleKind};
use super::{Cluster, ClusterError};

/// A tenant's home as the catalogue has it: its own database, or its own schemas in a database it
/// shares with others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, and a check tells each by itself"
)]
pub struct HomeState {
    /// It carries our marker for this tenant and generation.
    pub marked: bool,
    /// The tenant's owner role owns it.
    pub owned: bool,
    /// The admin's role owns it, as while a database is being made or dropped.
    pub admins: bool,
    /// The database accepts connections, and those of the tenant's own service slot.
    pub accepts: bool,
    /// PUBLIC has a right on the database.
    pub public: bool,
    /// Everything in it belongs to the tenant, and applications have their schema and view.
    pub furnished: bool,
    /// The slots of the applications may connect.
    pub admitted: bool,
    /// Dropping the database was interrupted; it can only be dropped again.
    pub broken: bool,
}

impl HomeState {
    /// Whether it is made, whatever is in it.
    pub const fn is_made(&self) -> bool {
        self.marked && self.owned && self.accepts && !self.public && !self.broken
    }

    /// Whether it is as it should be, seen from outside.
    pub const fn is_open(&self) -> bool {
        self.is_made() && self.furnished && self.admitted
    }
}

impl Cluster {
    /// The tenant's home, if there is one.
    ///
    /// # Errors
    /// [`ClusterError::Foreign`] where a database or schema of its name carries no marker of ours
    /// for this tenant and generation and is none that this program has just begun to make.
    pub async fn home(&self, placement: Placement) -> Result<Option<HomeState>, ClusterError> {
        match placement.isolation {
            Isolation::Database => self.database_state(placement).await,
            Isolation::Schema | Isolation::Shared => self.schemas_state(placement).await,
        }
    }

    /// Makes the tenant's home, empty, owned by its owner role, with our marker and no right for
    /// PUBLIC. Only the server itself may connect; [`open_home`] lets in the applications. Needs
    /// the base (see [`ensure_base`]) and the roles.
    ///
    /// Where rows are shared, those of an earlier generation are deleted, as otherwise the new one
    /// would begin with them.
    ///
    /// [`open_home`]: Self::open_home
    /// [`ensure_base`]: Self::ensure_base
    ///
    /// # Errors
    /// [`ClusterError::Superseded`] where rows are shared and those that are there belong to a
    /// later generation.
    pub async fn create_home(&self, placement: Placement) -> Result<(), ClusterError> {
        let mut patience = self.patience();
        loop {
            match self.try_create(placement).await {
                Ok(()) => return Ok(()),
                Err(error) => patience.bear(error).await?,
            }
        }
    }

    async fn try_create(&self, placement: Placement) -> Result<(), ClusterError> {
        let state = self.home(placement).await?;
        if state.is_some_and(|state| state.is_made()) {
            return Ok(());
        }
        self.expect_role(placement, RoleKind::Owner).await?;
        match placement.isolation {
            Isolation::Database => self.create_own_database(placement, state).await,
            Isolation::Schema => self.create_schema(placement).await,
            Isolation::Shared => self.create_shared(placement).await,
        }
    }

    /// Puts right what somebody changed about the tenant's home: owner, marker, rights of PUBLIC,
    /// connections. Never makes one: what was in a home that is gone is for a backup to bring back.
    /// What is wrong with the base is for [`ensure_base`](Self::ensure_base).
    ///
    /// # Errors
    /// [`ClusterError::Missing`] where there is none, or only what an interrupted drop left.
    pub async fn mend_home(&self, placement: Placement) -> Result<(), ClusterError> {
        let mut patience = self.patience();
        loop {
            match self.try_mend(placement).await {
                Ok(()) => return Ok(()),
                Err(error) => patience.bear(error).await?,
            }
        }
    }

    async fn try_mend(&self, placement: Placement) -> Result<(), ClusterError> {
        let state = self.home(placement).await?;
        let Some(state) = state.filter(|state| !state.broken) else {
            return Err(self.without_home(placement));
        };
        if state.is_made() {
            return Ok(());
        }
        self.expect_role(placement, RoleKind::Owner).await?;
        match placement.isolation {
            Isolation::Database => self.dress(placement).await,
            Isolation::Schema => self.admit_owner(placement).await,
            // What could be wrong with it is all the base's.
            Isolation::Shared => Ok(()),
        }
    }

    fn without_home(&self, placement: Placement) -> ClusterError {
        let name = self.database_shown(placement);
        ClusterError::Missing(match placement.own_schemas().first() {
            Some(schema) => format!("{schema} in {name}"),
            None => name,
        })
    }

    async fn expect_role(&self, placement: Placement, kind: RoleKind) -> Result<(), ClusterError> {
        let roles = self.roles(placement).await?;
        if roles.iter().any(|role| role.kind == kind) {
            return Ok(());
        }
        Err(ClusterError::Missing(placement.role(kind).to_string()))
    }

    /// Whether the tenant's home is made.
    pub async fn has_home(&self, placement: Placement) -> Result<bool, ClusterError> {
        let state = self.home(placement).await?;
        Ok(state.is_some_and(|state| state.is_made()))
    }

    /// Hands everything in the home to the tenant's owner, sets up what applications see, and lets
    /// their slots connect: one transaction, so all of it or none. Puts right what somebody
    /// changed since.
    pub async fn open_home(&self, placement: Placement) -> Result<(), ClusterError> {
        let mut patience = self.patience();
        loop {
            match self.try_open(placement).await {
                Ok(()) => return Ok(()),
                Err(error) => patience.bear(error).await?,
            }
        }
    }

    async fn try_open(&self, placement: Placement) -> Result<(), ClusterError> {
        let state = self.home(placement).await?;
        let Some(state) = state.filter(HomeState::is_made) else {
            return Err(self.without_home(placement));
        };
        if state.is_open() {
            return Ok(());
        }
        for kind in placement.role_kinds() {
            self.expect_role(placement, *kind).await?;
        }
        match placement.isolation {
            Isolation::Database => self.open_own_database(placement).await,
            Isolation::Schema => self.open_schema(placement).await,
            Isolation::Shared => self.open_shared(placement).await,
        }
    }

    /// Whether the tenant's home is made and open to its applications.
    pub async fn is_open(&self, placement: Placement) -> Result<bool, ClusterError> {
        let state = self.home(placement).await?;
        Ok(state.is_some_and(|state| state.is_open()))
    }

    /// Takes from the applications' slots the right to connect and ends their sessions. What is in
    /// the home stays as it is. Nothing where there is none. In a database that was adopted, where
    /// that right is often everybody's, they lose their passwords instead.
    pub async fn close_home(&self, placement: Placement) -> Result<(), ClusterError> {
        let mut patience = self.patience();
        loop {
            match self.try_close(placement).await {
                Ok(()) => return Ok(()),
                Err(error) => patience.bear(error).await?,
            }
        }
    }

    async fn try_close(&self, placement: Placement) -> Result<(), ClusterError> {
        let Some(state) = self.home(placement).await? else {
            return Ok(());
        };
        match placement.isolation {
            Isolation::Database => self.close_own_database(placement, state).await?,
            Isolation::Schema | Isolation::Shared => {
                self.shut_out(placement, &[RoleKind::Application]).await?;
            }
        }
        self.try_end_all_sessions(placement, &Login::SLOTS).await
    }

    /// Drops the tenant's home and all that is in it, whoever of the tenant is connected; nothing
    /// where there is none. Where rows are shared, they go with the last of the tenant's homes, so
    /// that dropping an earlier generation leaves a later one its rows.
    pub async fn drop_home(&self, placement: Placement) -> Result<(), ClusterError> {
        let mut patience = self.patience();
        loop {
            match self.try_drop(placement).await {
                Ok(()) => return Ok(()),
                Err(error) => patience.bear(error).await?,
            }
        }
    }

    async fn try_drop(&self, placement: Placement) -> Result<(), ClusterError> {
        match placement.isolation {
            Isolation::Database => self.drop_own_database(placement).await,
            Isolation::Schema | Isolation::Shared => self.drop_schemas(placement).await,
        }
    }
}
