//! Databases that were there before: an application's own becomes a tenant's, with the people it
//! knows, and nothing of it is altered.
//!
//! The tenant's schemas lie beside the application's in the same database. What was there, its
//! owner, tables, roles and rights, stays as it is, whether adopting works, is undone, or the tenant
//! is purged one day.

mod people;
mod report;

use std::time::Duration;

use tenantry_core::tenant::{Isolation, Registration};
use tenantry_core::{Email, Locale, Slug, TenantId, TenantStatus, WorkflowId};
use tenantry_store::StoreError;
use tenantry_store::cluster::{AdoptedDatabase, Cluster, ClusterError, PeopleTable};
use tenantry_store::control::Adoption;

pub use people::people_table;
pub(crate) use people::{Judged, judge};
pub(crate) use report::report_context;
pub use report::{ImportNote, ImportReport};

use crate::clusters::{LOCAL, Site};
use crate::password::Holder;
use crate::tenants::{Beginning, Created, NewOwner, TenantView, checked_name};
use crate::workflows::{ADOPT, PeoplePlan};
use crate::{FieldError, Refusal, Service};

/// A database to adopt.
#[derive(Debug, Clone)]
pub struct NewAdoption {
    /// The name to show.
    pub name: String,
    /// The name in addresses.
    pub slug: Slug,
    /// The owner's address. Somebody among the people with this address becomes the owner, else
    /// there is a new one, who gets a setup link by mail.
    pub owner: Email,
    /// The database, as the server's catalogue has its name.
    pub database: String,
    /// The cluster it lies on; `None` where there is only one.
    pub cluster: Option<String>,
    /// The table of the people the application knows, if they are to be brought along.
    pub people: Option<PeopleTable>,
    /// The language of the owner's mail.
    pub locale: Option<Locale>,
}

/// How adopting ended, or did not yet.
pub enum Adopted {
    /// The database is a tenant's now, or is about to become one.
    New(Created),
    /// It was adopted as this very tenant before.
    Unchanged(Box<TenantView>),
}

/// A database that may be adopted: on which cluster it lies, and its name.
struct Candidate {
    cluster: String,
    database: AdoptedDatabase,
}

impl Service {
    /// Whether all that adopting needs is there. Changes nothing.
    pub async fn check_adoption(&self, new: &NewAdoption) -> Result<Option<TenantView>, Refusal> {
        let candidate = self.candidate(new).await?;
        if let Some(view) = self.adopted_before(&candidate, new).await? {
            return Ok(Some(view));
        }
        self.expect_adoptable(&candidate, new).await?;
        let mut control = self.control().read().await?;
        if control.tenants().find_by_slug(&new.slug).await?.is_some() {
            return Err(Refusal::SlugTaken);
        }
        if self.unique_everywhere() {
            let hash = self.keyring().directory().hash(&new.owner.key());
            if !control.directory().find_active(hash, 1).await?.is_empty() {
                return Err(Refusal::EmailTaken);
            }
        }
        Ok(None)
    }

    /// Adopts a database, and waits for it for so long. As with making a tenant, the intent is
    /// recorded before anything is done, and whoever finds the record finishes or undoes the work.
    pub async fn adopt_tenant(&self, new: NewAdoption, wait: Duration) -> Result<Adopted, Refusal> {
        let candidate = self.candidate(&new).await?;
        if let Some(view) = self.adopted_before(&candidate, &new).await? {
            return Ok(Adopted::Unchanged(Box::new(view)));
        }
        self.expect_adoptable(&candidate, &new).await?;
        let (tenant, workflow) = self.record_adoption(new, &candidate).await?;
        Ok(Adopted::New(self.created(tenant, workflow, wait).await?))
    }

    async fn record_adoption(
        &self,
        new: NewAdoption,
        candidate: &Candidate,
    ) -> Result<(TenantId, WorkflowId), Refusal> {
        let owner = NewOwner {
            email: new.owner,
            username: None,
            full_name: None,
            password: None,
        };
        let called = (new.slug, Isolation::Schema);
        let mut founding = self
            .draw_founding(called, &owner, new.locale, Holder::outside())
            .await?;
        founding.plan.people = new.people.map(PeoplePlan::from);
        let beginning = Beginning {
            name: checked_name(&new.name).map_err(|error| Refusal::Validation(vec![error]))?,
            registration: Registration::default(),
            verify_email: true,
            colour: None,
        };
        let mut tx = self.control().begin().await?;
        self.enter_tenant(&mut tx, &founding, beginning).await?;
        let Candidate { cluster, database } = candidate;
        let (id, now) = (founding.id(), founding.plan.at);
        if !tx.adopted().add(id, cluster, database, now).await? {
            return Err(Refusal::Conflict(format!(
                "the database {database} on {cluster} became another tenant's meanwhile"
            )));
        }
        let site = Site::Cluster(cluster.clone());
        self.record_founding(&mut tx, &founding, &site, ADOPT)
            .await?;
        tx.commit().await?;
        Ok((id, founding.workflow))
    }

    async fn candidate(&self, new: &NewAdoption) -> Result<Candidate, Refusal> {
        let mut errors = Vec::new();
        errors.extend(checked_name(&new.name).err());
        let database: Result<AdoptedDatabase, FieldError> = new
            .database
            .parse()
            .map_err(|error| FieldError::new("database", "invalid", error));
        let cluster = self.cluster_of(new.cluster.as_deref()).await?;
        match (database, cluster) {
            (Ok(database), Ok(cluster)) if errors.is_empty() => Ok(Candidate { cluster, database }),
            (database, cluster) => {
                errors.extend(database.err());
                errors.extend(cluster.err());
                Err(Refusal::Validation(errors))
            }
        }
    }

    /// Which cluster is meant. One that takes no new tenants may well hold databases to adopt.
    async fn cluster_of(&self, named: Option<&str>) -> Result<Result<String, FieldError>, Refusal> {
        let records = self.control().read().await?.clusters().list().await?;
        let error = |code, message: &str| Ok(Err(FieldError::new("cluster", code, message)));
        match (named, records.as_slice()) {
            (Some(LOCAL), _) => error(
                "unsupported",
                "databases are adopted on PostgreSQL clusters, not on the embedded one",
            ),
            (Some(name), records) if records.iter().any(|record| record.name == name) => {
                Ok(Ok(name.to_owned()))
            }
            (Some(_), _) => error("unknown", "there is no such cluster"),
            (None, [only]) => Ok(Ok(only.name.clone())),
            (None, []) => error(
                "required",
                "there is no cluster yet; `tenantry cluster add NAME --url …` names the server that the database lies on",
            ),
            (None, _) => error("required", "there are several clusters; name one"),
        }
    }

    /// The tenant that the database was adopted as, if it is the one that is asked for.
    async fn adopted_before(
        &self,
        candidate: &Candidate,
        new: &NewAdoption,
    ) -> Result<Option<TenantView>, Refusal> {
        let Candidate { cluster, database } = candidate;
        let mut control = self.control().read().await?;
        let found = control.adopted().find(cluster, database).await?;
        drop(control);
        let Some(adoption) = found else {
            return Ok(None);
        };
        let view = self.view(adoption.tenant).await?;
        let tenant = &view.tenant;
        if tenant.slug != new.slug {
            return Err(Refusal::Conflict(format!(
                "the database {database} on {cluster} was adopted before, as {}",
                tenant.slug
            )));
        }
        match tenant.status {
            TenantStatus::Active | TenantStatus::Suspended | TenantStatus::Provisioning => {
                Ok(Some(view))
            }
            TenantStatus::Failed | TenantStatus::Deleted | TenantStatus::Purging => {
                Err(Refusal::Conflict(format!(
                    "the database {database} on {cluster} was adopted before, as {}, which is {}",
                    tenant.slug, tenant.status
                )))
            }
        }
    }

    async fn expect_adoptable(
        &self,
        candidate: &Candidate,
        new: &NewAdoption,
    ) -> Result<(), Refusal> {
        let Candidate { cluster, database } = candidate;
        let server = self.clusters()?.find(cluster).await?;
        let looked = async {
            server.expect_adoptable(database).await?;
            match &new.people {
                Some(people) => server.check_people(database, people).await,
                None => Ok(()),
            }
        };
        looked.await.map_err(|error| unfit(&server, error))
    }

    /// What came of the people in the database that a tenant was made of; `None` where there was
    /// none, or it is not known yet.
    pub async fn adoption_report(&self, tenant: TenantId) -> Result<Option<ImportReport>, Refusal> {
        let mut control = self.control().read().await?;
        let adoption = control.adopted().lookup(tenant).await?;
        let Some(Adoption {
            sealed_report: Some(sealed),
            ..
        }) = adoption
        else {
            return Ok(None);
        };
        let opened = self
            .keyring()
            .open_sealed(&sealed, &report_context(tenant))
            .await
            .map_err(Refusal::failed("a report could not be unsealed"))?;
        let report = serde_json::from_slice(opened.expose());
        Ok(Some(
            report.map_err(Refusal::failed("a report could not be read"))?,
        ))
    }
}

/// What it means for the one who asked that a database can't be adopted.
fn unfit(server: &Cluster, error: ClusterError) -> Refusal {
    match error {
        ClusterError::Unadoptable { .. } => Refusal::field("database", "unsuitable", error),
        ClusterError::Unreadable { .. } => Refusal::field("users", "unsuitable", error),
        error if error.is_passing() => Refusal::field(
            "cluster",
            "unreachable",
            format!(
                "{}:{}: {}",
                server.host(),
                server.port(),
                crate::clusters::explained(&error)
            ),
        ),
        error => StoreError::from(error).into(),
    }
}
