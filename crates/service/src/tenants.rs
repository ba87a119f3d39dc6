//! Tenants: making, showing, suspending, deleting, restoring, making anew.

mod lifecycle;

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tenantry_core::domain::DomainKind;
use tenantry_core::password::PasswordPolicy;
use tenantry_core::tenant::{Driver, Isolation, Registration, Tenant, tenant_code};
use tenantry_core::user::Username;
use tenantry_core::webhooks::EventKind;
use tenantry_core::workflow::WorkflowState;
use tenantry_core::{
    ApplicationId, Email, Generation, Locale, OneTimeId, OutboxId, Slug, TenantId, TenantStatus,
    UserId, WorkflowId,
};
use tenantry_keys::token::TokenKind;
use tenantry_store::ControlTx;
use tenantry_store::cluster::{AdoptedDatabase, Placement};
use tenantry_store::control::{DatabaseRecord, DomainRecord, Remembered, Reservation};
pub use tenantry_store::control::{MinLength, TenantPatch};

pub use lifecycle::{Cleared, Deleted};

use crate::password::Holder;
use crate::signin::hash_refusal;
use crate::workflows::{OwnerPlan, PROVISION, Plan, SetupPlan, VERSION};
use crate::{FieldError, Refusal, Service};

/// The most characters of a tenant's name.
const NAME: usize = 120;

/// The owner of a new tenant.
#[derive(Debug, Clone)]
pub struct NewOwner {
    /// The address.
    pub email: Email,
    /// The name to sign in with, if any.
    pub username: Option<Username>,
    /// The name to show, if any.
    pub full_name: Option<String>,
    /// The first password; without one the owner gets a setup link by mail.
    pub password: Option<String>,
}

/// A tenant to make.
#[derive(Debug, Clone)]
pub struct NewTenant {
    /// The name to show.
    pub name: String,
    /// The name in addresses.
    pub slug: Slug,
    /// Its owner.
    pub owner: NewOwner,
    /// How its rows are kept apart.
    pub isolation: Isolation,
    /// The cluster to place it on; `None` leaves the choice to the service.
    pub cluster: Option<String>,
    /// Who may register.
    pub registration: Registration,
    /// Whether a registered address must be proven first.
    pub verify_email: bool,
    /// Hosts that it claims.
    pub domains: Vec<String>,
    /// The application that asks for it, if there is one.
    pub application: Option<ApplicationId>,
    /// The language of the owner's mail.
    pub locale: Option<Locale>,
}

/// A tenant with what is known about its database and domains.
#[derive(Debug, Clone)]
pub struct TenantView {
    /// The tenant.
    pub tenant: Tenant,
    /// Its code.
    pub code: String,
    /// The record of its database, where there is one.
    pub database: Option<DatabaseRecord>,
    /// Host and port of the server that it lies on; `None` for a file.
    pub server: Option<(String, u16)>,
    /// The schema of its applications, where it shares its database with other tenants, or with an
    /// application that was there before.
    pub schema: Option<String>,
    /// The database that was there before the tenant and that it lies in, if it lies in one.
    pub adopted: Option<AdoptedDatabase>,
    /// Its verified hosts.
    pub domains: Vec<String>,
    /// Hosts that it claims and that are not proven to be its own.
    pub unproven_domains: Vec<String>,
    /// Where its pages begin.
    pub url: String,
    /// The workflow that is still at it, where an act waited for one and it takes longer.
    pub workflow: Option<WorkflowId>,
}

/// How making a tenant ended, or did not yet.
pub enum Created {
    /// It is active.
    Active(Box<TenantView>),
    /// It takes longer; the workflow goes on by itself.
    Later(Box<TenantView>, WorkflowId),
}

/// The key and the request of an idempotent create.
#[derive(Clone, Copy)]
pub struct IdempotencyKey {
    /// Hash of caller and key.
    pub key: [u8; 32],
    /// Hash of what was asked for.
    pub request: [u8; 32],
}

impl NewTenant {
    /// Whose password the owner's will be.
    fn holder(&self) -> Holder {
        let tenant = Holder::outside().named(Some(&self.name));
        self.owner.holder(tenant.named(Some(self.slug.as_str())))
    }
}

impl NewOwner {
    /// Whose password it will be, in a tenant that is known.
    fn holder(&self, tenant: Holder) -> Holder {
        tenant
            .address(&self.email)
            .named(self.username.as_ref().map(Username::as_str))
            .named(self.full_name.as_deref())
    }
}

impl Service {
    async fn check_new_tenant(&self, new: &NewTenant) -> Result<(), Refusal> {
        let mut errors = Vec::new();
        if let Err(error) = checked_name(&new.name) {
            errors.push(error);
        }
        if let Err(wrong) = self.claimable_hosts(&new.domains) {
            errors.extend(wrong);
        }
        let clusters = self.control().read().await?.clusters().list().await?;
        errors.extend(crate::clusters::unfit_site(
            &clusters,
            new.isolation,
            new.cluster.as_deref(),
        ));
        if let Some(password) = &new.owner.password
            && let Err(wrong) = self.permitted_password("owner.password", password, &new.holder())
        {
            errors.push(wrong);
        }
        if errors.is_empty() {
            Ok(())
        } else {
            Err(Refusal::Validation(errors))
        }
    }

    /// Makes a tenant, and waits for it for so long. The intent, with everything drawn at random,
    /// is recorded before anything is made; whoever finds the record finishes or undoes the work.
    pub async fn create_tenant(
        &self,
        new: NewTenant,
        idempotency: Option<IdempotencyKey>,
        wait: Duration,
    ) -> Result<Created, Refusal> {
        self.check_new_tenant(&new).await?;
        if let Some(key) = idempotency
            && let Some(created) = self.created_before(key, wait).await?
        {
            return Ok(created);
        }
        let site = self
            .choose_site(new.isolation, new.cluster.as_deref())
            .await?;
        let now = self.clock().now();
        let id = TenantId::generate(self.clock(), self.entropy());
        let workflow = WorkflowId::generate(self.clock(), self.entropy());
        let owner = self
            .owner_plan(
                &new.owner,
                (id, Generation::FIRST),
                new.locale,
                new.holder(),
            )
            .await?;
        let mut plan = Plan {
            tenant: id,
            slug: new.slug.clone(),
            generation: Generation::FIRST,
            isolation: new.isolation,
            previous: None,
            at: now,
            owner: None,
            people: None,
        };
        self.seal_owner(&mut plan, &owner)?;

        let mut tx = self.control().begin().await?;
        if let Some(key) = idempotency {
            // Before anything that two requests with one key would get in each other's way with.
            let what = Remembered {
                request_hash: key.request,
                tenant: id,
                workflow,
            };
            if !tx.idempotency().add(key.key, what, now).await? {
                drop(tx);
                return self.created_before(key, wait).await?.ok_or_else(|| {
                    Refusal::Conflict(
                        "another request with this Idempotency-Key is under way".to_owned(),
                    )
                });
            }
        }
        let tenant = Tenant {
            id,
            slug: new.slug,
            number: tx.tenants().next_number().await?,
            name: new.name.trim().to_owned(),
            status: TenantStatus::Provisioning,
            generation: Generation::FIRST,
            isolation: new.isolation,
            registration: new.registration,
            verify_email: new.verify_email,
            password_min: None,
            created_at: now,
            deleted_at: None,
            purge_at: None,
        };
        if !tx.tenants().add(&tenant).await? {
            return Err(Refusal::SlugTaken);
        }
        if let Some(application) = new.application
            && !tx.applications().approve(application, id, now).await?
        {
            return Err(Refusal::Conflict(
                "the application was decided meanwhile".to_owned(),
            ));
        }
        let hosts = self.claimable_hosts(&new.domains);
        for name in hosts.map_err(Refusal::Validation)? {
            self.claim_domain(&mut tx, id, DomainKind::Host, &name)
                .await?;
        }
        let first = (id, Generation::FIRST, new.isolation);
        tx.databases()
            .add(&site.record(first.0, first.1, first.2), now)
            .await?;
        self.reserve_service_role(&mut tx, &site, first).await?;
        self.reserve_owner(&mut tx, &plan, owner.id, &owner.email)
            .await?;
        let params = serde_json::to_string(&plan)
            .map_err(Refusal::failed("a plan could not be recorded"))?;
        tx.workflows()
            .add(workflow, PROVISION, VERSION, Some(id), &params, now)
            .await?;
        tx.commit().await?;
        self.created(id, workflow, wait).await
    }

    /// The key of an idempotent create: what a caller asks for under which key.
    pub fn idempotency_key(&self, caller: &str, key: &str, request: &str) -> IdempotencyKey {
        // Keyed hashes, since a request may hold a password.
        let hash =
            |label: &str, text: &str| self.keyring().directory().hash(&format!("{label}:{text}"));
        IdempotencyKey {
            key: hash("idempotency", &format!("{caller}\n{key}")),
            request: hash("request", request),
        }
    }

    async fn created_before(
        &self,
        key: IdempotencyKey,
        wait: Duration,
    ) -> Result<Option<Created>, Refusal> {
        let Some(there) = self
            .control()
            .read()
            .await?
            .idempotency()
            .find(key.key)
            .await?
        else {
            return Ok(None);
        };
        if there.request_hash != key.request {
            return Err(Refusal::Conflict(
                "this Idempotency-Key was used for another request".to_owned(),
            ));
        }
        self.created(there.tenant, there.workflow, wait)
            .await
            .map(Some)
    }

    pub(crate) async fn created(
        &self,
        tenant: TenantId,
        workflow: WorkflowId,
        wait: Duration,
    ) -> Result<Created, Refusal> {
        let state = self.drive(workflow, wait).await?;
        match state {
            WorkflowState::Succeeded => Ok(Created::Active(Box::new(self.view(tenant).await?))),
            WorkflowState::Running | WorkflowState::Undoing => {
                Ok(Created::Later(Box::new(self.view(tenant).await?), workflow))
            }
            WorkflowState::Undone | WorkflowState::Stuck => Err(self.gave_up(workflow).await),
        }
    }

    /// Why a workflow ended without success.
    pub(crate) async fn gave_up(&self, workflow: WorkflowId) -> Refusal {
        let run = async {
            Ok::<_, Refusal>(
                self.control()
                    .read()
                    .await?
                    .workflows()
                    .lookup(workflow)
                    .await?,
            )
        }
        .await;
        let error = run
            .ok()
            .flatten()
            .and_then(|run| run.error)
            .unwrap_or_default();
        tracing::error!(workflow.id = %workflow, error, "a workflow gave up");
        Refusal::failed(
            "the work could not be done and was taken back; `tenantry workflow show` tells why",
        )(error)
    }

    /// Reserves the owner's address, decided by the directory's own constraint.
    pub(crate) async fn reserve_owner(
        &self,
        tx: &mut ControlTx,
        plan: &Plan,
        user: UserId,
        email: &Email,
    ) -> Result<(), Refusal> {
        match self.shared().reserve_owner(tx, plan, user, email).await? {
            Reservation::Held => Ok(()),
            Reservation::Taken => Err(Refusal::EmailTaken),
        }
    }

    pub(crate) async fn owner_plan(
        &self,
        owner: &NewOwner,
        (tenant, generation): (TenantId, Generation),
        locale: Option<Locale>,
        holder: Holder,
    ) -> Result<OwnerPlan, Refusal> {
        let password_hash = match &owner.password {
            Some(password) => {
                let holder = owner.holder(holder);
                let password = self
                    .chosen_password("owner.password", password, &holder)
                    .await?;
                Some(
                    self.hasher()
                        .hash(None, password)
                        .await
                        .map_err(hash_refusal)?,
                )
            }
            None => None,
        };
        let setup = password_hash.is_none().then(|| {
            let id = OneTimeId::generate(self.clock(), self.entropy());
            let scope = Some((tenant, generation));
            let (token, hash) =
                self.keyring()
                    .tokens()
                    .mint(TokenKind::Setup, scope, id.uuid(), self.entropy());
            SetupPlan {
                id,
                token: token.expose().clone(),
                hash: hash.into_bytes(),
                mail: OutboxId::generate(self.clock(), self.entropy()),
                locale: locale.unwrap_or(self.settings().mail_locale),
            }
        });
        Ok(OwnerPlan {
            id: UserId::generate(self.clock(), self.entropy()),
            email: owner.email.clone(),
            username: owner.username.as_ref().map(|name| name.as_str().to_owned()),
            full_name: owner.full_name.clone(),
            password_hash,
            setup,
        })
    }

    pub(crate) fn seal_owner(&self, plan: &mut Plan, owner: &OwnerPlan) -> Result<(), Refusal> {
        let plain =
            serde_json::to_vec(owner).map_err(Refusal::failed("a plan could not be recorded"))?;
        let sealed = self.keyring().seal(
            &plain,
            &crate::workflows::owner_context(plan),
            self.entropy(),
        );
        plan.owner =
            Some(STANDARD.encode(sealed.map_err(Refusal::failed("a plan could not be sealed"))?));
        Ok(())
    }

    /// A tenant with what is known about it.
    pub async fn view(&self, id: TenantId) -> Result<TenantView, Refusal> {
        let mut tx = self.control().read().await?;
        let tenant = tx.tenants().lookup(id).await?.ok_or(Refusal::NotFound)?;
        self.view_of(&mut tx, tenant).await
    }

    async fn view_of(&self, tx: &mut ControlTx, tenant: Tenant) -> Result<TenantView, Refusal> {
        let database = tx.databases().lookup(tenant.id, tenant.generation).await?;
        let server = match &database {
            Some(record) if record.driver == Driver::Postgres => {
                tx.clusters().address(&record.cluster).await?
            }
            _ => None,
        };
        let schema = (server.is_some() && tenant.isolation != Isolation::Database).then(|| {
            let placement = Placement::new(tenant.id, tenant.generation, tenant.isolation);
            placement.application_schema().as_str().to_owned()
        });
        let adoption = tx.adopted().lookup(tenant.id).await?;
        let (proven, unproven): (Vec<_>, Vec<_>) = tx
            .domains()
            .list(tenant.id)
            .await?
            .into_iter()
            .filter(|domain| domain.kind == DomainKind::Host)
            .partition(|domain| domain.verified_at.is_some());
        let names = |domains: Vec<DomainRecord>| {
            let names = domains.into_iter().map(|domain| domain.name.to_string());
            names.collect::<Vec<_>>()
        };
        let domains = names(proven);
        Ok(TenantView {
            code: tenant_code(&self.settings().code_prefix, tenant.number),
            url: self.settings().tenant_url(&tenant, &domains).to_string(),
            tenant,
            database,
            server,
            schema,
            adopted: adoption.map(|adoption| adoption.database),
            domains,
            unproven_domains: names(unproven),
            workflow: None,
        })
    }

    /// The tenant with this id or slug.
    pub async fn find_tenant(&self, name: &str) -> Result<TenantView, Refusal> {
        let mut tx = self.control().read().await?;
        let found = if let Ok(id) = name.parse::<TenantId>() {
            tx.tenants().lookup(id).await?
        } else if let Ok(slug) = name.parse::<Slug>() {
            tx.tenants().find_by_slug(&slug).await?
        } else {
            None
        };
        let tenant = found.ok_or(Refusal::NotFound)?;
        self.view_of(&mut tx, tenant).await
    }

    /// Tenants in the order they were made, after the one with the number `after`.
    pub async fn list_tenants(&self, after: i64, limit: i64) -> Result<Vec<TenantView>, Refusal> {
        let mut tx = self.control().read().await?;
        let mut views = Vec::new();
        for tenant in tx.tenants().list(after, limit).await? {
            views.push(self.view_of(&mut tx, tenant).await?);
        }
        Ok(views)
    }

    /// Whether a tenant may set so many characters as the fewest of a new password.
    fn expect_min(&self, characters: u8) -> Result<(), Refusal> {
        let range = PasswordPolicy::TENANT_MIN;
        let most = (*range.end()).min(self.settings().passwords.max);
        if (*range.start()..=most).contains(&usize::from(characters)) {
            return Ok(());
        }
        Err(Refusal::field(
            "password_min_length",
            "invalid",
            format!(
                "the fewest characters of a password are {} to {most}",
                range.start()
            ),
        ))
    }

    /// Changes what a patch names.
    pub async fn patch_tenant(
        &self,
        id: TenantId,
        patch: TenantPatch,
    ) -> Result<TenantView, Refusal> {
        self.change_tenant(id, patch, None).await
    }

    /// Changes what a patch names and, where hosts are given, makes these the ones that the tenant
    /// claims.
    pub async fn change_tenant(
        &self,
        id: TenantId,
        mut patch: TenantPatch,
        hosts: Option<&[String]>,
    ) -> Result<TenantView, Refusal> {
        let hosts = hosts.map(|hosts| self.claimable_hosts(hosts)).transpose();
        let hosts = hosts.map_err(Refusal::Validation)?;
        if let Some(name) = &mut patch.name {
            *name = checked_name(name).map_err(|error| Refusal::Validation(vec![error]))?;
        }
        if let Some(MinLength::Own(characters)) = patch.password_min {
            self.expect_min(characters)?;
        }
        let mut tx = self.control().begin().await?;
        if !tx.tenants().patch(id, &patch).await? {
            return Err(Refusal::NotFound);
        }
        if let Some(hosts) = hosts {
            self.set_hosts(&mut tx, id, &hosts).await?;
        }
        if let Some(tenant) = tx.tenants().lookup(id).await? {
            let event = EventKind::TenantUpdated;
            let told = self.shared().announce_tenant(&mut tx, event, &tenant);
            told.await?;
        }
        tx.commit().await?;
        self.view(id).await
    }
}

pub(crate) fn checked_name(name: &str) -> Result<String, FieldError> {
    let name = name.trim();
    if name.is_empty() {
        return Err(FieldError::new("name", "required", "a tenant has a name"));
    }
    if name.chars().count() > NAME {
        return Err(FieldError::new(
            "name",
            "too_long",
            format!("a tenant's name has at most {NAME} characters"),
        ));
    }
    if name.chars().any(char::is_control) {
        return Err(FieldError::new(
            "name",
            "invalid",
            "a tenant's name is one line of text",
        ));
    }
    Ok(name.to_owned())
}
