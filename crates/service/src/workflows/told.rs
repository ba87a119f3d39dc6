//! What receivers outside are told about a tenant's life, in the transactions of the steps that
//! make it so.

use tenantry_core::tenant::Tenant;
use tenantry_core::webhooks::EventKind;
use tenantry_core::{Role, TenantStatus};
use tenantry_saga::StepError;
use tenantry_store::ControlTx;

use super::{OwnerPlan, RECREATE, RESTORE, Steps};
use crate::webhooks::UserFacts;

impl Steps {
    /// A tenant is in use from this commit on, and so is its owner, where there is a new one.
    pub(super) async fn tell_opened(
        &self,
        tx: &mut ControlTx,
        kind: &str,
        tenant: &Tenant,
        owner: Option<&OwnerPlan>,
    ) -> Result<(), StepError> {
        let event = match kind {
            RESTORE => EventKind::TenantRestored,
            RECREATE => EventKind::TenantRecreated,
            _ => EventKind::TenantCreated,
        };
        let tenant = Tenant {
            status: TenantStatus::Active,
            deleted_at: None,
            purge_at: None,
            ..tenant.clone()
        };
        self.0.announce_tenant(tx, event, &tenant).await?;
        // The owner of a restored tenant was there before; only the link is new.
        let owner = owner.filter(|_| kind != RESTORE);
        if let Some(owner) = owner {
            let user = UserFacts {
                id: owner.id,
                email: &owner.email,
                username: owner.username.as_deref(),
                full_name: owner.full_name.as_deref(),
                role: Role::Owner,
                disabled: false,
            };
            self.0
                .announce_user(tx, EventKind::UserCreated, &tenant, user)
                .await?;
        }
        Ok(())
    }

    /// A tenant that was told of is taken back.
    pub(super) async fn tell_taken_back(
        &self,
        tx: &mut ControlTx,
        tenant: &Tenant,
    ) -> Result<(), StepError> {
        let event = EventKind::TenantDeleted;
        Ok(self.0.announce_tenant(tx, event, tenant).await?)
    }

    /// Nothing of a tenant is left. That it is deleted was told when that began.
    pub(super) async fn tell_purged(
        &self,
        tx: &mut ControlTx,
        tenant: &Tenant,
    ) -> Result<(), StepError> {
        let event = EventKind::TenantPurged;
        Ok(self.0.announce_tenant(tx, event, tenant).await?)
    }
}
