//! Making logins of applications follow the status of their tenant, where a crash or a server that
//! was away left them behind.

use std::sync::Arc;

use tenantry_core::finding::FindingCode;
use tokio::time::Instant;

use crate::check::{Report, Surroundings};
use crate::credentials::FOLLOWING;
use crate::{Refusal, Service};

impl Service {
    /// Puts right what was found about logins in a portion of tenants, and looks at those once more.
    /// A server that does not answer is waited for but once: the rest is left to the next pass.
    pub(super) async fn settle_logins_of(
        &self,
        reports: Vec<Report>,
        around: &Arc<Surroundings>,
    ) -> Result<Vec<Report>, Refusal> {
        let until = Instant::now() + FOLLOWING;
        let mut settled = Vec::with_capacity(reports.len());
        for report in reports {
            let astray = report.findings.iter().any(|finding| {
                matches!(
                    finding.code,
                    FindingCode::LoginOpen | FindingCode::LoginClosed
                )
            });
            settled.push(if astray && Instant::now() < until {
                if self.follow_status(&report.tenant).await {
                    self.note_own_act("credentials.follow_status", Some(report.tenant.id))
                        .await;
                }
                self.check_among(report.tenant, around).await?
            } else {
                report
            });
        }
        Ok(settled)
    }
}
