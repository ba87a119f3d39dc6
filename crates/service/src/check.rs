//! Comparing what should be with what is. Reads only, also where a schema is old; `repair` mends.
//!
//! What is found first decides what is looked at next: a finding names a cause, and what merely
//! follows from it is not told beside it. Details say what an operator does next wherever `repair`
//! can't help. Called by the API, the console, the command line and the reconciler.

mod asking;
pub(crate) mod database;
mod domains;
mod fleet;
mod inside;
mod orphans;
mod people;
pub(crate) mod server;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tenantry_core::TenantStatus;
use tenantry_core::credential::CredentialState;
use tenantry_core::finding::{Finding, FindingCode, Severity};
use tenantry_core::tenant::Tenant;
use tenantry_core::workflow::WorkflowState;
use tenantry_store::control::{Credential, Run};
use tokio::time::Instant;

pub use fleet::Fleet;
pub(crate) use orphans::Orphan;

use crate::workflows::{ROTATE, is_moving};
use crate::{Refusal, Service};

/// How long a tenant may be in the making before somebody is told. Making one takes seconds, and a
/// process that died is replaced by another within its lease (15 s).
pub(crate) const MAKING: Duration = Duration::from_mins(10);

/// How long a cluster that could not be asked is not asked again by one check of many tenants.
const UNREACHABLE: Duration = Duration::from_secs(30);

/// What was found about one tenant.
#[derive(Debug, Clone)]
pub struct Report {
    /// The tenant.
    pub tenant: Tenant,
    /// What is not as it should be.
    pub findings: Vec<Finding>,
}

/// What a check of many tenants learns on the way: a dead cluster is waited for once in a while,
/// not by each of its tenants.
#[derive(Default)]
pub(crate) struct Surroundings {
    unreachable: Mutex<HashMap<String, (Instant, String)>>,
}

impl Surroundings {
    /// Why a cluster could not be asked a moment ago.
    fn why_unreachable(&self, cluster: &str) -> Option<String> {
        let known = self.unreachable.lock();
        let known = known.unwrap_or_else(PoisonError::into_inner);
        let (since, why) = known.get(cluster)?;
        (since.elapsed() < UNREACHABLE).then(|| why.clone())
    }

    fn note_unreachable(&self, cluster: &str, why: &str) {
        let known = self.unreachable.lock();
        let mut known = known.unwrap_or_else(PoisonError::into_inner);
        known.insert(cluster.to_owned(), (Instant::now(), why.to_owned()));
    }
}

/// What is found about a tenant, as it is found.
struct Findings<'a> {
    tenant: &'a Tenant,
    list: Vec<Finding>,
    /// The secrets that were looked at, where any were.
    secrets: Option<Secrets>,
}

/// Secrets by number, and whether each counts.
pub(crate) type Secrets = Vec<(i64, CredentialState)>;

pub(crate) fn secrets(credentials: &[Credential]) -> Secrets {
    let credentials = credentials.iter();
    credentials
        .map(|credential| (credential.serial, credential.state))
        .collect()
}

impl Findings<'_> {
    fn add(
        &mut self,
        code: FindingCode,
        severity: Severity,
        detail: impl Into<String>,
        repairable: bool,
    ) {
        self.list.push(Finding {
            tenant: Some(self.tenant.id),
            code,
            severity,
            detail: detail.into(),
            repairable,
        });
    }

    /// Something that `repair` leaves to an operator.
    fn error(&mut self, code: FindingCode, detail: impl Into<String>) {
        self.add(code, Severity::Error, detail, false);
    }

    /// Something that `repair` mends.
    fn repairable(&mut self, code: FindingCode, detail: impl Into<String>) {
        self.add(code, Severity::Error, detail, true);
    }

    fn has(&self, code: FindingCode) -> bool {
        self.list.iter().any(|finding| finding.code == code)
    }
}

impl Service {
    /// Checks one tenant.
    pub async fn check_tenant(&self, tenant: Tenant) -> Result<Report, Refusal> {
        self.check_among(tenant, &Surroundings::default()).await
    }

    /// Checks one tenant of many. What changed while it was looked at is looked at once more: a
    /// tenant that is deleted or made anew meanwhile, or changes its credentials, is not damaged.
    pub(crate) async fn check_among(
        &self,
        tenant: Tenant,
        around: &Surroundings,
    ) -> Result<Report, Refusal> {
        let (findings, seen) = self.look_over(&tenant, around).await?;
        if findings.is_empty() {
            return Ok(Report { tenant, findings });
        }
        let mut control = self.control().read().await?;
        let Some(now) = control.tenants().lookup(tenant.id).await? else {
            let findings = Vec::new();
            return Ok(Report { tenant, findings });
        };
        let credentials = control
            .credentials()
            .list(tenant.id, tenant.generation)
            .await?;
        drop(control);
        let same = (now.status, now.generation) == (tenant.status, tenant.generation)
            && seen.is_none_or(|seen| seen == secrets(&credentials));
        if same {
            return Ok(Report { tenant, findings });
        }
        let (findings, _) = self.look_over(&now, around).await?;
        Ok(Report {
            tenant: now,
            findings,
        })
    }

    async fn look_over(
        &self,
        tenant: &Tenant,
        around: &Surroundings,
    ) -> Result<(Vec<Finding>, Option<Secrets>), Refusal> {
        let mut findings = Findings {
            tenant,
            list: Vec::new(),
            secrets: None,
        };
        let run = self
            .control()
            .read()
            .await?
            .workflows()
            .find_unfinished(tenant.id)
            .await?;
        check_workflow(&mut findings, run.as_ref());
        match tenant.status {
            TenantStatus::Active | TenantStatus::Suspended | TenantStatus::Deleted => {
                self.check_database(&mut findings, run.as_ref(), around)
                    .await?;
                self.check_domains(&mut findings).await?;
            }
            TenantStatus::Failed => findings.error(
                FindingCode::ProvisioningFailed,
                "the tenant could not be made; `tenantry workflow retry` tries again, `tenantry tenant delete --purge` removes it",
            ),
            TenantStatus::Provisioning => self.check_making(&mut findings, run.as_ref()),
            TenantStatus::Purging => {}
        }
        Ok((findings.list, findings.secrets))
    }

    fn check_making(&self, findings: &mut Findings<'_>, run: Option<&Run>) {
        match run {
            None => findings.error(
                FindingCode::ProvisioningStalled,
                "the tenant is in the making and no workflow is at it; restore the control database from a backup",
            ),
            Some(run)
                if is_moving(run.state) && run.created_at + MAKING <= self.clock().now() =>
            {
                let why = run.error.as_deref().unwrap_or("no error was recorded");
                findings.error(
                    FindingCode::ProvisioningStalled,
                    format!(
                        "the tenant has been in the making since {} ({why}); `tenantry workflow show {}` tells more",
                        run.created_at, run.id
                    ),
                );
            }
            Some(_) => {}
        }
    }
}

fn check_workflow(findings: &mut Findings<'_>, run: Option<&Run>) {
    let Some(run) = run.filter(|run| run.state == WorkflowState::Stuck) else {
        return;
    };
    let code = if run.kind == ROTATE {
        FindingCode::RotationStuck
    } else {
        FindingCode::WorkflowStuck
    };
    let why = run.error.as_deref().unwrap_or_default();
    findings.error(
        code,
        format!(
            "workflow {} ({}) stands still: {why}; mend the cause, then `tenantry workflow retry {}`",
            run.id, run.kind, run.id
        ),
    );
}
