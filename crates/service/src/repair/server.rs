//! Mending a tenant's database and roles on a PostgreSQL server.

use tenantry_core::credential::{CredentialState, Slot};
use tenantry_core::finding::FindingCode;
use tenantry_core::tenant::{Isolation, Tenant};
use tenantry_store::cluster::{Login, Placement, RoleKind, generate_password};
use tenantry_store::clusters::credential_context;
use tenantry_store::control::{Credential, NewCredential};
use tenantry_store::homes::{Home, ServerHome};
use tenantry_store::{ControlTx, StoreError};

use crate::check::server::{is_handed_out, login};
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

/// What setting the stored passwords of the application's slots mends.
const SLOTS: &[FindingCode] = &[
    FindingCode::RoleMissing,
    FindingCode::RoleDisabled,
    FindingCode::ApplicationRefused,
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
            self.admit_slots(tenant, server).await?;
        }
        if lost {
            self.activate_service_secret(tenant).await?;
        }
        Ok(())
    }

    /// Only what is there: the step that makes a database would make one out of nothing.
    async fn dress(&self, home: &Home<'_>, server: &ServerHome<'_>) -> Result<(), Refusal> {
        let state = server.cluster().home(server.placement()).await;
        if state.map_err(on_server)?.is_some_and(|state| !state.broken) {
            if server.placement().isolation != Isolation::Database {
                // What is wrong may be wrong with what tenants share.
                home.make_roles().await.map_err(on_server)?;
            }
            let made = home.create(self.clock().now()).await;
            made.map_err(on_server)?;
        }
        Ok(())
    }

    /// Gives each of the application's roles that has to work the password it was handed out with.
    async fn admit_slots(&self, tenant: &Tenant, server: &ServerHome<'_>) -> Result<(), Refusal> {
        let Some(clusters) = self.pools().clusters() else {
            return Ok(());
        };
        let mut control = self.control().read().await?;
        let credentials = control
            .credentials()
            .list(tenant.id, tenant.generation)
            .await?;
        drop(control);
        for credential in credentials.iter().filter(|each| is_handed_out(each)) {
            match clusters.password(credential) {
                Ok(password) => {
                    let (cluster, slot) = (server.cluster(), login(credential.slot));
                    let set = cluster.set_password(server.placement(), slot, &password);
                    set.await.map_err(on_server)?;
                    self.expect_handed_out(tenant, server, credential).await?;
                }
                // Told as a finding of its own, which a rotation mends.
                Err(StoreError::Sealed | StoreError::CredentialMissing) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// A secret that retired in the same moment must not open anything again.
    async fn expect_handed_out(
        &self,
        tenant: &Tenant,
        server: &ServerHome<'_>,
        set: &Credential,
    ) -> Result<(), Refusal> {
        let mut control = self.control().read().await?;
        let now = control
            .credentials()
            .list(tenant.id, tenant.generation)
            .await?;
        drop(control);
        let counts = |each: &&Credential| each.serial == set.serial && is_handed_out(each);
        if !now.iter().any(|each| counts(&each)) {
            let (cluster, slot) = (server.cluster(), login(set.slot));
            let disabled = cluster.disable(server.placement(), slot).await;
            disabled.map_err(on_server)?;
        }
        Ok(())
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
                if self.clusters()?.password(old).is_ok() {
                    // Another process was quicker.
                    return Ok(());
                }
                tx.credentials()
                    .change_state(old, CredentialState::Retired, now)
                    .await?;
            }
        }
        let serial = before.iter().map(|old| old.serial).max().unwrap_or(0) + 1;
        let password = generate_password(self.entropy());
        let sealed = self.keyring().seal(
            password.expose().as_bytes(),
            &credential_context(id, generation, serial),
            self.entropy(),
        );
        let sealed = sealed.map_err(Refusal::failed("a password could not be sealed"))?;
        let role = crate::clusters::placement(id, generation, tenant.isolation)
            .role(RoleKind::Login(Login::Service));
        let new = NewCredential {
            tenant: id,
            generation,
            serial,
            slot: Slot::Service,
            name: role.as_str(),
            sealed_secret: &sealed,
        };
        if tx.credentials().add(&new, now).await? {
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
