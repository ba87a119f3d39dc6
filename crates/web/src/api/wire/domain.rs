//! Domains of tenants' own.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tenantry_core::Timestamp;
use tenantry_core::domain::{DomainKind, ProofProblem};
use tenantry_service::domains::{DomainRecord, Publish};

use crate::extract::Asked;

/// A domain to claim.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DomainRequest {
    /// The domain, such as `shop.example.org`; international ones in either form.
    pub domain: String,
    /// `host` (default): the tenant's pages are there; `email`: people with a mail address there
    /// belong to the tenant.
    #[serde(default)]
    pub kind: Option<String>,
}

/// What can be asked about a domain.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DomainQuery {
    /// `host` or `email`; without it the host, or else the mail domain, of this name.
    #[serde(default)]
    pub kind: Option<String>,
    /// The tenant hint, read elsewhere.
    #[serde(default)]
    #[schemars(skip)]
    pub tenant_id: Option<String>,
}

impl Asked for DomainQuery {
    const IS: &'static str = "the query has kind, once";
}

/// What the owner of a domain publishes to prove it: the record or, for a host, the file.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct PublishBody {
    /// The name of a TXT record.
    pub record: String,
    /// What the record says, and the file.
    pub value: String,
    /// Where the file can be instead of the record; null for a mail domain.
    pub file: Option<String>,
}

/// A domain as a tenant claims it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct DomainBody {
    /// The domain, in ASCII.
    pub domain: String,
    /// `host` or `email`.
    #[schemars(with = "String")]
    pub kind: DomainKind,
    /// Whether it is proven; only then does it lead to the tenant.
    pub verified: bool,
    /// Since when.
    #[schemars(with = "Option<String>")]
    pub verified_at: Option<Timestamp>,
    /// When it was claimed.
    #[schemars(with = "String")]
    pub created_at: Timestamp,
    /// When the proof was looked for last.
    #[schemars(with = "Option<String>")]
    pub checked_at: Option<Timestamp>,
    /// Why that look found none: `missing`, `different` or `unanswered`; null where it found one.
    #[schemars(with = "Option<String>")]
    pub problem: Option<ProofProblem>,
    /// Since when each look at a proven domain found no proof.
    #[schemars(with = "Option<String>")]
    pub failing_since: Option<Timestamp>,
    /// What is to be published, and to stay so.
    pub publish: PublishBody,
}

impl From<&DomainRecord> for DomainBody {
    fn from(record: &DomainRecord) -> Self {
        let Publish {
            record: name,
            value,
            file,
        } = Publish::from(record);
        Self {
            domain: record.name.to_string(),
            kind: record.kind,
            verified: record.verified_at.is_some(),
            verified_at: record.verified_at,
            created_at: record.created_at,
            checked_at: record.checked_at,
            problem: record.problem,
            failing_since: record.failing_since,
            publish: PublishBody {
                record: name,
                value,
                file,
            },
        }
    }
}
