//! Mending a tenant's database and roles on a PostgreSQL server.

use tenantry_core::credential::{CredentialState, Slot};
use tenantry_core::finding::FindingCode;
use tenantry_core::tenant::{Isolation, Tenant};
use tenantry_store::cluster::Placement;
use tenantry_store::homes::{Home, ServerHome};
use tenantry_store::{ControlTx, StoreError};

use crate::refusal::Chain;
use crate::{Refusal, Service};

/// What making the roles anew, or putting them right, mends.
const ROLES: &[FindingCode] = &[FindingCode::RoleMissing, FindingCode::RoleChanged];

/// What dressing the database anew mends: owner, marker, rights of PUBLIC, connections.
const DATABASE: &[FindingCode] = &[
    FindingCode::DatabaseClosed,
    FindingCode::DatabasePublic,
    FindingCode::DatabaseChanged,
];

/// What opening the database to its application mends.
const FURNITURE: &[FindingCode] = &[
    FindingCode::RoleMissing,
    FindingCode::DatabaseChanged,
    FindingCode::ApplicationSchemaMissing,
    FindingCode::GrantMissing,
];

/// What setting the stored password of the server's own role mends.
const SERVICE: &[FindingCode] = &[
    FindingCode::RoleMissing,
    FindingCode::RoleDisabled,
    FindingCode::CredentialMissing,
    FindingCode::CredentialRefused,
];

/// What mends making the application's slots follow the tenant's status, with their stored passwords.
const SLOTS: &[FindingCode] = &[
    FindingCode::RoleMissing,
    FindingCode::RoleDisabled,
    FindingCode::ApplicationRefused,
    FindingCode::LoginOpen,
    FindingCode::LoginClosed,
];

impl Service {
    pub(super) async fn mend_server(
        &self,
        tenant: &Tenant,
        codes: &[FindingCode],
    ) -> Result<(), Refusal> {
        let any = |of: &[FindingCode]| codes.iter().any(|code| of.contains(code));
        if ![ROLES, DATABASE, FURNITURE, SERVICE, SLOTS]
            .into_iter()
            .any(any)
        {
            return Ok(());
        }
        let mended = self.mend_home(tenant, codes).await;
        // Connections that were signed in by a role that is no more act as nobody.
        self.pools().close(tenant.id, tenant.generation).await;
        mended
    }

    async fn mend_home(&self, tenant: &Tenant, codes: &[FindingCode]) -> Result<(), Refusal> {
        let any = |of: &[FindingCode]| codes.iter().any(|code| of.contains(code));
        let home = self.home_of(tenant).await?;
        let Some(server) = home.server() else {
            return Ok(());
        };
        let lost = codes.contains(&FindingCode::CredentialMissing);
        if lost {
            if tenant.isolation == Isolation::Shared {
                return Err(Refusal::Conflict(
                    "the password belongs to every tenant in common tables there".to_owned(),
                ));
            }
            let mut tx = self.control().begin().await?;
            self.draw_service_secret(&mut tx, tenant).await?;
            tx.commit().await?;
        }
        let placement = server.placement();
        if any(ROLES) {
            server
                .cluster()
                .ensure_roles(placement)
                .await
                .map_err(on_server)?;
        }
        if any(DATABASE) {
            self.dress(&home, server).await?;
        }
        if any(FURNITURE) {
            home.furnish().await.map_err(on_server)?;
        }
        if any(SERVICE) {
            home.admit_service().await.map_err(on_server)?;
        }
        if any(SLOTS) {
            self.settle_logins(tenant.id).await?;
        }
        if lost {
            self.activate_service_secret(tenant).await?;
        }
        Ok(())
    }

    /// Only what is there: nothing is made in the place of a database that is gone.
    async fn dress(&self, home: &Home<'_>, server: &ServerHome<'_>) -> Result<(), Refusal> {
        let (cluster, placement) = (server.cluster(), server.placement());
        if placement.isolation != Isolation::Database
            && cluster.home(placement).await.map_err(on_server)?.is_some()
        {
            // What is wrong may be wrong with what tenants share.
            home.make_roles().await.map_err(on_server)?;
        }
        cluster.mend_home(placement).await.map_err(on_server)
    }

    /// Writes down a new secret of the server's own role, in the place of one that is lost.
    pub(super) async fn draw_service_secret(
        &self,
        tx: &mut ControlTx,
        tenant: &Tenant,
    ) -> Result<(), Refusal> {
        let now = self.clock().now();
        let (id, generation) = (tenant.id, tenant.generation);
        let before = tx.credentials().list(id, generation).await?;
        for old in &before {
            if old.slot == Slot::Service && old.state != CredentialState::Retired {
                if self.clusters()?.password(old).await.is_ok() {
                    // Another process was quicker.
                    return Ok(());
                }
                tx.credentials()
                    .change_state(old, CredentialState::Retired, now)
                    .await?;
            }
        }
        let serial = before.iter().map(|old| old.serial).max().unwrap_or(0) + 1;
        let placement = Placement::new(id, generation, tenant.isolation);
        if self
            .add_secret(tx, placement, serial, Slot::Service)
            .await?
        {
            Ok(())
        } else {
            Err(Refusal::Conflict(
                "another process is mending the same; look again".to_owned(),
            ))
        }
    }

    /// Notes that a new secret of the server's own role was found to work.
    pub(super) async fn activate_service_secret(&self, tenant: &Tenant) -> Result<(), Refusal> {
        let mut control = self.control().read().await?;
        let current = control
            .credentials()
            .current(tenant.id, tenant.generation, Slot::Service)
            .await?;
        drop(control);
        let Some(pending) = current.filter(|it| it.state == CredentialState::Pending) else {
            return Ok(());
        };
        let home = self.home_of(tenant).await?;
        let Some(server) = home.server() else {
            return Ok(());
        };
        let entered = server.try_service().await;
        if server.is_right(&entered.map_err(on_server)?) {
            let mut tx = self.control().begin().await?;
            tx.credentials()
                .change_state(&pending, CredentialState::Active, self.clock().now())
                .await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// Drops what carries our marker and belongs to nobody; whether it is gone.
    pub(super) async fn drop_orphan(
        &self,
        cluster: &str,
        placement: Placement,
    ) -> Result<bool, Refusal> {
        let server = self.clusters()?.find(cluster).await?;
        let dropped = async {
            server.drop_home(placement).await?;
            server.drop_roles(placement).await
        };
        match dropped.await {
            Ok(()) => Ok(true),
            Err(error) => {
                tracing::warn!(cluster, database = %server.database_shown(placement), error = %Chain(&error), "what belongs to no tenant could not be dropped");
                Ok(false)
            }
        }
    }
}

/// A failure on the server, which is none of the control database's.
pub(super) fn on_server(error: impl Into<StoreError>) -> Refusal {
    Refusal::failed("the server could not do its part")(error.into())
}
