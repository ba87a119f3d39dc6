//! Domains of tenants' own: claimed by whoever wants, had by whoever proved them first.

use tenantry_core::domain::{DomainKind, DomainName, ProofProblem, ProofWay};
use tenantry_core::{TenantId, Timestamp};
use uuid::Uuid;

use crate::changes::Touched;
use crate::{Conn, StoreError};

/// The domains of tenants.
pub struct Domains<'c>(pub(super) Conn<'c>, pub(super) &'c mut Touched);

/// A domain as one tenant claims it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DomainRecord {
    /// The tenant.
    pub tenant: TenantId,
    /// What for.
    pub kind: DomainKind,
    /// The domain.
    pub name: DomainName,
    /// What is to be published there.
    pub token: String,
    /// When it was claimed.
    pub created_at: Timestamp,
    /// Since when it is proven; `None` where it is not.
    pub verified_at: Option<Timestamp>,
    /// How the proof was found last; `None` also where that was before it was written down.
    pub proven_by: Option<ProofWay>,
    /// When the proof was looked for last.
    pub checked_at: Option<Timestamp>,
    /// Why that look found none.
    pub problem: Option<ProofProblem>,
    /// Since when each look at the proven domain found none.
    pub failing_since: Option<Timestamp>,
}

row! {
    struct DomainRow {
        tenant_id: Uuid,
        kind: String,
        domain: String,
        token: String,
        created_at: i64,
        verified_at: Option<i64>,
        proven_by: Option<String>,
        checked_at: Option<i64>,
        problem: Option<String>,
        failing_since: Option<i64>,
    }
}
row! { struct NameRow { domain: String } }
row! { struct TenantRow { tenant_id: Uuid } }

impl TryFrom<DomainRow> for DomainRecord {
    type Error = StoreError;

    fn try_from(row: DomainRow) -> Result<Self, StoreError> {
        let corrupt = |column| StoreError::Corrupt {
            table: "tenant_domains",
            column,
        };
        let problem = row.problem.as_deref().map(str::parse).transpose();
        let proven_by = row.proven_by.as_deref().map(str::parse).transpose();
        Ok(Self {
            tenant: TenantId::from_uuid(row.tenant_id),
            kind: row.kind.parse().map_err(|_| corrupt("kind"))?,
            name: row.domain.parse().map_err(|_| corrupt("domain"))?,
            token: row.token,
            created_at: Timestamp::from_micros(row.created_at),
            verified_at: row.verified_at.map(Timestamp::from_micros),
            proven_by: proven_by.map_err(|_| corrupt("proven_by"))?,
            checked_at: row.checked_at.map(Timestamp::from_micros),
            problem: problem.map_err(|_| corrupt("problem"))?,
            failing_since: row.failing_since.map(Timestamp::from_micros),
        })
    }
}

impl Domains<'_> {
    /// The verified hosts of a tenant, in order.
    pub async fn list_hosts(&mut self, tenant: TenantId) -> Result<Vec<String>, StoreError> {
        let rows = fetch_all!(
            self.0,
            NameRow,
            "SELECT domain FROM tenant_domains
             WHERE tenant_id = $1 AND kind = 'host' AND verified_at IS NOT NULL ORDER BY domain",
            tenant.uuid()
        )?;
        Ok(rows.into_iter().map(|row| row.domain).collect())
    }

    /// The tenant that proved a mail domain to be its own.
    pub async fn find_by_mail_domain(
        &mut self,
        domain: &str,
    ) -> Result<Option<TenantId>, StoreError> {
        let row = fetch_optional!(
            self.0,
            TenantRow,
            "SELECT tenant_id FROM tenant_domains
             WHERE kind = 'email' AND domain = $1 AND verified_at IS NOT NULL",
            domain
        )?;
        Ok(row.map(|row| TenantId::from_uuid(row.tenant_id)))
    }

    /// The tenant that proved a domain to be its own.
    pub async fn holder(
        &mut self,
        kind: DomainKind,
        name: &DomainName,
    ) -> Result<Option<TenantId>, StoreError> {
        let row = fetch_optional!(
            self.0,
            TenantRow,
            "SELECT tenant_id FROM tenant_domains
             WHERE kind = $1 AND domain = $2 AND verified_at IS NOT NULL",
            kind.as_str(),
            name.as_str()
        )?;
        Ok(row.map(|row| TenantId::from_uuid(row.tenant_id)))
    }

    /// Claims a domain for a tenant; `false` where the tenant claims it already.
    pub async fn add(
        &mut self,
        tenant: TenantId,
        domain: (DomainKind, &DomainName),
        token: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let changed = execute!(
            self.0,
            "INSERT INTO tenant_domains (tenant_id, kind, domain, token, created_at)
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT (tenant_id, kind, domain) DO NOTHING",
            tenant.uuid(),
            domain.0.as_str(),
            domain.1.as_str(),
            token,
            now.micros()
        )?;
        Ok(changed == 1)
    }

    /// What a tenant claims, hosts last, each kind in order.
    pub async fn list(&mut self, tenant: TenantId) -> Result<Vec<DomainRecord>, StoreError> {
        fetch_all!(
            self.0,
            DomainRow,
            "SELECT tenant_id, kind, domain, token, created_at, verified_at, proven_by, checked_at, problem, failing_since
             FROM tenant_domains WHERE tenant_id = $1 ORDER BY kind, domain",
            tenant.uuid()
        )?
        .into_iter()
        .map(DomainRecord::try_from)
        .collect()
    }

    /// A domain as a tenant claims it.
    pub async fn find(
        &mut self,
        tenant: TenantId,
        kind: DomainKind,
        name: &DomainName,
    ) -> Result<Option<DomainRecord>, StoreError> {
        fetch_optional!(
            self.0,
            DomainRow,
            "SELECT tenant_id, kind, domain, token, created_at, verified_at, proven_by, checked_at, problem, failing_since
             FROM tenant_domains WHERE tenant_id = $1 AND kind = $2 AND domain = $3",
            tenant.uuid(),
            kind.as_str(),
            name.as_str()
        )?
        .map(DomainRecord::try_from)
        .transpose()
    }

    /// Gives a claim up; `false` where there is none.
    pub async fn remove(
        &mut self,
        tenant: TenantId,
        kind: DomainKind,
        name: &DomainName,
    ) -> Result<bool, StoreError> {
        self.1.note(tenant);
        let changed = execute!(
            self.0,
            "DELETE FROM tenant_domains WHERE tenant_id = $1 AND kind = $2 AND domain = $3",
            tenant.uuid(),
            kind.as_str(),
            name.as_str()
        )?;
        Ok(changed == 1)
    }

    /// Notes that the proof was found and how, which is looked for again at `next`; `false` where the claim
    /// is gone or is another by now. The unique index refuses it where another tenant has the domain.
    pub async fn mark_proven(
        &mut self,
        claim: &DomainRecord,
        way: ProofWay,
        now: Timestamp,
        next: Timestamp,
    ) -> Result<bool, StoreError> {
        let changed = execute!(
            self.0,
            "UPDATE tenant_domains
             SET verified_at = COALESCE(verified_at, $5), checked_at = $5, problem = NULL, failing_since = NULL,
                 next_check_at = $6, proven_by = $7
             WHERE tenant_id = $1 AND kind = $2 AND domain = $3 AND token = $4",
            claim.tenant.uuid(),
            claim.kind.as_str(),
            claim.name.as_str(),
            claim.token.as_str(),
            now.micros(),
            next.micros(),
            way.as_str()
        )?;
        Ok(changed == 1)
    }

    /// Notes that the proof was not found. A proven domain stays so, and is looked at again at `next`;
    /// how long it has been failing is counted from an answer, never from having got none. `false` where the claim is gone or is another by now.
    pub async fn mark_unfound(
        &mut self,
        claim: &DomainRecord,
        problem: ProofProblem,
        now: Timestamp,
        next: Timestamp,
    ) -> Result<bool, StoreError> {
        let changed = execute!(
            self.0,
            "UPDATE tenant_domains
             SET checked_at = $6, problem = $5,
                 failing_since = CASE WHEN verified_at IS NULL OR $5 = 'unanswered' THEN failing_since
                                      ELSE COALESCE(failing_since, $6) END,
                 next_check_at = CASE WHEN verified_at IS NULL THEN NULL ELSE $7 END
             WHERE tenant_id = $1 AND kind = $2 AND domain = $3 AND token = $4",
            claim.tenant.uuid(),
            claim.kind.as_str(),
            claim.name.as_str(),
            claim.token.as_str(),
            problem.as_str(),
            now.micros(),
            next.micros()
        )?;
        Ok(changed == 1)
    }

    /// Takes a domain from its tenant whose proof was found at no look since `since` or before. The
    /// claim stays. `false` where it was found meanwhile, or somebody else was first.
    pub async fn lose(
        &mut self,
        claim: &DomainRecord,
        since: Timestamp,
    ) -> Result<bool, StoreError> {
        self.1.note(claim.tenant);
        let changed = execute!(
            self.0,
            "UPDATE tenant_domains SET verified_at = NULL, next_check_at = NULL
             WHERE tenant_id = $1 AND kind = $2 AND domain = $3 AND token = $4
               AND verified_at IS NOT NULL AND failing_since <= $5",
            claim.tenant.uuid(),
            claim.kind.as_str(),
            claim.name.as_str(),
            claim.token.as_str(),
            since.micros()
        )?;
        Ok(changed == 1)
    }

    /// Takes a proven domain that is due for a look, and lets nobody else take it before `until`.
    pub async fn claim_due(
        &mut self,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<DomainRecord>, StoreError> {
        fetch_optional!(
            self.0,
            DomainRow,
            "UPDATE tenant_domains SET next_check_at = $2
             WHERE (tenant_id, kind, domain) = (SELECT d.tenant_id, d.kind, d.domain FROM tenant_domains d
                                                WHERE d.next_check_at <= $1 ORDER BY d.next_check_at LIMIT 1)
               AND next_check_at <= $1
             RETURNING tenant_id, kind, domain, token, created_at, verified_at, proven_by, checked_at, problem, failing_since",
            now.micros(),
            until.micros()
        )?
        .map(DomainRecord::try_from)
        .transpose()
    }
}
