//! Connections past the admin's pool: how the server itself enters a tenant's database, and one to
//! learn whether the cluster can be reached at all.

use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};
use tenantry_core::Secret;
use tokio::time::timeout;

use super::{Cluster, ClusterError};
use super::name::{Login, Placement, RoleKind};

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

    /// How one of a tenant's roles enters its database, to stay and work there.
    pub(crate) fn connect_options(
        &self,
        placement: Placement,
        login: Login,
        password: &Secret<String>,
    ) -> PgConnectOptions {
        self.options
            .clone()
            .application_name("tenantry")
            .database(placement.database().as_str())
            .username(placement.role(RoleKind::Login(login)).as_str())
            .password(password.expose())
            .options([
                ("client_connection_check_interval", "2000"),
                ("statement_timeout", "30000"),
            ])
    }
}
