//! A tenant with what is known about it.

use tenantry_core::domain::DomainKind;
use tenantry_core::tenant::{Driver, Isolation, Tenant, tenant_code};
use tenantry_core::{Slug, TenantId, WorkflowId};
use tenantry_store::ControlTx;
use tenantry_store::cluster::{AdoptedDatabase, Placement};
use tenantry_store::control::{DatabaseRecord, DomainRecord};

use crate::{Refusal, Service};

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

impl Service {
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
}
