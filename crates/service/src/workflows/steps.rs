//! What each step does. Every one can be repeated, and meets its own earlier half kindly.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tenantry_core::credential::{CredentialState, Slot};
use tenantry_core::one_time::Purpose;
use tenantry_core::tenant::{DatabaseState, EmailUniqueness, Tenant};
use tenantry_core::user::Username;
use tenantry_core::{Email, Generation, Role, TenantStatus, UserId};
use tenantry_mail::Message;
use tenantry_mail::message::SetupLink;
use tenantry_saga::StepError;
use tenantry_store::control::{
    DirectoryEntry, EntryKind, EntryState, Reservation, Run, StoredSecret,
};
use tenantry_store::tenant::{Added, NewUser, TENANT_SCHEMA};
use tenantry_store::homes::Home;
use tenantry_store::{ControlTx, StoreError, TenantCtx};

use super::{OwnerPlan, Plan};
use crate::Refusal;
use crate::service::Shared;

/// The steps, over what the use cases share.
pub(crate) struct Steps(pub(crate) Arc<Shared>);

pub(super) fn fatal(what: &str) -> impl FnOnce(&dyn std::fmt::Display) -> StepError + '_ {
    move |error| StepError::Fatal(format!("{what}: {error}"))
}

impl Steps {
    pub(super) fn plan(run: &Run) -> Result<Plan, StepError> {
        serde_json::from_str(&run.params)
            .map_err(|error| fatal("the workflow's plan can't be read")(&error))
    }

    fn owner(&self, plan: &Plan) -> Result<OwnerPlan, StepError> {
        let sealed = plan
            .owner
            .as_deref()
            .ok_or_else(|| StepError::Fatal("the plan has no owner".to_owned()))?;
        let sealed = STANDARD
            .decode(sealed)
            .map_err(|error| fatal("the owner can't be read")(&error))?;
        let opened = self
            .0
            .keyring
            .open_sealed(&sealed, &owner_context(plan))
            .map_err(|error| fatal("the owner can't be unsealed")(&error))?;
        serde_json::from_slice(opened.expose())
            .map_err(|error| fatal("the owner can't be read")(&error))
    }

    /// The tenant in the generation the plan is for.
    async fn ctx(&self, plan: &Plan) -> Result<TenantCtx, StepError> {
        let ctx = self
            .0
            .control
            .read()
            .await?
            .tenants()
            .enter_regardless_of_status(plan.tenant)
            .await?;
        ctx.filter(|ctx| ctx.generation() == plan.generation)
            .ok_or_else(|| {
                StepError::Fatal(format!(
                    "tenant {} has no generation {}",
                    plan.slug, plan.generation
                ))
            })
    }

    pub(super) async fn is_reserved(&self, plan: &Plan) -> Result<bool, StepError> {
        let mut tx = self.0.control.read().await?;
        Ok(tx
            .databases()
            .lookup(plan.tenant, plan.generation)
            .await?
            .is_some())
    }

    /// The reservation is written together with the run, so there is nothing left to do.
    pub(super) async fn expect_reserved(&self, plan: &Plan) -> Result<(), StepError> {
        if self.is_reserved(plan).await? {
            return Ok(());
        }
        Err(StepError::Fatal("the reservation is gone".to_owned()))
    }

    /// Where a generation of the plan's tenant lies.
    async fn home(&self, plan: &Plan, generation: Generation) -> Result<Home<'_>, StepError> {
        Ok(self
            .0
            .pools
            .home(plan.tenant, generation, plan.isolation)
            .await?)
    }

    pub(super) async fn make_roles(&self, plan: &Plan) -> Result<(), StepError> {
        Ok(self.home(plan, plan.generation).await?.make_roles().await?)
    }

    pub(super) async fn is_created(&self, plan: &Plan) -> Result<bool, StepError> {
        Ok(self.home(plan, plan.generation).await?.is_created().await?)
    }

    pub(super) async fn create_database(&self, plan: &Plan) -> Result<(), StepError> {
        let home = self.home(plan, plan.generation).await?;
        Ok(home.create(plan.at).await?)
    }

    pub(super) async fn furnish_database(&self, plan: &Plan) -> Result<(), StepError> {
        Ok(self.home(plan, plan.generation).await?.furnish().await?)
    }

    pub(super) async fn admit_service(&self, plan: &Plan) -> Result<(), StepError> {
        let home = self.home(plan, plan.generation).await?;
        Ok(home.admit_service().await?)
    }

    pub(super) async fn stamp(&self, plan: &Plan) -> Result<(), StepError> {
        let home = self.home(plan, plan.generation).await?;
        Ok(home.stamp(plan.at).await?)
    }

    /// Whether the new generation is whole: on a server its database is there before the stamp.
    pub(super) async fn is_carried_over(&self, plan: &Plan) -> Result<bool, StepError> {
        let home = self.home(plan, plan.generation).await?;
        if home.server().is_some() {
            // Repeating it finds each part done.
            return Ok(false);
        }
        Ok(home.is_created().await?)
    }

    pub(super) async fn carry_over_database(&self, plan: &Plan) -> Result<(), StepError> {
        let previous = plan
            .previous
            .ok_or_else(|| StepError::Fatal("the plan has no earlier generation".to_owned()))?;
        let home = self.home(plan, plan.generation).await?;
        Ok(home.carry_over(previous, plan.at).await?)
    }

    /// The entry was reserved together with the run; this finds it so, or makes good a loss.
    pub(super) async fn reserve_directory(&self, plan: &Plan) -> Result<(), StepError> {
        let owner = self.owner(plan)?;
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

    pub(super) async fn carry_over_directory(&self, plan: &Plan) -> Result<(), StepError> {
        let ctx = self.ctx(plan).await?;
        let mut tx = self.0.control.begin().await?;
        tx.directory().carry_over(ctx.tenant()).await?;
        Ok(tx.commit().await?)
    }

    /// Adds the owner, or where the owner is there already, as in a restored tenant, just the link.
    pub(super) async fn add_owner(&self, plan: &Plan) -> Result<(), StepError> {
        if plan.owner.is_none() {
            return Ok(());
        }
        let owner = self.owner(plan)?;
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
        if let Some(setup) = &owner.setup {
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

    pub(super) async fn confirm_directory(&self, plan: &Plan) -> Result<(), StepError> {
        let owner = self.owner(plan)?;
        let mut tx = self.0.control.begin().await?;
        if !tx.directory().confirm(plan.tenant, owner.id).await? {
            return Err(StepError::Fatal(
                "the owner's directory entry is gone".to_owned(),
            ));
        }
        Ok(tx.commit().await?)
    }

    /// Looks at everything as a sign-in would: signs in to the database with what is stored, opens
    /// it, which reads the stamp, finds the owner there, and the owner's entry in the directory.
    pub(super) async fn verify(&self, plan: &Plan) -> Result<(), StepError> {
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
            let entry = tx
                .directory()
                .lookup(plan.tenant, self.owner(plan)?.id)
                .await?;
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

    pub(super) async fn is_active(&self, plan: &Plan) -> Result<bool, StepError> {
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
    pub(super) async fn activate(&self, plan: &Plan, kind: &str) -> Result<(), StepError> {
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
        let owner = plan.owner.is_some().then(|| self.owner(plan)).transpose()?;
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
    pub(super) async fn deactivate(&self, plan: &Plan) -> Result<(), StepError> {
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

    pub(super) async fn remove_database(
        &self,
        plan: &Plan,
        generation: Generation,
    ) -> Result<(), StepError> {
        let home = self.home(plan, generation).await?;
        self.0.pools.close(plan.tenant, generation).await;
        Ok(home.remove().await?)
    }

    pub(super) async fn remove_previous(&self, plan: &Plan) -> Result<(), StepError> {
        // Also those before it: work that stood still and was given up has left its own.
        let records = self
            .0
            .control
            .read()
            .await?
            .databases()
            .list(plan.tenant)
            .await?;
        let recorded = records.into_iter().map(|record| record.generation);
        let earlier: std::collections::BTreeSet<Generation> = recorded
            .chain(plan.previous)
            .filter(|generation| *generation < plan.generation)
            .collect();
        for generation in &earlier {
            self.remove_database(plan, *generation).await?;
        }
        let mut tx = self.0.control.begin().await?;
        for generation in earlier {
            tx.databases().remove(plan.tenant, generation).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Ends what an earlier life left. It counted no more since status or generation changed; this
    /// is the clearing up. For a tenant that goes for good the rows go too.
    pub(super) async fn end_sessions(&self, plan: &Plan, remove: bool) -> Result<(), StepError> {
        // Whoever does this too late, after a lost lease, finds nothing of the later generation.
        let ended = plan.previous.unwrap_or(plan.generation);
        let mut tx = self.0.control.begin().await?;
        tx.sessions()
            .end_tenant(plan.tenant, ended, self.0.clock.now())
            .await?;
        if remove {
            tx.sessions().remove_tenant(plan.tenant).await?;
            tx.outbox().remove_tenant(plan.tenant).await?;
        } else {
            tx.outbox().remove_waiting(plan.tenant, plan.at).await?;
        }
        Ok(tx.commit().await?)
    }

    pub(super) async fn remove_directory(&self, plan: &Plan) -> Result<(), StepError> {
        let mut tx = self.0.control.begin().await?;
        tx.directory().remove_tenant(plan.tenant).await?;
        Ok(tx.commit().await?)
    }

    pub(super) async fn remove_databases(&self, plan: &Plan) -> Result<(), StepError> {
        let records = self
            .0
            .control
            .read()
            .await?
            .databases()
            .list(plan.tenant)
            .await?;
        // Also what a record never named, should an earlier run have died before writing it.
        let files = self.0.pools.files().list()?;
        let found = files
            .iter()
            .filter_map(|file| file.owner)
            .filter(|(tenant, _)| *tenant == plan.tenant);
        for (_, generation) in found {
            self.0.pools.close(plan.tenant, generation).await;
            self.0.pools.files().remove(plan.tenant, generation)?;
        }
        for record in records {
            self.remove_database(plan, record.generation).await?;
        }
        Ok(())
    }

    pub(super) async fn are_records_gone(&self, plan: &Plan) -> Result<bool, StepError> {
        Ok(self
            .0
            .control
            .read()
            .await?
            .tenants()
            .lookup(plan.tenant)
            .await?
            .is_none())
    }

    /// Takes the tenant out of the registry; its slug is free again, its id never.
    pub(super) async fn remove_records(&self, plan: &Plan, told: bool) -> Result<(), StepError> {
        let mut tx = self.0.control.begin().await?;
        let tenant = tx.tenants().lookup(plan.tenant).await?;
        if let Some(tenant) = tenant.filter(|_| told) {
            self.tell_purged(&mut tx, &tenant).await?;
        }
        tx.directory().remove_tenant(plan.tenant).await?;
        // Also what came after those of a purge were removed, or while a tenant that is undone was
        // active for a moment.
        tx.sessions().remove_tenant(plan.tenant).await?;
        tx.outbox().remove_tenant(plan.tenant).await?;
        tx.tenants().release_database(plan.tenant).await?;
        for record in tx.databases().list(plan.tenant).await? {
            debug_assert_ne!(
                record.state,
                DatabaseState::Retired,
                "nothing retires a record yet"
            );
            tx.databases()
                .remove(plan.tenant, record.generation)
                .await?;
        }
        tx.idempotency().remove_tenant(plan.tenant).await?;
        tx.tenants().remove(plan.tenant).await?;
        Ok(tx.commit().await?)
    }

    /// Shows on the tenant that its workflow stands still.
    pub(super) async fn mark_failed(&self, plan: &Plan) -> Result<(), StepError> {
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
        let global = self.settings.email_uniqueness == EmailUniqueness::Global;
        tx.directory()
            .remove_earlier(plan.tenant, plan.generation)
            .await?;
        tx.directory().reserve(&entry, global, plan.at).await
    }
}

/// What the sealed owner is bound to, so that it opens in this tenant's plan alone.
pub(crate) fn owner_context(plan: &Plan) -> Vec<u8> {
    format!("owner:{}:{}", plan.tenant, plan.generation).into_bytes()
}
