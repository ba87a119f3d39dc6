//! Connections past the admin's pool: how the server itself enters a tenant's home, and one to
//! learn whether the cluster can be reached at all.

use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};
use tenantry_core::Secret;
use tenantry_core::tenant::Isolation;
use tokio::time::timeout;

use super::name::{Login, Placement, RoleKind};
use super::{Cluster, ClusterError};

/// How long a server may take to answer at all.
const REACH: Duration = Duration::from_secs(5);

impl Cluster {
    /// Connects once as the admin, past the pool, which would try for long and forget why it could
    /// not.
    pub async fn reach(&self) -> Result<(), ClusterError> {
        match timeout(REACH, self.options.connect()).await {
            Ok(conn) => Ok(conn?.close().await?),
            Err(_) => Err(ClusterError::Deadline(REACH)),
        }
    }

    /// How one of a tenant's roles enters its home, to stay and work there. The service slot of a
    /// tenant in shared tables is the login that serves all of them: each transaction has to name
    /// its tenant (`SET LOCAL tenantry.tenant`), and sees nothing before.
    pub(crate) fn connect_options(
        &self,
        placement: Placement,
        login: Login,
        password: &Secret<String>,
    ) -> PgConnectOptions {
        // The admin's options bring `client_connection_check_interval` along.
        self.options
            .clone()
            .application_name("tenantry")
            .database(&self.database_of(placement))
            .username(&self.login_name(placement, login))
            .password(password.expose())
            .options([("statement_timeout", "30000")])
    }

    /// Who signs in.
    pub(super) fn login_name(&self, placement: Placement, login: Login) -> String {
        match (placement.isolation, login) {
            (Isolation::Shared, Login::Service) => self.service_role().as_str().to_owned(),
            _ => placement.role(RoleKind::Login(login)).as_str().to_owned(),
        }
    }
}
