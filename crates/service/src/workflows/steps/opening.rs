//! Opening a tenant once everything is there, and taking that back.

use tenantry_core::TenantStatus;
use tenantry_core::credential::{CredentialState, Slot};
use tenantry_core::one_time::Purpose;
use tenantry_core::tenant::Tenant;
use tenantry_mail::Message;
use tenantry_mail::message::SetupLink;
use tenantry_saga::StepError;
use tenantry_store::control::EntryState;
use tenantry_store::tenant::TENANT_SCHEMA;

use super::{Steps, fatal};
use crate::Refusal;
use crate::workflows::Plan;

impl Steps {
    /// Looks at everything as a sign-in would: signs in to the database with what is stored, opens
    /// it, which reads the stamp, finds the owner there, and the owner's entry in the directory.
    pub(in crate::workflows) async fn verify(&self, plan: &Plan) -> Result<(), StepError> {
        let ctx = self.ctx(plan).await?;
        if let Some(server) = self.home(plan, plan.generation).await?.server() {
            let entered = server.try_service().await?;
            if !server.is_right(&entered) {
                return Err(StepError::Fatal(format!(
                    "the stored credentials do not open the database: {entered:?}"
                )));
            }
        }
        let mut tenant = self.0.pools.read(&ctx).await?;
        let stamp = tenant.stamps().find().await?;
        let owners = tenant.users().count_owners().await?;
        drop(tenant);
        let stamped = stamp.is_some_and(|stamp| {
            (stamp.tenant, stamp.generation, stamp.schema_version)
                == (plan.tenant, plan.generation, TENANT_SCHEMA)
        });
        if !stamped || owners < 1 {
            return Err(StepError::Fatal(format!(
                "the database was made but is not whole: stamped {stamped}, owners {owners}"
            )));
        }
        let mut tx = self.0.control.begin().await?;
        if plan.owner.is_some() {
            let owner = self.owner(plan).await?;
            let hash = self.0.keyring.directory().hash(&owner.email.key());
            let entry = tx.directory().lookup(plan.tenant, owner.id, &hash).await?;
            if entry.is_none_or(|entry| entry.state != EntryState::Confirmed) {
                return Err(StepError::Fatal(
                    "the owner's directory entry is not confirmed".to_owned(),
                ));
            }
        }
        if !tx
            .databases()
            .mark_verified(
                plan.tenant,
                plan.generation,
                TENANT_SCHEMA,
                self.0.clock.now(),
            )
            .await?
        {
            return Err(StepError::Fatal("the database's record is gone".to_owned()));
        }
        let role = tx
            .credentials()
            .current(plan.tenant, plan.generation, Slot::Service)
            .await?;
        if let Some(role) = role.filter(|role| role.state == CredentialState::Pending) {
            tx.credentials()
                .change_state(&role, CredentialState::Active, self.0.clock.now())
                .await?;
        }
        Ok(tx.commit().await?)
    }

    pub(in crate::workflows) async fn is_active(&self, plan: &Plan) -> Result<bool, StepError> {
        let tenant = self
            .0
            .control
            .read()
            .await?
            .tenants()
            .lookup(plan.tenant)
            .await?;
        Ok(tenant.is_some_and(|tenant| was_opened(&tenant, plan)))
    }

    /// Opens the tenant, and puts the owner's mail into the outbox with the same commit.
    pub(in crate::workflows) async fn activate(
        &self,
        plan: &Plan,
        kind: &str,
    ) -> Result<(), StepError> {
        if self.is_active(plan).await? {
            return Ok(());
        }
        let mut owner = match plan.owner {
            Some(_) => Some(self.owner(plan).await?),
            None => None,
        };
        if let Some(owner) = &mut owner
            && owner.setup.is_some()
            && self.has_password(plan, owner.id).await?
        {
            owner.setup = None;
        }
        let mut tx = self.0.control.begin().await?;
        let tenant = tx.tenants().lookup(plan.tenant).await?;
        let tenant = tenant.ok_or_else(|| StepError::Fatal("the tenant is gone".to_owned()))?;
        if was_opened(&tenant, plan) {
            return Ok(());
        }
        if !tx.tenants().activate(plan.tenant, plan.generation).await? {
            return Err(StepError::Fatal(format!(
                "a tenant that is {} can't be activated",
                tenant.status
            )));
        }
        self.tell_opened(&mut tx, kind, &tenant, owner.as_ref())
            .await?;
        if let Some(owner) = owner
            && let Some(setup) = owner.setup
        {
            let hosts = tx.domains().list_hosts(plan.tenant).await?;
            let url = self.0.settings.tenant_url(&tenant, &hosts);
            let refused = |refusal: Refusal| fatal("the owner's mail")(&refusal);
            let link = crate::links::link(&url, &format!("/setup/password/{}", setup.token))
                .map_err(refused)?;
            let message = Message::SetupLink(SetupLink {
                tenant: self
                    .0
                    .settings
                    .mail_tenant(&tenant, &hosts)
                    .map_err(refused)?,
                person: owner
                    .full_name
                    .as_deref()
                    .and_then(tenantry_mail::PlainName::clean),
                link,
                expires_at: plan.at + Purpose::Setup.lifetime(),
                sign_in_url: crate::links::link(&url, "/login").map_err(refused)?,
            });
            let mail = crate::outbox::Letter {
                to: owner.email,
                locale: setup.locale,
                message,
            };
            let sealed = self.0.seal_letter(setup.mail, &mail).map_err(refused)?;
            tx.outbox()
                .add(setup.mail, Some(plan.tenant), &sealed, self.0.clock.now())
                .await?;
        }
        Ok(tx.commit().await?)
    }

    /// Takes the activation back. Only before anybody could use it: the engine undoes the last
    /// step only when recording its success failed for good.
    pub(in crate::workflows) async fn deactivate(&self, plan: &Plan) -> Result<(), StepError> {
        let mut tx = self.0.control.begin().await?;
        let taken_back = tx
            .tenants()
            .change_status(
                plan.tenant,
                TenantStatus::Active,
                TenantStatus::Provisioning,
            )
            .await?;
        let tenant = tx.tenants().lookup(plan.tenant).await?;
        if taken_back && let Some(tenant) = &tenant {
            self.tell_taken_back(&mut tx, tenant).await?;
        }
        if !taken_back && tenant.is_some_and(|tenant| was_opened(&tenant, plan)) {
            return Err(StepError::Fatal(
                "the tenant was in use and changed hands meanwhile; nothing is taken back"
                    .to_owned(),
            ));
        }
        tx.outbox().remove_tenant(plan.tenant).await?;
        Ok(tx.commit().await?)
    }

    /// Shows on the tenant that its workflow stands still.
    pub(in crate::workflows) async fn mark_failed(&self, plan: &Plan) -> Result<(), StepError> {
        let mut tx = self.0.control.begin().await?;
        tx.tenants()
            .change_status(
                plan.tenant,
                TenantStatus::Provisioning,
                TenantStatus::Failed,
            )
            .await?;
        Ok(tx.commit().await?)
    }
}

/// Whether the tenant of this plan was opened, whatever an operator has done with it since. Work
/// that is taken up again must not take a suspended or deleted tenant for one it failed to make.
fn was_opened(tenant: &Tenant, plan: &Plan) -> bool {
    let opened = match tenant.status {
        TenantStatus::Active
        | TenantStatus::Suspended
        | TenantStatus::Deleted
        | TenantStatus::Purging => true,
        TenantStatus::Provisioning | TenantStatus::Failed => false,
    };
    opened && tenant.generation == plan.generation
}
