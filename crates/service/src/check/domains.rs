//! Whether the domains that a tenant had proven still are.

use tenantry_core::finding::{FindingCode, Severity};

use super::Findings;
use crate::domains::Publish;
use crate::{Refusal, Service};

impl Service {
    /// Tells of domains whose proof is gone, lost or not: a claim that never was proven is no damage.
    /// Looks at what the last look came to, and asks nobody.
    pub(super) async fn check_domains(&self, findings: &mut Findings<'_>) -> Result<(), Refusal> {
        let mut control = self.control().read().await?;
        let claims = control.domains().list(findings.tenant.id).await?;
        drop(control);
        for claim in claims {
            let Some(since) = claim.failing_since else {
                continue;
            };
            let becomes = match self.domain_kept_until(&claim) {
                Some(until) => format!("it is the tenant's until {until}"),
                None => "it is no longer the tenant's".to_owned(),
            };
            let wanted = Publish::from(&claim);
            findings.add(
                FindingCode::DomainUnproven,
                Severity::Warning,
                format!(
                    "the {} domain {} has been without its proof since {since}, and {becomes}; publish the TXT record {} \"{}\" again, then `tenantry tenant domain verify`, or remove the domain",
                    claim.kind, claim.name, wanted.record, wanted.value
                ),
                false,
            );
        }
        Ok(())
    }
}
