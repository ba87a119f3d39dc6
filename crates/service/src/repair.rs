//! Mending what can be mended without guessing.
//!
//! Truth is what the registry wrote down before it acted: the record, the stored secrets, and the
//! marker and stamp of what was made. Where the world differs from that it is put right; where
//! putting it right would take a guess (which of two databases is whose, what was in one that is
//! gone) nothing is touched, and the finding says what an operator does next.

mod directory;
mod record;
mod server;
mod workflows;

use tenantry_core::finding::FindingCode;
use tenantry_core::tenant::Tenant;

use crate::check::{Orphan, Report, Surroundings};
use crate::refusal::Chain;
use crate::workflows::is_moving;
use crate::{Refusal, Service};

/// How often is looked again: what one repair opens lets the next check see further, at most from
/// the record to the server, and from there into the database.
const ROUNDS: usize = 4;

impl Service {
    /// Mends what was found about a tenant and can be mended; what is left afterwards. What could
    /// not be mended says why. Done twice, the second has no effect.
    pub async fn repair_tenant(&self, tenant: Tenant) -> Result<Report, Refusal> {
        let mut report = self.check_tenant(tenant).await?;
        let mut before = Vec::new();
        for _ in 0..ROUNDS {
            let codes = repairable(&report);
            if codes.is_empty() || codes == before {
                break;
            }
            let failures = if self.is_worked_on(&report.tenant).await? {
                vec!["work on this tenant is under way; try again when it is done".to_owned()]
            } else {
                self.mend(&report.tenant, &codes).await
            };
            report = self.check_tenant(report.tenant).await?;
            explain(&mut report, &failures);
            before = codes;
        }
        if report.findings.is_empty() {
            self.forget_findings(&report.tenant).await?;
        }
        Ok(report)
    }

    async fn is_worked_on(&self, tenant: &Tenant) -> Result<bool, Refusal> {
        let mut control = self.control().read().await?;
        let run = control.workflows().find_unfinished(tenant.id).await?;
        Ok(run.is_some_and(|run| is_moving(run.state)))
    }

    /// What the reconciler found is no more.
    async fn forget_findings(&self, tenant: &Tenant) -> Result<(), Refusal> {
        let mut tx = self.control().begin().await?;
        if tx.reconciler().forget(tenant.id).await? > 0 {
            tx.commit().await?;
        }
        Ok(())
    }

    /// Mends from the outside in; why that did not go.
    async fn mend(&self, tenant: &Tenant, codes: &[FindingCode]) -> Vec<String> {
        let has = |code| codes.contains(&code);
        let mut failures = Vec::new();
        if has(FindingCode::RecordMissing)
            && let Err(error) = self.rebuild_record(tenant).await
        {
            failures.push(Chain(&error).to_string());
        }
        if let Err(error) = self.mend_server(tenant, codes).await {
            failures.push(Chain(&error).to_string());
        }
        if has(FindingCode::SchemaOld) {
            // Opening a database brings its schema up to date.
            self.pools().close(tenant.id, tenant.generation).await;
        }
        let rebuilding = has(FindingCode::DirectoryMissing)
            || has(FindingCode::DirectoryExtra)
            || has(FindingCode::SchemaOld);
        if rebuilding && let Err(error) = self.rebuild_directory(tenant).await {
            failures.push(Chain(&error).to_string());
        }
        failures
    }

    /// Removes what belongs to no tenant and carries our stamp or marker; how many files and
    /// databases (with their roles), or roles without one.
    pub async fn prune_orphans(&self) -> Result<usize, Refusal> {
        let mut removed = 0;
        for orphan in self.orphans(&Surroundings::default()).await? {
            let gone = match &orphan {
                Orphan::File(file, true) => self.pools().files().remove_named(file)?,
                Orphan::Server {
                    cluster, placement, ..
                } => self.drop_orphan(cluster, *placement).await?,
                Orphan::File(_, false) | Orphan::Renamed { .. } | Orphan::Unknown { .. } => false,
            };
            removed += usize::from(gone);
        }
        Ok(removed)
    }
}

fn repairable(report: &Report) -> Vec<FindingCode> {
    let findings = report.findings.iter();
    findings
        .filter(|finding| finding.repairable)
        .map(|finding| finding.code)
        .collect()
}

/// Adds to what is left why it was not mended.
fn explain(report: &mut Report, failures: &[String]) {
    if failures.is_empty() {
        return;
    }
    let why = failures.join("; ");
    for finding in &mut report.findings {
        if finding.repairable {
            finding.detail = format!("{}; it could not be mended: {why}", finding.detail);
        }
    }
}
