//! Checking every tenant: page by page, a few at once.

use std::sync::Arc;

use tenantry_core::finding::Finding;
use tenantry_core::tenant::Tenant;
use tokio::task::{JoinError, JoinSet};

use super::{Report, Surroundings};
use crate::{Refusal, Service};

/// How many tenants are read at once.
const PAGE: i64 = 64;

/// How many tenants are looked at at the same time. Each takes one connection of the tenant's, and
/// all on one cluster share the admin's few (`ClusterBounds::connections`).
const AT_ONCE: usize = 8;

/// What was found about every tenant.
#[derive(Debug, Clone, Default)]
pub struct Fleet {
    /// Tenants looked at.
    pub checked: usize,
    /// Those with findings, in the order they were made.
    pub unsound: Vec<Report>,
    /// What belongs to no tenant.
    pub loose: Vec<Finding>,
}

impl Fleet {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.unsound.is_empty() && self.loose.is_empty()
    }
}

impl Service {
    /// Checks every tenant, and looks for what belongs to none. Says after each how many are done
    /// and how many there are. Sound tenants are not kept in memory.
    pub async fn check_all(&self, progress: impl Fn(usize, usize)) -> Result<Fleet, Refusal> {
        let around = Arc::new(Surroundings::default());
        let count = self.control().read().await?.tenants().count().await?;
        let total = usize::try_from(count).unwrap_or(usize::MAX);
        let mut fleet = Fleet::default();
        let mut after = 0;
        loop {
            let page = self.page_of_tenants(after).await?;
            let Some(last) = page.last() else { break };
            after = last.number;
            self.check_page(page, &around, |report| {
                fleet.checked += 1;
                // Those made meanwhile come along.
                progress(fleet.checked, total.max(fleet.checked));
                if !report.findings.is_empty() {
                    fleet.unsound.push(report);
                }
            })
            .await?;
        }
        fleet.unsound.sort_by_key(|report| report.tenant.number);
        fleet.loose = self.check_orphans_among(&around).await?;
        Ok(fleet)
    }

    /// The next tenants in the order they were made.
    pub(crate) async fn page_of_tenants(&self, after: i64) -> Result<Vec<Tenant>, Refusal> {
        let mut control = self.control().read().await?;
        Ok(control.tenants().list(after, PAGE).await?)
    }

    /// Checks these, a few at once, and hands over each report as it comes.
    pub(crate) async fn check_page(
        &self,
        page: Vec<Tenant>,
        around: &Arc<Surroundings>,
        mut each: impl FnMut(Report),
    ) -> Result<(), Refusal> {
        let mut looking = JoinSet::new();
        for tenant in page {
            if looking.len() >= AT_ONCE
                && let Some(looked) = looking.join_next().await
            {
                each(report(looked)?);
            }
            let (service, around) = (self.clone(), Arc::clone(around));
            looking.spawn(async move { service.check_among(tenant, &around).await });
        }
        while let Some(looked) = looking.join_next().await {
            each(report(looked)?);
        }
        Ok(())
    }
}

fn report(looked: Result<Result<Report, Refusal>, JoinError>) -> Result<Report, Refusal> {
    looked.map_err(Refusal::failed("a check broke off"))?
}
