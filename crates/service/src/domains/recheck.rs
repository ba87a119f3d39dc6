//! Looking again at domains that are proven: a domain that changed hands is not its tenant's for
//! ever.

use std::time::Duration;

use futures_util::future::join_all;
use tenantry_core::domain::ProofProblem;
use tenantry_core::webhooks::EventKind;

use super::DomainRecord;
use crate::{Refusal, Service};

/// How long after a proof was found it is looked for again.
pub(super) const PAUSE: Duration = Duration::from_hours(24);

/// How long after it was not.
pub(super) const FAILING_PAUSE: Duration = Duration::from_hours(6);

/// How long one look is one process's alone. It takes some fifteen seconds at most: two tries of a
/// name server, and of two files.
const LEASE: Duration = Duration::from_mins(2);

/// How many domains are looked at at the same time, and in one go.
const AT_ONCE: usize = 4;
const IN_ONE_GO: usize = 64;

impl Service {
    /// Looks at proven domains that are due, a few at once; how many.
    pub async fn look_after_domains(&self) -> Result<usize, Refusal> {
        let mut looked = 0;
        while looked < IN_ONE_GO {
            let mut claims = Vec::new();
            while claims.len() < AT_ONCE {
                let now = self.clock().now();
                let mut tx = self.control().begin().await?;
                let claim = tx.domains().claim_due(now, now + LEASE).await?;
                tx.commit().await?;
                match claim {
                    Some(claim) => claims.push(claim),
                    None => break,
                }
            }
            if claims.is_empty() {
                break;
            }
            looked += claims.len();
            for outcome in join_all(claims.iter().map(|claim| self.look_again(claim))).await {
                outcome?;
            }
        }
        Ok(looked)
    }

    async fn look_again(&self, claim: &DomainRecord) -> Result<(), Refusal> {
        let looked = self.look_for_proof(claim).await;
        match self.note_look(claim, looked).await {
            // Given up, or proven by somebody else, while we looked.
            Err(Refusal::NotFound | Refusal::DomainTaken) => return Ok(()),
            noted => noted?,
        }
        match looked {
            Ok(_) => Ok(()),
            Err(problem) if problem.is_told() => self.without_proof(claim, problem).await,
            Err(_) => {
                tracing::warn!(tenant.id = %claim.tenant, domain = %claim.name, kind = %claim.kind, "nobody could say whether the proof of a domain is still there; it stays its tenant's");
                Ok(())
            }
        }
    }

    /// Takes a domain whose proof was gone for too long from its tenant, and warns of one that will be.
    async fn without_proof(
        &self,
        claim: &DomainRecord,
        problem: ProofProblem,
    ) -> Result<(), Refusal> {
        let since = self.clock().now() - self.settings().domains.lost_after;
        let mut tx = self.control().begin().await?;
        let tenant = tx.tenants().lookup(claim.tenant).await?;
        let Some(tenant) = tenant else { return Ok(()) };
        let (kind, name) = (claim.kind, &claim.name);
        if !tx.domains().lose(claim, since).await? {
            tracing::warn!(tenant.id = %tenant.id, tenant.slug = %tenant.slug, domain = %name, %kind, %problem, "the proof of a domain is gone; if it stays away, the tenant loses the domain");
            return Ok(());
        }
        let told = self
            .shared()
            .announce_domain(&mut tx, EventKind::DomainLost, &tenant, claim, problem)
            .await;
        told?;
        tx.commit().await?;
        tracing::warn!(tenant.id = %tenant.id, tenant.slug = %tenant.slug, domain = %name, %kind, %problem, "a domain is no longer its tenant's, as its proof was gone for too long");
        self.note_own_act("domain.lose", Some(tenant.id)).await;
        Ok(())
    }
}
