//! Clusters, as platform admins see them, by HTTP and on the command line: never an admin's URL,
//! which holds a password.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tenantry_core::Secret;
use tenantry_core::finding::Severity;
use tenantry_service::clusters::{ClusterReport, ClusterView, NewCluster};

/// A PostgreSQL server that tenants are placed on.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ClusterBody {
    /// Its name.
    pub name: String,
    /// The server's host.
    pub host: String,
    /// The server's port.
    pub port: u16,
    /// Whether new tenants are placed there.
    pub open: bool,
    /// The most tenants to place there; null where no limit was set.
    pub capacity: Option<i64>,
    /// Databases of tenants on it.
    pub tenants: i64,
    /// Whether the server answered just now.
    pub reachable: bool,
    /// Why it did not; null where it did.
    pub detail: Option<String>,
    /// Connections of everybody at this moment; null where it did not answer.
    pub connections_used: Option<i64>,
    /// The most that the server takes: `max_connections` without those it keeps for superusers.
    pub connections_max: Option<i64>,
}

impl From<&ClusterView> for ClusterBody {
    fn from(view: &ClusterView) -> Self {
        Self {
            name: view.name.clone(),
            host: view.host.clone(),
            port: view.port,
            open: view.accepts,
            capacity: view.capacity,
            tenants: view.tenants,
            reachable: view.unreachable.is_none(),
            detail: view.unreachable.clone(),
            connections_used: view.load.map(|load| load.connections_used),
            connections_max: view.load.map(|load| load.connections_max),
        }
    }
}

/// A cluster to add. Has no `Debug`, since its URL holds a password.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClusterRequest {
    /// The name to call it by: 3 to 40 of `a-z 0-9 -`, beginning with a letter; not `local`.
    pub name: String,
    /// Where it is and who administers it: `postgres://user:password@host:port/database`.
    pub url: String,
    /// Whether new tenants are placed there; they are unless this says otherwise.
    #[serde(default)]
    pub open: Option<bool>,
    /// The most tenants to place there; without it the server's own limits count.
    #[serde(default)]
    pub capacity: Option<i64>,
}

impl From<ClusterRequest> for NewCluster {
    fn from(request: ClusterRequest) -> Self {
        Self {
            name: request.name,
            url: Secret::new(request.url),
            accepts: request.open.unwrap_or(true),
            capacity: request.capacity,
        }
    }
}

/// What to change about a cluster.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClusterPatch {
    /// Whether new tenants are placed there.
    pub open: bool,
}

/// What checking a cluster came to.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ClusterCheckBody {
    /// Its name.
    pub name: String,
    /// Whether tenants can be placed there.
    pub usable: bool,
    /// Why it could not be asked; null where it could.
    pub detail: Option<String>,
    /// What lacks, or is worth knowing.
    pub findings: Vec<RemarkBody>,
}

/// One thing that a cluster lacks, or that is worth knowing about it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct RemarkBody {
    /// A fixed word for it.
    pub code: &'static str,
    /// `error` where no tenant can be placed there for it, else `warning`.
    #[schemars(with = "String")]
    pub severity: Severity,
    /// What was found.
    pub detail: String,
    /// What to do about it.
    pub remedy: String,
}

impl From<&ClusterReport> for ClusterCheckBody {
    fn from(report: &ClusterReport) -> Self {
        let findings = report.remarks.iter().map(|remark| RemarkBody {
            code: remark.lack.as_str(),
            severity: remark.severity,
            detail: remark.detail.clone(),
            remedy: remark.remedy.clone(),
        });
        Self {
            name: report.name.clone(),
            usable: report.is_usable(),
            detail: report.unreachable.clone(),
            findings: findings.collect(),
        }
    }
}
