//! PostgreSQL servers that tenants are placed on: adding, listing, checking, choosing one.

mod adding;
mod site;

use tenantry_core::finding::Severity;
use tenantry_core::tenant::Isolation;
use tenantry_store::Clusters;
use tenantry_store::cluster::{Capacity, ClusterError, Remark};
use tenantry_store::control::ClusterRecord;

pub use adding::NewCluster;
pub(crate) use adding::settle_default;
pub(crate) use site::{Site, unfit_site};

use crate::refusal::Chain;
use crate::{Refusal, Service};

/// The name of the embedded cluster: SQLite files.
pub const LOCAL: &str = "local";

/// The name of the cluster that the settings name.
pub const DEFAULT: &str = "default";

/// A cluster and how it is.
#[derive(Debug, Clone)]
pub struct ClusterView {
    /// Its name.
    pub name: String,
    /// Its host.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Whether new tenants are placed there.
    pub accepts: bool,
    /// The most tenants to place there, where there is a limit.
    pub capacity: Option<i64>,
    /// Databases of tenants on it, by the registry.
    pub tenants: i64,
    /// How full the server is, where it answered.
    pub load: Option<Capacity>,
    /// Why it did not answer.
    pub unreachable: Option<String>,
}

/// What checking a cluster came to.
#[derive(Debug, Clone)]
pub struct ClusterReport {
    /// The cluster's name.
    pub name: String,
    /// What lacks, or is worth knowing.
    pub remarks: Vec<Remark>,
    /// Why it could not be asked.
    pub unreachable: Option<String>,
}

impl ClusterReport {
    /// Whether tenants can be placed there.
    pub fn is_usable(&self) -> bool {
        self.unreachable.is_none()
            && self
                .remarks
                .iter()
                .all(|remark| remark.severity != Severity::Error)
    }
}

impl Service {
    pub(crate) fn clusters(&self) -> Result<&Clusters, Refusal> {
        self.pools().clusters().ok_or(Refusal::NotFound)
    }

    async fn cluster_view(&self, record: ClusterRecord) -> ClusterView {
        let asked = async {
            let cluster = self.clusters()?.find(&record.name).await?;
            let load = async {
                cluster.reach().await?;
                cluster.capacity().await
            };
            Ok::<_, Refusal>(match load.await {
                Ok(load) => (Some(load), None),
                Err(error) => (None, Some(explained(&error))),
            })
        }
        .await;
        let (load, unreachable) =
            asked.unwrap_or_else(|refusal| (None, Some(Chain(&refusal).to_string())));
        ClusterView {
            name: record.name,
            host: record.host,
            port: record.port,
            accepts: record.accepts,
            capacity: record.capacity,
            tenants: record.tenants,
            load,
            unreachable,
        }
    }

    /// Every cluster and how it is, asked at once.
    pub async fn list_clusters(&self) -> Result<Vec<ClusterView>, Refusal> {
        let records = self.control().read().await?.clusters().list().await?;
        let mut asked = tokio::task::JoinSet::new();
        for (place, record) in records.into_iter().enumerate() {
            let service = self.clone();
            asked.spawn(async move { (place, service.cluster_view(record).await) });
        }
        let mut views = asked.join_all().await;
        views.sort_by_key(|(place, _)| *place);
        Ok(views.into_iter().map(|(_, view)| view).collect())
    }

    /// One cluster and how it is.
    pub async fn find_cluster(&self, name: &str) -> Result<ClusterView, Refusal> {
        let record = self.control().read().await?.clusters().find(name).await?;
        Ok(self.cluster_view(record.ok_or(Refusal::NotFound)?).await)
    }

    async fn look_at_cluster(&self, name: &str) -> Result<Vec<Remark>, String> {
        // One whose URL can't be unsealed hides none of the others.
        let found = async { Ok::<_, Refusal>(self.clusters()?.find(name).await?) };
        let cluster = found.await.map_err(|refusal| Chain(&refusal).to_string())?;
        let checked = async {
            cluster.reach().await?;
            cluster.check().await
        };
        checked.await.map_err(|error| explained(&error))
    }

    /// Looks at one cluster, or at each, for what tenants need there.
    pub async fn check_clusters(&self, name: Option<&str>) -> Result<Vec<ClusterReport>, Refusal> {
        let records = self.control().read().await?.clusters().list().await?;
        let mut reports = Vec::new();
        for record in records {
            if name.is_some_and(|name| name != record.name) {
                continue;
            }
            let (remarks, unreachable) = match self.look_at_cluster(&record.name).await {
                Ok(remarks) => (remarks, None),
                Err(why) => (Vec::new(), Some(why)),
            };
            reports.push(ClusterReport {
                name: record.name,
                remarks,
                unreachable,
            });
        }
        if name.is_some() && reports.is_empty() {
            return Err(Refusal::NotFound);
        }
        Ok(reports)
    }

    /// Opens a cluster to new tenants, or closes it to them.
    pub async fn change_cluster(&self, name: &str, accepts: bool) -> Result<ClusterView, Refusal> {
        let mut tx = self.control().begin().await?;
        if !tx.clusters().change_accepts(name, accepts).await? {
            return Err(Refusal::NotFound);
        }
        let record = tx.clusters().find(name).await?.ok_or(Refusal::NotFound)?;
        tx.commit().await?;
        Ok(self.cluster_view(record).await)
    }

    /// Forgets a cluster that no tenant lies on. Nothing is changed on the server but that our
    /// template goes.
    pub async fn remove_cluster(&self, name: &str) -> Result<(), Refusal> {
        let mut tx = self.control().begin().await?;
        let record = tx.clusters().find(name).await?.ok_or(Refusal::NotFound)?;
        if record.tenants > 0 {
            return Err(Refusal::Conflict(format!(
                "{} tenants lie on {name}; only an empty cluster can be removed",
                record.tenants
            )));
        }
        let cluster = self.clusters()?.find(name).await?;
        if !tx.clusters().remove(name).await? {
            return Err(Refusal::Conflict(format!(
                "{name} got a tenant or was removed meanwhile; look again"
            )));
        }
        tx.commit().await?;
        // The server may be gone for good, which is a fine reason to remove it here.
        for isolation in Isolation::ALL {
            if let Err(error) = cluster.drop_base(*isolation).await {
                tracing::warn!(cluster = name, %isolation, error = %Chain(&error), "what tenants were to lie in stays on a cluster that was removed");
            }
        }
        cluster.close().await;
        Ok(())
    }
}

/// What a cluster's error means to whoever set it up, without anything that it was reached by.
pub(crate) fn explained(error: &ClusterError) -> String {
    match error.sqlstate().as_deref() {
        Some("28P01" | "28000") => {
            "the server refuses the admin's role or password; look at the URL and at pg_hba.conf"
                .to_owned()
        }
        Some("3D000") => "the server has no database of that name".to_owned(),
        Some(code) => format!("the server says {code} (PostgreSQL manual, appendix A)"),
        None => match socket_trouble(error) {
            Some(kind) => format!("the server can't be reached: {kind}"),
            None => format!("the server can't be reached: {}", Chain(error)),
        },
    }
}

/// What went wrong with the connection itself, if that did.
fn socket_trouble(error: &ClusterError) -> Option<std::io::ErrorKind> {
    let first = error as &(dyn std::error::Error + 'static);
    std::iter::successors(Some(first), |error| error.source())
        .find_map(|error| error.downcast_ref::<std::io::Error>())
        .map(std::io::Error::kind)
}
