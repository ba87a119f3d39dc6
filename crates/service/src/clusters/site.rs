//! Where tenants go: choosing a server, and what is reserved there before anything is made.

use tenantry_core::credential::Slot;
use tenantry_core::tenant::{DatabaseState, Driver, Isolation};
use tenantry_core::{Generation, TenantId};
use tenantry_store::cluster::{DatabaseName, Placement};
use tenantry_store::clusters::shared_context;
use tenantry_store::control::{ClusterRecord, DatabaseRecord};
use tenantry_store::{ControlTx, StoreError, files};

use super::LOCAL;
use crate::refusal::Chain;
use crate::{FieldError, Refusal, Service};

/// What a cluster without a limit of its own is taken to have room for, so that those with one can
/// be compared to it. PostgreSQL itself sets none.
const ROOM: i64 = 100_000;

/// Where a new tenant goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Site {
    /// A file.
    Local,
    /// The cluster with this name.
    Cluster(String),
}

impl Site {
    /// The site of a generation whose record this is.
    pub(crate) fn of(record: &DatabaseRecord) -> Self {
        match record.driver {
            Driver::Sqlite => Self::Local,
            Driver::Postgres => Self::Cluster(record.cluster.clone()),
        }
    }

    /// The record of a generation there, before anything is made.
    pub(crate) fn record(
        &self,
        tenant: TenantId,
        generation: Generation,
        isolation: Isolation,
    ) -> DatabaseRecord {
        let (driver, cluster, name) = match self {
            Self::Local => (
                Driver::Sqlite,
                LOCAL.to_owned(),
                files::database_name(tenant, generation),
            ),
            Self::Cluster(cluster) => (
                Driver::Postgres,
                cluster.clone(),
                DatabaseName::own(Placement::new(tenant, generation, isolation))
                    .as_str()
                    .to_owned(),
            ),
        };
        DatabaseRecord {
            tenant,
            generation,
            driver,
            cluster,
            name,
            state: DatabaseState::Pending,
            schema_version: None,
            verified_at: None,
        }
    }
}

impl Service {
    /// Where a new tenant goes: to the cluster that was named, else to the one with the most room,
    /// else into a file.
    pub(crate) async fn choose_site(
        &self,
        isolation: Isolation,
        named: Option<&str>,
    ) -> Result<Site, Refusal> {
        let records = self.control().read().await?.clusters().list().await?;
        if let Some(error) = unfit_site(&records, isolation, named) {
            return Err(Refusal::Validation(vec![error]));
        }
        match named {
            Some(LOCAL) => return Ok(Site::Local),
            Some(name) => return Ok(Site::Cluster(name.to_owned())),
            None if records.is_empty() => return Ok(Site::Local),
            None => {}
        }
        let mut open: Vec<&ClusterRecord> = records
            .iter()
            .filter(|record| record.accepts && room(record) > 0)
            .collect();
        open.sort_by_key(|record| std::cmp::Reverse(room(record)));
        for record in open {
            let name = &record.name;
            let silent = match self.clusters()?.find(name).await {
                Ok(cluster) => cluster
                    .reach()
                    .await
                    .map_err(|error| Chain(&error).to_string()),
                Err(error @ StoreError::Sealed) => Err(Chain(&error).to_string()),
                Err(error) => return Err(error.into()),
            };
            match silent {
                Ok(()) => return Ok(Site::Cluster(name.clone())),
                Err(error) => {
                    tracing::warn!(cluster = name, error, "a cluster can't take a tenant");
                }
            }
        }
        Err(Refusal::Conflict(
            "no cluster takes new tenants now; `tenantry cluster check` tells why".to_owned(),
        ))
    }

    /// Writes down, sealed, what the server will sign in with, before anything is made there.
    pub(crate) async fn reserve_service_role(
        &self,
        tx: &mut ControlTx,
        site: &Site,
        (tenant, generation, isolation): (TenantId, Generation, Isolation),
    ) -> Result<(), Refusal> {
        let Site::Cluster(cluster) = site else {
            return Ok(());
        };
        if isolation == Isolation::Shared {
            // One for all of them; the first stays.
            let sealed = self.draw_sealed(&shared_context(cluster))?;
            tx.clusters().keep_shared(cluster, &sealed).await?;
            return Ok(());
        }
        let placement = Placement::new(tenant, generation, isolation);
        self.add_secret(tx, placement, 1, Slot::Service).await?;
        Ok(())
    }
}

/// What is wrong with asking for this isolation on the cluster that was named, if anything is.
pub(crate) fn unfit_site(
    records: &[ClusterRecord],
    isolation: Isolation,
    named: Option<&str>,
) -> Option<FieldError> {
    let local = named == Some(LOCAL) || (named.is_none() && records.is_empty());
    if local && isolation != Isolation::Database {
        return Some(FieldError::new(
            "isolation",
            "unsupported",
            "tenants on the embedded database are isolated by database; `schema` and `shared` need a PostgreSQL cluster",
        ));
    }
    let name = named.filter(|name| *name != LOCAL)?;
    let cluster = |code, message: &str| Some(FieldError::new("cluster", code, message));
    match records.iter().find(|record| record.name == name) {
        None => cluster(
            "unknown",
            "there is no such cluster; the embedded one is `local`",
        ),
        Some(record) if !record.accepts => cluster("closed", "this cluster takes no new tenants"),
        Some(record) if room(record) == 0 => {
            cluster("full", "this cluster has as many tenants as it may have")
        }
        Some(_) => None,
    }
}

/// How many more tenants fit.
fn room(record: &ClusterRecord) -> i64 {
    (record.capacity.unwrap_or(ROOM) - record.tenants).max(0)
}
