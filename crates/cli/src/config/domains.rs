//! `[domains]`

use std::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tenantry_service::domains::ProofRules;

use super::refusal::within;
use crate::exit::Exit;

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Domains {
    /// The name server that is asked for the proof of a domain, as `address:port`.
    #[serde(rename(serialize = "domain_resolver"))]
    resolver: Option<SocketAddr>,
    /// Days without its proof after which a domain is taken from its tenant.
    #[serde(rename(serialize = "domain_lost_after_days"))]
    lost_after_days: u64,
}

impl Default for Domains {
    fn default() -> Self {
        Self {
            resolver: None,
            lost_after_days: ProofRules::LOST_AFTER.as_secs() / (24 * 3600),
        }
    }
}

impl Domains {
    pub(super) fn check(&self) -> Result<(), Exit> {
        within(
            "domains.lost_after_days",
            &self.lost_after_days,
            &(1..=365),
            None,
        )
    }

    pub(super) fn rules(&self) -> ProofRules {
        ProofRules {
            lost_after: Duration::from_hours(24 * self.lost_after_days),
            ..ProofRules::asking(self.resolver)
        }
    }
}
