//! Names that callers still use for what is said without "database" now: a home is a database, or
//! schemas, or rows.

use super::name::{DatabaseName, Login, Placement, RoleKind};
use super::{Cluster, ClusterError, HomeState, SignIn};
use tenantry_core::tenant::Isolation;

/// A tenant's home as the catalogue has it.
pub type DatabaseState = HomeState;

impl Cluster {
    /// [`ensure_base`](Self::ensure_base) for tenants with databases of their own.
    pub async fn ensure_template(&self) -> Result<(), ClusterError> {
        self.ensure_base(Isolation::Database).await
    }

    /// [`drop_base`](Self::drop_base) for tenants with databases of their own.
    pub async fn drop_template(&self) -> Result<(), ClusterError> {
        self.drop_base(Isolation::Database).await
    }

    /// [`home`](Self::home).
    pub async fn database(&self, placement: Placement) -> Result<Option<HomeState>, ClusterError> {
        self.home(placement).await
    }

    /// [`create_home`](Self::create_home).
    pub async fn create_database(&self, placement: Placement) -> Result<(), ClusterError> {
        self.create_home(placement).await
    }

    /// [`has_home`](Self::has_home).
    pub async fn has_database(&self, placement: Placement) -> Result<bool, ClusterError> {
        self.has_home(placement).await
    }

    /// [`open_home`](Self::open_home).
    pub async fn open_database(&self, placement: Placement) -> Result<(), ClusterError> {
        self.open_home(placement).await
    }

    /// [`drop_home`](Self::drop_home).
    pub async fn drop_database(&self, placement: Placement) -> Result<(), ClusterError> {
        self.drop_home(placement).await
    }
}

impl Placement {
    /// The name of the database that it has of its own;
    /// [`database_name`](Cluster::database_name) where it may share one.
    pub fn database(self) -> DatabaseName {
        DatabaseName::own(self)
    }
}

impl RoleKind {
    /// All there are; [`all`](Self::all) of those that a tenant has.
    pub const ALL: [Self; 5] = [
        Self::Owner,
        Self::Application,
        Self::Login(Login::A),
        Self::Login(Login::B),
        Self::Login(Login::Service),
    ];
}

impl SignIn {
    /// Whether the right role signed in and acts as its group;
    /// [`expected`](Cluster::expected) also tells the database where tenants share one.
    pub fn is_right(&self, placement: Placement, login: Login) -> bool {
        let Self::In {
            acts_as,
            user,
            database,
        } = self
        else {
            return false;
        };
        if (placement.isolation, login) == (Isolation::Shared, Login::Service) {
            return acts_as == user && format!("{database}_s") == *user;
        }
        let own = placement.isolation != Isolation::Database
            || database == DatabaseName::own(placement).as_str();
        own && acts_as == placement.role(login.acts_as()).as_str()
            && user == placement.role(RoleKind::Login(login)).as_str()
    }
}
