//! The tenants of a test.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, bail};
use sqlx::{AssertSqlSafe, Connection as _};
use tenantry_core::tenant::{Isolation, Registration};
use tenantry_core::{Generation, TenantId};
use tenantry_service::tenants::{Created, NewOwner, NewTenant, TenantView};
use tenantry_store::files;

use super::{Tenants, TestService, WAIT, control};

impl TestService {
    /// A tenant to make; an owner without a password gets a setup link by mail.
    pub fn new_tenant(slug: &str, owner: &str, password: Option<&str>) -> Result<NewTenant> {
        Ok(NewTenant {
            name: format!("Tenant {slug}"),
            slug: slug.parse()?,
            owner: NewOwner {
                email: owner.parse()?,
                username: None,
                full_name: None,
                password: password.map(str::to_owned),
            },
            isolation: Isolation::Database,
            cluster: None,
            registration: Registration::Closed,
            verify_email: true,
            colour: None,
            domains: Vec::new(),
            application: None,
            locale: None,
        })
    }

    /// The same, kept apart from others as this test's tenants are.
    pub fn new_tenant_here(
        &self,
        slug: &str,
        owner: &str,
        password: Option<&str>,
    ) -> Result<NewTenant> {
        let mut new = Self::new_tenant(slug, owner, password)?;
        if let Tenants::Cluster(isolation) = self.options.tenants {
            new.isolation = isolation;
        }
        Ok(new)
    }

    /// Makes a tenant whose owner has this password.
    pub async fn make_tenant(&self, slug: &str, owner: &str, password: &str) -> Result<TenantView> {
        self.create(Self::new_tenant(slug, owner, Some(password))?)
            .await
    }

    /// Makes a tenant whose owner gets a setup link.
    pub async fn invite_tenant(&self, slug: &str, owner: &str) -> Result<TenantView> {
        self.create(Self::new_tenant(slug, owner, None)?).await
    }

    /// Makes a tenant, which must become active. The clock moves a little before, so that mails
    /// have an order.
    pub async fn create(&self, mut new: NewTenant) -> Result<TenantView> {
        if let Tenants::Cluster(isolation) = self.options.tenants {
            new.isolation = isolation;
        }
        self.clock.advance(Duration::from_millis(1));
        match self.service.create_tenant(new, None, WAIT).await? {
            Created::Active(view) => Ok(*view),
            Created::Later(view, _) => bail!("tenant {} is not active yet", view.tenant.slug),
        }
    }

    /// The names in the folder of tenant databases, in order.
    pub fn tenant_files(&self) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(self.data_dir().join("tenants"))? {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        names.sort();
        Ok(names)
    }

    /// The file of one generation of a tenant.
    pub fn tenant_file(&self, tenant: TenantId, generation: Generation) -> PathBuf {
        let name = files::database_name(tenant, generation);
        self.data_dir().join("tenants").join(format!("{name}.db"))
    }

    /// Changes rows of a tenant's database behind everybody's back; how many.
    pub async fn damage_tenant(&self, view: &TenantView, sql: &str) -> Result<u64> {
        let path = self.tenant_file(view.tenant.id, view.tenant.generation);
        let mut conn = control::sqlite(&path).await?;
        let done = sqlx::query(AssertSqlSafe(sql.to_owned()))
            .execute(&mut conn)
            .await?;
        conn.close().await?;
        Ok(done.rows_affected())
    }
}
