//! What a check found.

use schemars::JsonSchema;
use serde::Serialize;
use tenantry_core::finding::Finding;
use tenantry_service::check::Report;

/// What a check found about a tenant.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct CheckBody {
    /// Whether nothing is wrong.
    pub healthy: bool,
    /// What is.
    #[schemars(with = "Vec<FindingBody>")]
    pub findings: Vec<Finding>,
}

/// One thing that is not as it should be.
#[derive(JsonSchema)]
#[expect(
    dead_code,
    reason = "describes `Finding`, which lives where there are no schemas"
)]
struct FindingBody {
    code: String,
    severity: String,
    detail: String,
    repairable: bool,
}

impl From<Report> for CheckBody {
    fn from(report: Report) -> Self {
        Self {
            healthy: report.findings.is_empty(),
            findings: report.findings,
        }
    }
}
