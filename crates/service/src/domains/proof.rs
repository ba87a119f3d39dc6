//! What proves that a domain is somebody's, and looking whether it is there.

use std::fmt::Write as _;
use std::time::Duration;

use tenantry_core::Entropy;
use tenantry_core::domain::{DomainKind, ProofProblem, ProofWay};
use tenantry_webhooks::{Deliverer, PostError, Rules};
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

/// What asking in one place came to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Found {
    /// The proof is there.
    Proof,
    /// Somebody answered, and it is not there.
    Absent(ProofProblem),
    /// Somebody answered that it is elsewhere, which nobody follows.
    Elsewhere,
    /// Nobody could say.
    Unasked,
}

impl Service {
    /// Looks for the proof of a claim: first in the DNS, then, for a host, on its web server. What
    /// a server far away does wrong is why there is no proof, and no failure of ours.
    ///
    /// Of a domain that is proven, only an answer from where its proof was says that it is gone. A
    /// resolver of ours that is out of order, or a web server that is down, takes no domain from its
    /// tenant, however long.
    pub(super) async fn look_for_proof(
        &self,
        claim: &DomainRecord,
    ) -> Result<ProofWay, ProofProblem> {
        let wanted = Publish::from(claim);
        let record = self.look_for_record(claim, &wanted).await;
        if record == Found::Proof {
            return Ok(ProofWay::Record);
        }
        let file = match claim.kind {
            DomainKind::Email => Found::Elsewhere,
            DomainKind::Host => self.look_for_file(claim, &wanted.value).await,
        };
        let problem = match (record, file) {
            (_, Found::Proof) => return Ok(ProofWay::File),
            (_, Found::Absent(ProofProblem::Different)) => ProofProblem::Different,
            (Found::Absent(problem), _) => problem,
            (Found::Proof | Found::Elsewhere | Found::Unasked, _) => ProofProblem::Unanswered,
        };
        let told = |found| matches!(found, Found::Absent(_) | Found::Elsewhere);
        let by_its_way = match claim.proven_by {
            Some(ProofWay::Record) => told(record),
            // A record for somebody else is whoever has the domain now.
            Some(ProofWay::File) => told(file) || record == Found::Absent(ProofProblem::Different),
            None => told(record) && told(file),
        };
        if claim.verified_at.is_some() && !by_its_way {
            return Err(ProofProblem::Unanswered);
        }
        // What was asked for is gone from where it was; elsewhere nobody could be asked.
        if claim.verified_at.is_some() && !problem.is_told() {
            return Err(ProofProblem::Missing);
        }
        Err(problem)
    }

    async fn look_for_record(&self, claim: &DomainRecord, wanted: &Publish) -> Found {
        let resolver = self.settings().domains.resolver;
        match resolver.texts(&wanted.record).await {
            Ok(texts) if texts.iter().any(|text| text.trim() == wanted.value) => Found::Proof,
            Ok(texts) if texts.is_empty() => Found::Absent(ProofProblem::Missing),
            Ok(_) => Found::Absent(ProofProblem::Different),
            Err(error) => {
                tracing::debug!(domain = %claim.name, error = %Chain(&error), "the text record of a domain could not be asked for");
                Found::Unasked
            }
        }
    }

    /// Looks for the file on both of a host's ports. One clear answer is enough, of redirects it
    /// takes two: a server may well lead from one port to the other.
    async fn look_for_file(&self, claim: &DomainRecord, value: &str) -> Found {
        let rules = Rules {
            // A domain is proven before there is a certificate for it, as with ACME (RFC 8555, 8.3).
            allow_http: true,
            allow_private: self.settings().webhooks.rules().allow_private,
        };
        let asker = Deliverer::new(rules).with_patience(PATIENCE);
        let port = self.settings().domains.http_port;
        let mut seen = Vec::new();
        for address in [
            format!("http://{}:{port}{PATH}", claim.name),
            format!("https://{}{PATH}", claim.name),
        ] {
            let Ok(url) = address.parse::<Url>() else {
                continue;
            };
            let found = match asker.ask(&url, &[], LONGEST).await {
                Ok(text) if text.trim() == value => return Found::Proof,
                Ok(_) => Found::Absent(ProofProblem::Different),
                Err(error) => {
                    tracing::debug!(domain = %claim.name, error = %Chain(&error), "the file that proves a domain could not be fetched");
                    self.said_by(claim, &error).await
                }
            };
            seen.push(found);
        }
        let clear = |problem| seen.contains(&Found::Absent(problem));
        if clear(ProofProblem::Different) {
            Found::Absent(ProofProblem::Different)
        } else if clear(ProofProblem::Missing) {
            Found::Absent(ProofProblem::Missing)
        } else if seen.iter().all(|found| *found == Found::Elsewhere) {
            Found::Elsewhere
        } else {
            Found::Unasked
        }
    }

    /// What it says about the file that it could not be fetched.
    async fn said_by(&self, claim: &DomainRecord, error: &PostError) -> Found {
        match error {
            // It is not there, or is nothing that we published (RFC 9110, sections 15.5.5 and 15.5.11).
            PostError::Status(404 | 410) | PostError::Unread => {
                Found::Absent(ProofProblem::Missing)
            }
            PostError::Redirect(_) => Found::Elsewhere,
            PostError::Resolve(_) => {
                // Whoever resolves names for this machine does not say why it can't.
                let resolver = self.settings().domains.resolver;
                match resolver.is_there(claim.name.as_str()).await {
                    Ok(false) => Found::Absent(ProofProblem::Missing),
                    Ok(true) | Err(_) => Found::Unasked,
                }
            }
            _ => Found::Unasked,
        }
    }
}
