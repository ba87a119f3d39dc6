//! The owner, in the tenant's database and in the directory.

use tenantry_core::one_time::Purpose;
use tenantry_core::user::Username;
use tenantry_core::{Email, Role, UserId};
use tenantry_saga::StepError;
use tenantry_store::control::{DirectoryEntry, EntryKind, EntryState, Reservation, StoredSecret};
use tenantry_store::tenant::{Added, NewUser};
use tenantry_store::{ControlTx, StoreError};

use super::{Steps, fatal};
use crate::service::Shared;
use crate::workflows::Plan;

impl Steps {
    /// The entry was reserved together with the run; this finds it so, or makes good a loss.
    pub(in crate::workflows) async fn reserve_directory(
        &self,
        plan: &Plan,
    ) -> Result<(), StepError> {
        let owner = self.owner(plan).await?;
        let mut tx = self.0.control.begin().await?;
        let held = self
            .0
            .reserve_owner(&mut tx, plan, owner.id, &owner.email)
            .await?;
        match held {
            Reservation::Held => Ok(tx.commit().await?),
            Reservation::Taken => Err(StepError::Fatal(
                "the owner's address belongs to another tenant".to_owned(),
            )),
        }
    }

    pub(in crate::workflows) async fn carry_over_directory(
        &self,
        plan: &Plan,
    ) -> Result<(), StepError> {
        let ctx = self.ctx(plan).await?;
        let mut tx = self.0.control.begin().await?;
        tx.directory().carry_over(ctx.tenant()).await?;
        Ok(tx.commit().await?)
    }

    /// Adds the owner, or where the owner is there already, as in a restored tenant, just the link.
    pub(in crate::workflows) async fn add_owner(&self, plan: &Plan) -> Result<(), StepError> {
        if plan.owner.is_none() {
            return Ok(());
        }
        let owner = self.owner(plan).await?;
        let ctx = self.ctx(plan).await?;
        let username = owner
            .username
            .as_deref()
            .map(str::parse::<Username>)
            .transpose();
        let username = username.map_err(|error| fatal("the owner's username")(&error))?;
        let mut tx = self.0.pools.begin(&ctx).await?;
        let added = tx
            .users()
            .add(&NewUser {
                id: owner.id,
                email: &owner.email,
                username: username.as_ref(),
                full_name: owner.full_name.as_deref(),
                role: Role::Owner,
                password_hash: owner.password_hash.as_deref(),
                must_change_password: false,
                created_at: plan.at,
            })
            .await?;
        if added != Added::Yes {
            return Err(StepError::Fatal(
                "somebody else in the tenant has the owner's name".to_owned(),
            ));
        }
        // An owner who was brought along with a password needs no link.
        let there = tx.users().lookup(owner.id).await?;
        let signs_in = there.is_some_and(|record| record.user.has_password);
        if let Some(setup) = owner.setup.as_ref().filter(|_| !signs_in) {
            let secret = StoredSecret {
                id: setup.id,
                purpose: Purpose::Setup,
                hash: setup.hash,
                created_at: plan.at,
                expires_at: plan.at + Purpose::Setup.lifetime(),
            };
            tx.secrets().add(owner.id, &secret).await?;
        }
        Ok(tx.commit().await?)
    }

    pub(in crate::workflows) async fn confirm_directory(
        &self,
        plan: &Plan,
    ) -> Result<(), StepError> {
        let owner = self.owner(plan).await?;
        let mut tx = self.0.control.begin().await?;
        if !tx.directory().confirm(plan.tenant, owner.id).await? {
            return Err(StepError::Fatal(
                "the owner's directory entry is gone".to_owned(),
            ));
        }
        Ok(tx.commit().await?)
    }

    pub(in crate::workflows) async fn remove_directory(
        &self,
        plan: &Plan,
    ) -> Result<(), StepError> {
        let mut tx = self.0.control.begin().await?;
        tx.directory().remove_tenant(plan.tenant).await?;
        Ok(tx.commit().await?)
    }
}

impl Shared {
    /// Reserves the directory entry of a new generation's owner; those of earlier generations go.
    pub(crate) async fn reserve_owner(
        &self,
        tx: &mut ControlTx,
        plan: &Plan,
        user: UserId,
        email: &Email,
    ) -> Result<Reservation, StoreError> {
        let entry = DirectoryEntry {
            tenant: plan.tenant,
            generation: plan.generation,
            user,
            address_hash: self.keyring.directory().hash(&email.key()),
            kind: EntryKind::Owner,
            state: EntryState::Reserved,
        };
        let global = self.unique_everywhere();
        tx.directory()
            .remove_earlier(plan.tenant, plan.generation)
            .await?;
        tx.directory().reserve(&entry, global, plan.at).await
    }
}
