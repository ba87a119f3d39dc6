//! What proves that a domain is somebody's, and looking whether it is there.

use std::fmt::Write as _;
use std::time::Duration;

use tenantry_core::Entropy;
use tenantry_core::domain::{DomainKind, ProofProblem};
use tenantry_webhooks::{Deliverer, Rules};
use url::Url;

use super::DomainRecord;
use crate::Service;
use crate::refusal::Chain;

/// The label below which the text record stands. With an underscore, so that it is nobody's host
/// (RFC 8552).
const LABEL: &str = "_tenantry";

/// What stands before the token.
const PREFIX: &str = "tenantry-verification=";

/// Where the file is (RFC 8615).
const PATH: &str = "/.well-known/tenantry-verification";

/// How long one try to fetch the file may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The most octets of the file. It holds one line.
const LONGEST: usize = 1024;

/// What the owner of a domain publishes to prove it: the record or, for a host, the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publish {
    /// The name of the text record.
    pub record: String,
    /// What the record says, and the file.
    pub value: String,
    /// Where the file is instead; none for a mail domain, which need not have a web server.
    pub file: Option<String>,
}

impl From<&DomainRecord> for Publish {
    fn from(claim: &DomainRecord) -> Self {
        let file = match claim.kind {
            DomainKind::Host => Some(format!("http://{}{PATH}", claim.name)),
            DomainKind::Email => None,
        };
        Self {
            record: format!("{LABEL}.{}", claim.name),
            value: format!("{PREFIX}{}", claim.token),
            file,
        }
    }
}

/// A token that nobody can have published by accident. It is no secret once it is published.
pub(super) fn token(entropy: &Entropy) -> String {
    entropy
        .bytes::<16>()
        .iter()
        .fold(String::new(), |mut text, byte| {
            // Writing to a String can't fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

impl Service {
    /// Looks for the proof of a claim: first in the DNS, then, for a host, on its web server. What
    /// a server far away does wrong is why there is no proof, and no failure of ours.
    pub(super) async fn look_for_proof(&self, claim: &DomainRecord) -> Result<(), ProofProblem> {
        let wanted = Publish::from(claim);
        let problem = match self.settings().domains.resolver.texts(&wanted.record).await {
            Ok(texts) if texts.iter().any(|text| text.trim() == wanted.value) => return Ok(()),
            Ok(texts) if texts.is_empty() => ProofProblem::Missing,
            Ok(_) => ProofProblem::Different,
            Err(error) => {
                tracing::debug!(domain = %claim.name, error = %Chain(&error), "the text record of a domain could not be asked for");
                ProofProblem::Unanswered
            }
        };
        if claim.kind == DomainKind::Email {
            return Err(problem);
        }
        match self.look_for_file(claim, &wanted.value).await {
            Some(true) => Ok(()),
            Some(false) => Err(ProofProblem::Different),
            None => Err(problem),
        }
    }

    /// Whether the file is the right one; `None` where there is none.
    async fn look_for_file(&self, claim: &DomainRecord, value: &str) -> Option<bool> {
        let rules = Rules {
            // A domain is proven before there is a certificate for it, as with ACME (RFC 8555, 8.3).
            allow_http: true,
            allow_private: self.settings().webhooks.rules().allow_private,
        };
        let asker = Deliverer::new(rules).with_patience(PATIENCE);
        let port = self.settings().domains.http_port;
        let mut seen = None;
        for address in [
            format!("http://{}:{port}{PATH}", claim.name),
            format!("https://{}{PATH}", claim.name),
        ] {
            let Ok(url) = address.parse::<Url>() else {
                continue;
            };
            match asker.ask(&url, &[], LONGEST).await {
                Ok(text) if text.trim() == value => return Some(true),
                Ok(_) => seen = Some(false),
                Err(error) => {
                    tracing::debug!(domain = %claim.name, error = %Chain(&error), "the file that proves a domain could not be fetched");
                }
            }
        }
        seen
    }
}
