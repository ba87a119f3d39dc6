//! The beginning of a tenant, whether it is made or adopted: everything drawn at random, and what is
//! recorded before anything is done, so that whoever finds the record finishes or undoes the work.

use tenantry_core::tenant::{Isolation, Registration, Tenant};
use tenantry_core::{Colour, Generation, Locale, Slug, TenantId, TenantStatus, WorkflowId};
use tenantry_store::ControlTx;

use super::NewOwner;
use crate::clusters::Site;
use crate::password::Holder;
use crate::workflows::{OwnerPlan, Plan, VERSION};
use crate::{Refusal, Service};

/// What was drawn for a tenant that is to be.
pub(crate) struct Founding {
    /// The work that makes it.
    pub(crate) workflow: WorkflowId,
    /// What that work is told, the owner sealed.
    pub(crate) plan: Plan,
    owner: OwnerPlan,
}

/// What a tenant begins with.
pub(crate) struct Beginning {
    /// The name to show.
    pub(crate) name: String,
    /// Who may register.
    pub(crate) registration: Registration,
    /// Whether a registered address must be proven first.
    pub(crate) verify_email: bool,
    /// The colour of its pages and mails, where it chooses one.
    pub(crate) colour: Option<Colour>,
}

impl Founding {
    /// The tenant's id.
    pub(crate) const fn id(&self) -> TenantId {
        self.plan.tenant
    }
}

impl Service {
    /// Draws what a tenant needs, its owner's password hashed.
    pub(crate) async fn draw_founding(
        &self,
        (slug, isolation): (Slug, Isolation),
        owner: &NewOwner,
        locale: Option<Locale>,
        holder: Holder,
    ) -> Result<Founding, Refusal> {
        let at = self.clock().now();
        let tenant = TenantId::generate(self.clock(), self.entropy());
        let workflow = WorkflowId::generate(self.clock(), self.entropy());
        let generation = Generation::FIRST;
        let owner = self
            .owner_plan(owner, (tenant, generation), locale, holder)
            .await?;
        let mut plan = Plan {
            tenant,
            slug,
            generation,
            isolation,
            previous: None,
            at,
            owner: None,
            people: None,
        };
        self.seal_owner(&mut plan, &owner)?;
        Ok(Founding {
            workflow,
            plan,
            owner,
        })
    }

    /// Enters the tenant under its slug, which nobody else has from then on.
    pub(crate) async fn enter_tenant(
        &self,
        tx: &mut ControlTx,
        founding: &Founding,
        beginning: Beginning,
    ) -> Result<(), Refusal> {
        let plan = &founding.plan;
        let tenant = Tenant {
            id: plan.tenant,
            slug: plan.slug.clone(),
            number: tx.tenants().next_number().await?,
            name: beginning.name,
            status: TenantStatus::Provisioning,
            generation: plan.generation,
            isolation: plan.isolation,
            registration: beginning.registration,
            verify_email: beginning.verify_email,
            password_min: None,
            colour: beginning.colour,
            logo: None,
            created_at: plan.at,
            deleted_at: None,
            purge_at: None,
        };
        if tx.tenants().add(&tenant).await? {
            Ok(())
        } else {
            Err(Refusal::SlugTaken)
        }
    }

    /// Records where the tenant's database will be, who gets at it, whose address is the owner's, and
    /// the work itself, which is of this kind.
    pub(crate) async fn record_founding(
        &self,
        tx: &mut ControlTx,
        founding: &Founding,
        site: &Site,
        kind: &str,
    ) -> Result<(), Refusal> {
        let Founding {
            workflow,
            plan,
            owner,
        } = founding;
        let (id, generation, isolation) = (plan.tenant, plan.generation, plan.isolation);
        tx.databases()
            .add(&site.record(id, generation, isolation), plan.at)
            .await?;
        self.reserve_service_role(tx, site, (id, generation, isolation))
            .await?;
        self.reserve_owner(tx, plan, owner.id, &owner.email).await?;
        let params =
            serde_json::to_string(plan).map_err(Refusal::failed("a plan could not be recorded"))?;
        tx.workflows()
            .add(*workflow, kind, VERSION, Some(id), &params, plan.at)
            .await?;
        Ok(())
    }
}
