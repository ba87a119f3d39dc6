//! Asking a cluster, and what it means that it does not answer.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tenantry_core::finding::FindingCode;
use tenantry_core::tenant::Tenant;
use tenantry_store::StoreError;
use tenantry_store::cluster::{Cluster, ClusterError, Placement};
use tenantry_store::clusters::Place;
use tokio::time::timeout;

use super::{Findings, Surroundings};
use crate::clusters::explained;
use crate::{Refusal, Service};

/// How long a cluster is waited for.
const LOOK: Duration = Duration::from_secs(15);

/// Why a cluster did not answer.
pub(crate) enum Silence {
    /// The registry does not name it.
    Unknown,
    /// Its URL does not open with the master key.
    Sealed,
    /// It could not be reached.
    Unreachable(String),
    /// It has something of the tenant's name that is none of ours.
    Foreign(String),
}

impl fmt::Display for Silence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("the registry does not know it"),
            Self::Sealed => f.write_str("its URL does not open with the master key"),
            Self::Unreachable(why) => f.write_str(why),
            Self::Foreign(name) => write!(f, "{name} there does not carry our marker"),
        }
    }
}

impl Service {
    /// Asks a cluster something. One that was found silent a moment ago is not waited for again.
    pub(crate) async fn ask<T, F>(
        &self,
        name: &str,
        around: &Surroundings,
        question: impl FnOnce(Arc<Cluster>) -> F,
    ) -> Result<Result<T, Silence>, Refusal>
    where
        F: Future<Output = Result<T, ClusterError>>,
    {
        let Some(clusters) = self.pools().clusters() else {
            return Ok(Err(Silence::Unknown));
        };
        ask_found(name, around, clusters.find(name), question).await
    }

    /// Asks a cluster something about a tenant, as it is to be seen for that one.
    pub(crate) async fn ask_about<T, F>(
        &self,
        place: &Place,
        around: &Surroundings,
        question: impl FnOnce(Arc<Cluster>) -> F,
    ) -> Result<Result<T, Silence>, Refusal>
    where
        F: Future<Output = Result<T, ClusterError>>,
    {
        let Some(clusters) = self.pools().clusters() else {
            return Ok(Err(Silence::Unknown));
        };
        ask_found(&place.cluster, around, clusters.find_for(place), question).await
    }

    /// Where a tenant is, or would be, on this cluster.
    pub(crate) async fn place_on(&self, cluster: &str, tenant: &Tenant) -> Result<Place, Refusal> {
        let mut control = self.control().read().await?;
        let adoption = control.adopted().lookup(tenant.id).await?;
        let adoption = adoption.filter(|adoption| adoption.cluster == cluster);
        Ok(Place {
            cluster: cluster.into(),
            placement: Placement::new(tenant.id, tenant.generation, tenant.isolation),
            adopted: adoption.map(|adoption| adoption.database),
        })
    }
}

async fn ask_found<T, F>(
    name: &str,
    around: &Surroundings,
    finding: impl Future<Output = Result<Arc<Cluster>, StoreError>>,
    question: impl FnOnce(Arc<Cluster>) -> F,
) -> Result<Result<T, Silence>, Refusal>
where
    F: Future<Output = Result<T, ClusterError>>,
{
    if let Some(why) = around.why_unreachable(name) {
        return Ok(Err(Silence::Unreachable(why)));
    }
    let why = match finding.await {
        Ok(cluster) => match timeout(LOOK, question(cluster)).await {
            Ok(Ok(answer)) => return Ok(Ok(answer)),
            Ok(Err(ClusterError::Foreign(name))) => return Ok(Err(Silence::Foreign(name))),
            Ok(Err(error)) => explained(&error),
            Err(_) => "it does not answer".to_owned(),
        },
        Err(StoreError::ClusterMissing(_)) => return Ok(Err(Silence::Unknown)),
        Err(StoreError::Sealed) => return Ok(Err(Silence::Sealed)),
        Err(StoreError::Cluster(error)) => explained(&error),
        Err(error) => return Err(error.into()),
    };
    around.note_unreachable(name, &why);
    Ok(Err(Silence::Unreachable(why)))
}

/// Tells what silence means for a tenant on that cluster.
pub(super) fn told(findings: &mut Findings<'_>, cluster: &str, silence: &Silence) {
    let (code, detail) = match silence {
        Silence::Unknown => (
            FindingCode::ClusterMissing,
            format!(
                "the registry does not know the cluster {cluster}, where the tenant lies; `tenantry cluster add {cluster} --url …`, or for `default` set TENANTRY_CLUSTER_URL"
            ),
        ),
        Silence::Sealed => (
            FindingCode::ClusterMissing,
            format!(
                "the URL of the cluster {cluster} does not open with the master key; put back the right key"
            ),
        ),
        Silence::Unreachable(why) => (
            FindingCode::ClusterUnreachable,
            format!(
                "the cluster {cluster} can't be asked: {why}; nothing is known about the tenant until it can, `tenantry cluster check {cluster}` tells more"
            ),
        ),
        Silence::Foreign(name) => (
            FindingCode::MarkerForeign,
            format!(
                "{name} on {cluster} does not carry this tenant's marker; find out what it is, then rename it, or put the right comment back on it"
            ),
        ),
    };
    findings.error(code, detail);
}
