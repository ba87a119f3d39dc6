//! The reconciler: the part of checking and mending that is safe without anybody asking.
//!
//! Now and then one process looks at every tenant, settles what a crash left in the directory and of
//! a status that logins were to follow, and records what it found for the console and the metrics;
//! repairing stays with an operator. Beside it every process watches for incomplete tenants, each of
//! which is announced once.

mod directory;
mod incomplete;
mod logins;

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tenantry_core::finding::{Finding, FindingCode};
pub use tenantry_store::control::{LastPass, Recorded};

use crate::check::{Report, Surroundings};
use crate::refusal::Chain;
use crate::{Refusal, Service};

pub use incomplete::Incomplete;

/// How long a pass is one process's alone without a sign of life. A portion of tenants, after which
/// the lease is renewed, takes at most a few waits for a silent cluster (15 s each).
pub(crate) const LEASE: Duration = Duration::from_mins(3);

/// What was found last, as the metrics show it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overview {
    /// Tenants whose making failed, stands still or takes too long.
    pub incomplete: usize,
    /// Findings of the last pass of the reconciler, by kind; kinds without any are left out.
    pub findings: Vec<(FindingCode, i64)>,
    /// That pass.
    pub last: Option<LastPass>,
}

impl Service {
    /// What this process knew a minute ago at most; costs nothing.
    pub fn overview(&self) -> Arc<Overview> {
        let kept = self.overview_kept().lock();
        Arc::clone(&kept.unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads what is recorded anew.
    pub(crate) async fn refresh_overview(&self, incomplete: usize) -> Result<(), Refusal> {
        let mut control = self.control().read().await?;
        let overview = Overview {
            incomplete,
            findings: control.reconciler().count().await?,
            last: Some(control.reconciler().last().await?),
        };
        let mut kept = self
            .overview_kept()
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *kept = Arc::new(overview);
        Ok(())
    }

    /// Findings of the last pass, after a place in the list (`(0, 0)` begins).
    pub async fn list_findings(
        &self,
        after: (i64, i64),
        limit: i64,
    ) -> Result<Vec<Recorded>, Refusal> {
        let mut control = self.control().read().await?;
        Ok(control.reconciler().list(after, limit).await?)
    }

    /// Looks at every tenant and records what is found, if that is due and no other process is at
    /// it; how many tenants were looked at.
    pub async fn reconcile(&self) -> Result<usize, Refusal> {
        let now = self.clock().now();
        let mut tx = self.control().begin().await?;
        let Some(fence) = tx.reconciler().claim(now, now + LEASE).await? else {
            return Ok(0);
        };
        tx.commit().await?;
        match self.settle_directory().await {
            Ok(0) => {}
            Ok(_) => self.note_own_act("directory.settle", None).await,
            // The check that follows tells which tenant it is about.
            Err(error) => {
                tracing::warn!(error = %Chain(&error), "directory entries could not be settled and are tried again");
            }
        }
        let around = Arc::new(Surroundings::default());
        let (mut checked, mut after) = (0, 0);
        loop {
            let page = self.page_of_tenants(after).await?;
            let Some(last) = page.last() else { break };
            after = last.number;
            let mut reports = Vec::new();
            self.check_page(page, &around, |report| reports.push(report))
                .await?;
            let reports = self.settle_logins_of(reports, &around).await?;
            if !self.record_reports(fence, &reports).await? {
                return Ok(checked);
            }
            checked += reports.len();
        }
        let loose = self.check_orphans_among(&around).await?;
        self.end_pass(fence, checked, &loose).await?;
        self.watch_incomplete().await?;
        Ok(checked)
    }

    /// Records a portion under the lease; `false` when that was lost.
    async fn record_reports(&self, fence: i64, reports: &[Report]) -> Result<bool, Refusal> {
        let now = self.clock().now();
        let mut tx = self.control().begin().await?;
        if !tx.reconciler().renew(fence, now + LEASE).await? {
            return Ok(false);
        }
        for report in reports {
            tx.reconciler().forget(report.tenant.id).await?;
            for finding in &report.findings {
                tx.reconciler().record(fence, finding, now).await?;
            }
        }
        tx.commit().await?;
        Ok(true)
    }

    async fn end_pass(&self, fence: i64, checked: usize, loose: &[Finding]) -> Result<(), Refusal> {
        let now = self.clock().now();
        let count = i64::try_from(checked).unwrap_or(i64::MAX);
        let next = now + self.settings().reconcile;
        let mut tx = self.control().begin().await?;
        if !tx.reconciler().finish(fence, count, now, next).await? {
            return Ok(());
        }
        for finding in loose {
            tx.reconciler().record(fence, finding, now).await?;
        }
        tx.commit().await?;
        Ok(())
    }
}
